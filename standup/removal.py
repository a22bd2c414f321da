"""Deletes meetings, their sound, or somebody in them: rows and files, in an order that a kill cannot break.

Rows say first that something goes, then go the files, and last the row that leads to them. Every step may be done
again. Only the folders of meetings are touched, in the storage and under DATA_DIR.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path

from standup import logs
from standup.archive import Archive, manifest
from standup.archive.audio import AudioStore
from standup.archive.people import Person, Removed
from standup.errors import ArchiveError, MeetingBusy, MeetingNotFound, StandupError
from standup.retention import Deed, Retention, Rule

MOST_PER_RUN = 20
"""Meetings that one run deletes of each kind; the next run takes the rest."""
LONGEST_S = 240.0
"""Thereafter a run begins with no other meeting of a kind; two kinds stay below the task's time limit."""
SOUND = ("journal", "tracks")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Expired:
    """What age has done in one run."""

    sound: tuple[str, ...]
    """Meetings that lost their sound."""
    meetings: tuple[str, ...]
    """Meetings that are gone."""


def expire(archive: Archive, data_dir: Path, retention: Retention, now_ms: int) -> Expired:
    """Delete what is older than *retention* allows at *now_ms*, at most ``MOST_PER_RUN`` of each kind.

    One meeting that cannot be deleted keeps no other from it: it is logged, takes no other's turn, and is tried again
    by the next run.
    """
    done: dict[Deed, tuple[str, ...]] = dict.fromkeys(Deed, ())
    for rule in retention.rules(now_ms):
        found = _in_time(archive.erasure.candidates(rule))
        expired = (one for one in found if _expire(archive, data_dir, rule, one))
        done[rule.deed] = tuple(islice(expired, MOST_PER_RUN))
    if not archive.erasure.scrub():  # also what `standup delete` could not empty
        log.warning(
            "SQLite's files are in use or full, and still hold what was deleted; the next run tidies them"
        )
    return Expired(done[Deed.SOUND], done[Deed.MEETING])


def _in_time(meetings: Iterable[str]) -> Iterator[str]:
    until_s = time.monotonic() + LONGEST_S
    return takewhile(lambda _: time.monotonic() < until_s, meetings)


def _expire(archive: Archive, data_dir: Path, rule: Rule, meeting_id: str) -> bool:
    with logs.about(meeting_id):
        try:
            if not archive.erasure.condemn_by(rule, meeting_id):
                return False
            if rule.deed is Deed.SOUND:
                _remove(archive, data_dir, meeting_id, *SOUND)
                archive.erasure.silence(meeting_id)
            else:
                delete(archive, data_dir, meeting_id)
        except StandupError as problem:
            log.error("What is too old could not be deleted: %s", problem)
            return False
        return True


def delete(archive: Archive, data_dir: Path, meeting_id: str) -> tuple[str, ...]:
    """Delete files and rows of a condemned meeting; return the later meetings whose notes had quoted it."""
    _remove(archive, data_dir, meeting_id, "")
    return archive.erasure.erase(meeting_id)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was taken of somebody, and where that must wait."""

    removed: tuple[Removed, ...]
    waiting: tuple[StandupError, ...]
    """One for each meeting that is being recorded, worked on or not read yet, or whose files are out of reach."""


def look(archive: Archive, person: Person, now_ms: int) -> Forgotten:
    """Return what `forget` would take."""
    return _each(person, lambda meeting_id: archive.people.look(person, meeting_id, now_ms))


def forget(
    archive: Archive, data_dir: Path, person: Person, now_ms: int, tell: Callable[[Removed], None]
) -> Forgotten:
    """Take somebody out of every meeting; *tell* is called for each when its rows are without them.

    Nobody loses the name before all meetings have lost the words: a run that begins anew, and the one that takes up
    what waits, still know every name.
    """
    found = _each(person, lambda meeting_id: archive.people.cut(person, meeting_id, now_ms))
    waiting = list(found.waiting)
    for one in found.removed:
        try:
            _remove(archive, data_dir, one.meeting_id, *_files(one))
        except ArchiveError as problem:
            waiting.append(problem)
        tell(one)
    if not waiting:
        for one in found.removed:
            archive.people.leave(person, one.meeting_id)
    return Forgotten(found.removed, tuple(waiting))


def _each(person: Person, do: Callable[[str], Removed]) -> Forgotten:
    removed, waiting = [], []
    for meeting_id, _ in person.places:
        try:
            removed.append(do(meeting_id))
        except MeetingNotFound:  # deleted meanwhile
            continue
        except MeetingBusy as busy:
            waiting.append(busy)
    return Forgotten(tuple(removed), tuple(waiting))


def _files(removed: Removed) -> tuple[str, ...]:
    """Return what goes of a meeting's files: the journal holds all voices together, and the manifest all names.

    Neither is needed once the words are read. A meeting that they were not in keeps all.
    """
    if not removed.participant:
        return ()
    return "journal", f"tracks/{removed.participant}.ogg", manifest.NAME


def _remove(archive: Archive, data_dir: Path, meeting_id: str, *paths: str) -> None:
    """Delete files in the storage, and the recorder's own copies where they are on this machine."""
    for store in (archive.audio, AudioStore(str(data_dir.absolute()))):
        for path in paths:
            store.remove(meeting_id, path)
