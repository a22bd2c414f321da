"""Publishes chains for what the stage rows say, and takes the recorder's manifests into the archive.

The rows are the truth and a chain only the transport: whatever Redis loses is published again after
``REPUBLISH_AFTER_MS``. `sweep` does one round; `Dispatcher` is the thread that the recorder runs, `beat` has the
task ``standup.dispatch``. A failed round leaves everything as it was and is repeated.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from celery import chain
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from standup import logs
from standup.archive import Archive, manifest
from standup.archive.manifest import ManifestUnreadable
from standup.celery import app
from standup.errors import ArchiveError, ArchiveUnreachable, BrokerUnreachable, StandupError
from standup.following import Following, publish_follow
from standup.pipeline import TASK_NAMES, Stage, StageStatus, due, remaining
from standup.settings import Settings

log = logging.getLogger(__name__)

ROUND_S = 1.0
#: Between two rounds of the dispatcher thread when nothing wakes it.
COMPLAIN_EVERY_S = 60.0

Publish = Callable[[str, Sequence[Stage]], None]


def publish(meeting_id: str, stages: Sequence[Stage], connection: Connection | None = None) -> None:
    """Put the chain of *stages* for a meeting on its queues, or raise BrokerUnreachable within seconds.

    *connection* leads to another broker than the settings name.
    """
    links = [app.signature(TASK_NAMES[stage], args=(meeting_id,), immutable=True) for stage in stages]
    try:
        chain(*links).apply_async(
            connection=connection, retry=True, retry_policy={"max_retries": 1, "interval_start": 0}
        )
    except (OperationalError, OSError) as cause:
        raise BrokerUnreachable(
            "Redis does not answer, the work waits in the archive; start Redis and check STANDUP_BROKER_URL."
        ) from cause


def sweep(archive: Archive, now_ms: int, publish: Publish = publish) -> int:
    """Publish the chain of every meeting that is due at *now_ms*; return how many.

    Raises BrokerUnreachable and ArchiveError; what was published before stays published.
    """
    published = 0
    for meeting_id, rows in archive.open_meetings().items():
        stages = due(rows, now_ms)
        if stages:
            publish(meeting_id, stages)
            archive.mark_published(meeting_id, stages, now_ms)
            published += 1
    return published


def publish_rest(archive: Archive, meeting_id: str, now_ms: int, publish: Publish = publish) -> None:
    """Publish what is left of a meeting's chain at once; where that fails, the rounds of `sweep` do it later."""
    try:
        stages = remaining(archive.statuses(meeting_id))
        if stages:
            publish(meeting_id, stages)
            archive.mark_published(meeting_id, stages, now_ms)
    except StandupError as problem:
        log.warning("What follows waits for the dispatcher: %s", problem)


def adopt(archive: Archive, data_dir: Path, seen: dict[str, int], recorded: set[str]) -> None:
    """Take every manifest that has changed into the archive.

    *seen* maps meeting ids to the manifest's modification time at the last visit, and is brought up to date, as is
    *recorded*, the meetings that have not ended. A
    meeting that has ended has its journal stored first, so that its rows never point at nothing. A manifest
    that cannot be read is logged once and left alone. One meeting that cannot be taken over keeps no other from it;
    the first such error is raised at the end.
    """
    problems: list[StandupError] = []
    for meeting_id in manifest.scan(data_dir):
        changed_ns = manifest.changed_ns(data_dir, meeting_id)
        if seen.get(meeting_id) == changed_ns:
            continue
        with logs.about(meeting_id):
            try:
                is_recorded = _adopt_one(archive, data_dir, meeting_id)
            except StandupError as problem:
                problems.append(problem)
            except OSError as cause:
                problems.append(_unusable(meeting_id, cause))
            else:
                seen[meeting_id] = changed_ns
                recorded.discard(meeting_id)
                if is_recorded:
                    recorded.add(meeting_id)
    if problems:
        raise problems[0]


def _unusable(meeting_id: str, cause: OSError) -> StandupError:
    return ArchiveError(
        f"The folder of meeting {meeting_id} cannot be used ({cause.strerror or type(cause).__name__}); see that the "
        "recorder's user owns it and that its disk has space."
    )


def _adopt_one(archive: Archive, data_dir: Path, meeting_id: str) -> bool:
    """Return whether the meeting is in the archive and still being recorded."""
    try:
        found = manifest.read(data_dir, meeting_id)
    except ManifestUnreadable as problem:
        log.error("%s", problem)
        return False
    if found.adopted:
        return False
    if found.meeting.ended_at:
        archive.audio.keep(meeting_id, manifest.meeting_folder(data_dir, meeting_id))
        if not manifest.changed_ns(data_dir, meeting_id):  # deleted meanwhile: it must not come back
            return False
    archive.adopt(found)
    if found.meeting.ended_at:
        manifest.write(data_dir, dataclasses.replace(found, adopted=True))
    return found.meeting.ended_at is None


class Dispatcher:
    """The recorder's dispatcher thread: rounds of `adopt` and `sweep`, and a view of the stage rows.

    Brings the archive's schema up to date before its first round.

    Owner: the program that calls `start` and `stop`. All methods may be called from any thread, none blocks.
    """

    def __init__(
        self,
        settings: Settings,
        publish: Publish = publish,
        publish_follow: Callable[[str], None] = publish_follow,
    ) -> None:
        """Prepare the thread; `start` begins its rounds."""
        self._archive = Archive.of(settings)
        self._data_dir = settings.data_dir
        self._publish = publish
        self._waken = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._watched: dict[str, tuple[StageStatus, ...]] = {}
        self._repeats: set[str] = set()
        self._complaint = ("", 0.0)
        self._seen: dict[str, int] = {}
        self._recorded: set[str] = set()
        self._following = Following(settings.data_dir, publish_follow) if settings.live else None
        self._is_migrated = False
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begin the rounds."""
        self._thread.start()

    def wake(self) -> None:
        """Do a round at once: a manifest has changed."""
        self._waken.set()

    def stop(self, timeout_s: float) -> None:
        """End after the round in hand, waiting at most *timeout_s*."""
        self._stopping.set()
        self._waken.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def stages(self, meeting_id: str) -> tuple[StageStatus, ...]:
        """Return the stage rows of a meeting as of the last round; empty while they are not known.

        Asking puts the meeting under watch: each round refreshes it until `forget`.
        """
        with self._lock:
            return self._watched.setdefault(meeting_id, ())

    def forget(self, meeting_id: str) -> None:
        """End the watch over a meeting."""
        with self._lock:
            self._watched.pop(meeting_id, None)

    def repeat_notify(self, meeting_id: str) -> None:
        """Have the notes posted again: a progress edit may have overwritten them."""
        with self._lock:
            self._repeats.add(meeting_id)
        self.wake()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except StandupError as problem:
                self._complain(problem)
            except Exception as problem:  # noqa: BLE001 - the thread must outlive whatever a driver raises
                self._complain(problem)
            self._waken.wait(ROUND_S)
            self._waken.clear()
        self._archive.close()

    def _round(self) -> None:
        if not self._is_migrated:
            self._archive.migrate()
            self._is_migrated = True
        try:
            adopt(self._archive, self._data_dir, self._seen, self._recorded)
        except StandupError as problem:
            self._complain(problem)
        self._repeat_notices()
        sweep(self._archive, time.time_ns() // 1_000_000, self._publish)
        if self._following is not None:
            self._following.round(self._recorded)
        with self._lock:
            watched = tuple(self._watched)
        for meeting_id in watched:
            rows = self._archive.statuses(meeting_id)
            with self._lock:
                if meeting_id in self._watched:
                    self._watched[meeting_id] = rows

    def _repeat_notices(self) -> None:
        """Have asked-for notes posted again; what the archive refuses is dropped, while it is away all wait."""
        with self._lock:
            repeats = tuple(self._repeats)
        for meeting_id in repeats:
            with self._lock:
                self._repeats.discard(meeting_id)
            try:
                self._archive.retry(meeting_id, Stage.NOTIFY)
            except ArchiveUnreachable:
                with self._lock:
                    self._repeats.add(meeting_id)
                raise
            except (StandupError, ValueError) as problem:
                with logs.about(meeting_id):
                    log.warning("The notes are not posted again: %s", logs.describe(problem))

    def _complain(self, problem: Exception) -> None:
        """Log a failed round, the same one once a minute."""
        text, now_s = logs.describe(problem), time.monotonic()
        if text != self._complaint[0] or now_s - self._complaint[1] >= COMPLAIN_EVERY_S:
            self._complaint = (text, now_s)
            log.error("The dispatcher could not do its round and tries again: %s", text)
