"""Deleting meetings and their sound from the archive, on SQLite and PostgreSQL."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from standup.archive import Archive, Claim, Failure, Superseded
from standup.continuity import Became, Relation
from standup.errors import MeetingBusy, MeetingNotFound, StandupError
from standup.meeting import MeetingState
from standup.pipeline import LEASE_MS, Stage
from standup.retention import DAY_MS, Deed, Rule, Sound
from standup.summary import Item, Kind, Summary
from tests.empty_archives import migrated
from tests.finished_meetings import BEN, DAY, NOTES, NOW_MS, SAID, START, finished

from .conftest import MEETING, ended, running

ALWAYS_MS = NOW_MS + DAY_MS
START_MS = round(START.timestamp() * 1000)
SOUND, WHOLE = Rule(Deed.SOUND, ALWAYS_MS), Rule(Deed.MEETING, ALWAYS_MS)


def rows(archive: Archive, meeting: str) -> int:
    """Return how many rows of all tables name a meeting."""
    tables = ("participants", "tracks", "utterances", "summaries", "notices", "stages", "failures")
    with archive._engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {one} WHERE meeting_id = '{meeting}'")
            for one in tables
        ]
        meetings = connection.exec_driver_sql(f"SELECT count(*) FROM meetings WHERE id = '{meeting}'")
        return sum(one.scalar_one() for one in (*found, meetings))


def follow_up(archive: Archive, at: datetime, *relations: Relation, items: tuple[Item, ...] = ()) -> str:
    return finished(archive, at, notes=Summary(items, "rules", relations))


def test_candidates_end_first(archive: Archive) -> None:
    """Meetings whose notes are posted, oldest end first; a parked one only where all of it goes."""
    young, parked, old = (
        finished(archive, START),
        finished(archive, START - DAY, park=Stage.TRANSCRIBE),
        finished(archive, START - 2 * DAY),
    )
    assert archive.erasure.candidates(SOUND) == (old, young)
    assert archive.erasure.candidates(WHOLE) == (old, parked, young)
    assert archive.erasure.candidates(Rule(Deed.MEETING, 0)) == ()


def test_what_goes_on_is_no_candidate(archive: Archive) -> None:
    """Neither a meeting that is being recorded nor one that is being worked on is ever due."""
    archive.adopt(running())
    assert archive.erasure.candidates(WHOLE) == ()
    archive.adopt(ended())
    assert archive.erasure.candidates(WHOLE) == ()
    assert not archive.erasure.condemn_by(WHOLE, MEETING)


def test_sound_goes_once(archive: Archive) -> None:
    """Sound that is gone is no candidate any more; a run that was killed in between is taken up."""
    meeting = finished(archive)
    assert archive.erasure.condemn_by(SOUND, meeting)
    assert archive.erasure.candidates(SOUND) == (meeting,)
    archive.erasure.silence(meeting)
    assert (archive.erasure.sound(meeting), archive.erasure.candidates(SOUND)) == (Sound.GONE, ())
    assert archive.transcript(meeting).spoken
    assert archive.meeting(meeting).state is MeetingState.DONE


@pytest.mark.parametrize("first", [Stage.CAPTURE, Stage.TRANSCRIBE])
def test_what_needs_deleted_sound_is_not_repeated(archive: Archive, first: Stage) -> None:
    """A retry that would wipe the words and find no sound is refused; making the notes again is not."""
    meeting = finished(archive)
    archive.erasure.condemn_by(SOUND, meeting)
    archive.erasure.silence(meeting)
    with pytest.raises(StandupError, match="--from summarize"):
        archive.retry(meeting, first)
    assert [one.text for one in archive.transcript(meeting).spoken] == [text for _, text in SAID]
    assert archive.retry(meeting, Stage.SUMMARIZE) is Stage.SUMMARIZE


def test_a_recording_is_not_deleted(archive: Archive) -> None:
    """The refusal names the next step."""
    archive.adopt(running())
    with pytest.raises(MeetingBusy, match="/standup stop"):
        archive.erasure.condemn(MEETING, START_MS + 6 * DAY_MS)


def test_a_recording_that_nobody_ends_is_deleted(archive: Archive) -> None:
    """One that began a week ago was left behind by a recorder whose disk is lost: nothing else would end it."""
    archive.adopt(running())
    archive.erasure.condemn(MEETING, START_MS + 7 * DAY_MS)
    archive.erasure.erase(MEETING)
    assert rows(archive, MEETING) == 0


def test_what_a_worker_holds_is_not_deleted(archive: Archive) -> None:
    """While a lease lives the meeting is refused; afterwards the late worker can store nothing."""
    archive.adopt(ended())
    held = archive.claim(MEETING, Stage.CAPTURE, NOW_MS)
    assert isinstance(held, Claim)
    with pytest.raises(MeetingBusy, match="standup show"):
        archive.erasure.condemn(MEETING, NOW_MS + 1)
    archive.erasure.condemn(MEETING, NOW_MS + LEASE_MS)
    with pytest.raises(Superseded):
        archive.store_capture(held, [], [], NOW_MS + LEASE_MS)


def test_a_condemned_meeting_is_not_worked_on(archive: Archive) -> None:
    """Nobody can claim it, and a retry says how to finish the deletion."""
    archive.adopt(ended())
    archive.erasure.condemn(MEETING, NOW_MS)
    assert not isinstance(archive.claim(MEETING, Stage.CAPTURE, NOW_MS), Claim)
    assert archive.open_meetings() == {}
    with pytest.raises(StandupError, match=f"standup delete {MEETING}"):
        archive.retry(MEETING)


def test_no_row_is_left(archive: Archive) -> None:
    """Every row goes, a failure loses the id and is still counted; doing it again changes nothing."""
    meeting = finished(archive)
    archive.failures.note(Failure(7, "worker-gpu", 139, meeting, "transcribe", "…", "a death"))
    archive.erasure.condemn(meeting, NOW_MS)
    assert archive.erasure.erase(meeting) == ()
    assert archive.erasure.erase(meeting) == ()
    assert rows(archive, meeting) == 0
    assert archive.failures.times_ms("worker-gpu", 139) == (7,)
    with pytest.raises(MeetingNotFound):
        archive.erasure.condemn(meeting, NOW_MS)


def test_later_notes_quote_a_deleted_meeting_no_more(archive: Archive) -> None:
    """The next notes lose all they took over, those after them what they handed on; the rest stays."""
    first = finished(archive)
    stuck = "Wait for Annabel and her ladder"
    own = Item(Kind.NEXT, "Rake the leaves", ("u2",), "1012")
    second = follow_up(
        archive,
        START + DAY,
        Relation(Became.FINISHED, "Worded otherwise when it was taken over", "1012", "Painted", ("u2",)),
        Relation(Became.STILL_BLOCKED, stuck, "1012", None, ("u1",)),
        items=(own,),
    )
    kept = Relation(Became.CARRIED, own.text, "1012", "Rake", ("u2",))
    third = follow_up(
        archive,
        START + 2 * DAY,
        Relation(Became.STILL_BLOCKED, stuck, "1012", None, ("u1",)),
        kept,
        items=(own,),
    )
    elsewhere = finished(
        archive,
        START + 3 * DAY,
        guild="9",
        notes=Summary((), "rules", (Relation(Became.DROPPED, stuck, "1012"),)),
    )
    archive.erasure.condemn(first, NOW_MS)
    assert archive.erasure.erase(first) == (second, third)
    assert archive.summary(second) == Summary((own,), "rules")
    assert archive.summary(third) == Summary((own,), "rules", (kept,))
    untouched = archive.summary(elsewhere)
    assert untouched is not None
    assert untouched.continuity


def test_meetings_out_of_reach_are_left_alone(archive: Archive) -> None:
    """What began more than a week after the last notes cannot have taken anything over."""
    first = finished(archive)
    relation = Relation(Became.DROPPED, NOTES.items[2].text, "1012")
    late = follow_up(archive, START + 8 * DAY, relation)
    archive.erasure.condemn(first, NOW_MS)
    assert archive.erasure.erase(first) == ()
    summary = archive.summary(late)
    assert summary is not None
    assert summary.continuity == (relation,)


SIZES = (1, 5, 30, 200, 900)


def rewrite(archive: Archive, words: Mapping[str, str], seed: int) -> None:
    """Fill the meetings' utterances with their *words*, in every length and no order: pages are split and merged."""
    chance = random.Random(seed)
    places = [(meeting, number) for meeting in words for number in range(80)]
    for meeting, number in chance.sample(places, len(places)) + chance.sample(places, len(places) // 2):
        text = f"{words[meeting]} " * chance.choice(SIZES)
        with archive._engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE utterances SET text = ? WHERE meeting_id = ? AND id = ?",
                (text, meeting, f"u{number}"),
            )


@pytest.mark.integration
@pytest.mark.parametrize("seed", [6, 9])
def test_deleted_words_are_gone_from_the_files(tmp_path: Path, seed: int) -> None:
    """Of deleted meetings no word is left in SQLite's file or its log, whatever lies beside them.

    With these seeds a split of a page has left a copy behind, which `secure_delete` does not reach.
    """
    archive = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path)))
    said = tuple((BEN.id, "") for _ in range(80))
    meetings = [finished(archive, START + number * DAY, said=said, notes=None) for number in range(24)]
    deleted, kept = meetings[::3], [one for place, one in enumerate(meetings) if place % 3]
    rewrite(archive, dict.fromkeys(deleted, "chandelier") | dict.fromkeys(kept, "fence"), seed)

    def stored() -> bytes:
        return b"".join(one.read_bytes() for one in tmp_path.glob("standup.sqlite3*"))

    for one in deleted:
        archive.erasure.condemn(one, NOW_MS)
        archive.erasure.erase(one)
    assert b"chandelier" in stored()  # at least in the log
    assert archive.erasure.scrub()
    assert b"chandelier" not in stored()
    assert {one.id for one in archive.meetings()} == set(kept)
    archive.close()


def test_a_log_in_use_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads, the log cannot be emptied, and that is said instead of hidden."""
    monkeypatch.setattr("standup.archive.database.BUSY_TIMEOUT_MS", 50)
    archive = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path)))
    reader = sqlite3.connect(tmp_path / "standup.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM meetings").fetchall()
    meeting = finished(archive)
    archive.erasure.condemn(meeting, NOW_MS)
    archive.erasure.erase(meeting)
    assert not archive.erasure.scrub()
    reader.close()
    assert archive.erasure.scrub()
    archive.close()


def test_another_database_has_no_log_of_ours(archive: Archive) -> None:
    """Where there is nothing to empty, that is done."""
    assert archive.erasure.scrub()
