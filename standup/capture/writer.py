"""The journal's writer: records in from any thread, one thread of its own to the disk.

Law: `JournalWriter.append` never waits for the disk. Records wait in a bounded queue; the writer thread takes
them every 50 ms. A process killed with SIGKILL loses what came within that time; a machine that loses power
also loses what was not yet synced, about a second.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from threading import Event, Lock, Thread

from standup.capture.record import JournalRecord, serialize
from standup.capture.segments import DISK_FULL, Clock, OpenSegment, SegmentedLog, create_segment

FLUSH_S = 0.05
RETRY_S = 0.5  # between tries on a disk that refuses
QUEUE_RECORDS = 65_536  # about 20 minutes of one speaker, some 20 MB
BATCH_RECORDS = 1024
CLOSE_TIMEOUT_S = 10.0

_log = logging.getLogger(__name__)


class JournalState(str, Enum):
    """How the writer is doing."""

    WRITING = "writing"
    DISK_FULL = "disk full"  # records wait in memory; tried again until there is room
    FAILING = "failing"  # the disk refuses for another reason; tried again
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class JournalHealth:
    """What became of the records handed to a writer."""

    state: JournalState
    written: int
    """Records handed to the operating system."""
    pending: int
    """Records in memory."""
    dropped: int
    """Records lost: the queue was full, or the disk still refused at the end."""


class JournalWriter:
    """Appends records to the journal in *folder*, which is made when it is not there.

    `append` may be called from any thread; `close` once, from any thread but the writer's.
    """

    def __init__(
        self,
        folder: Path,
        meeting_start_wall_ns: int,
        *,
        clock: Clock | None = None,
        open_segment: OpenSegment = create_segment,
        queue_records: int = QUEUE_RECORDS,
    ) -> None:
        """Begin a new segment behind those of an earlier run, and start the writer thread.

        Raises AudioCaptureError when the folder cannot be used. A disk that is full already is no error:
        see `health`.
        """
        self._segments = SegmentedLog(folder, meeting_start_wall_ns, clock=clock, open_segment=open_segment)
        self._queue: deque[bytes] = deque()
        self._queue_records = queue_records
        self._batch_records = 0  # within the segments' rest
        self._state = JournalState.WRITING
        self._written = self._dropped = 0
        self._counting = Lock()  # `append` has several callers
        self._stop = Event()
        self._give_up = Event()
        self._write_batch()
        self._thread = Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def append(self, record: JournalRecord) -> bool:
        """Queue *record* for writing and return at once; False when the queue is full or the writer closed."""
        if len(self._queue) >= self._queue_records or self._stop.is_set():
            self._drop(1)
            return False
        self._queue.append(serialize(record))
        return True

    @property
    def health(self) -> JournalHealth:
        """The numbers and the state at this moment."""
        pending = len(self._queue) + self._batch_records
        return JournalHealth(self._state, self._written, pending, self._dropped)

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> JournalHealth:
        """Write what waits, sync, close the segment; return the final numbers.

        A disk that refuses is tried again until *timeout_s* is over; what is left then is counted as dropped.
        Closing twice changes nothing.
        """
        self._stop.set()
        self._thread.join(timeout_s)
        self._give_up.set()
        self._thread.join(RETRY_S * 2)
        return self.health

    def _run(self) -> None:
        pause_s = FLUSH_S
        while not self._stop.wait(pause_s):
            pause_s = FLUSH_S if self._write_all() else RETRY_S
        while not self._end() and not self._give_up.wait(RETRY_S):
            pass
        self._drop(len(self._queue) + self._batch_records)
        self._queue.clear()
        self._batch_records = 0
        self._segments.abandon()
        self._state = JournalState.CLOSED

    def _end(self) -> bool:
        return self._write_all() and self._guard(self._segments.end_segment)

    def _write_all(self) -> bool:
        while self._queue or self._segments.has_rest:
            if not self._write_batch():
                return False
        return self._guard(self._segments.sync)

    def _write_batch(self) -> bool:
        """Write one batch, or the rest of the last; say whether the disk took it."""
        data = b""
        if not self._segments.has_rest:
            count = min(len(self._queue), BATCH_RECORDS)
            data = b"".join([self._queue.popleft() for _ in range(count)])
            self._batch_records = count
        if not self._guard(lambda: self._segments.write(data)):
            return False
        self._written += self._batch_records
        self._batch_records = 0
        return True

    def _drop(self, count: int) -> None:
        with self._counting:
            self._dropped += count

    def _guard(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except OSError as cause:
            state = JournalState.DISK_FULL if cause.errno in DISK_FULL else JournalState.FAILING
            if state is not self._state:
                _log.error(
                    "The packet journal cannot be written; free space or check the disk",
                    extra={"errno": cause.errno},
                )
            self._state = state
            return False
        if self._state is not JournalState.WRITING:
            _log.warning("The packet journal is being written again")
        self._state = JournalState.WRITING
        return True
