"""Read other meetings beside the one a task was given, so that the device has work and no meeting waits for another.

`worker-gpu` has one process with one model and does one task at a time; the messages of other meetings wait.

1. While a task reads its meeting, `Company` looks for others whose transcription waits, and has each read by a thread
   as a task of its own would: claimed, under a lease, stored round by round. Their windows share the engine's batches
   (`standup.transcribe.sharing`).
2. Whoever is done first is done. What follows is published at once; the message that waited finds nothing left to do.
3. When the task's own meeting is done, what follows is published, and the others are handed back between two rounds
   and go on by their own messages.
4. What has ever gone wrong is read alone: a meeting that kills the process takes others with it once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType

from standup import handover
from standup.errors import StandupError
from standup.pipeline import Stage, StageState, StageStatus, remaining

log = logging.getLogger(__name__)

LOOK_S = 0.5
UNTOUCHED_MS = 2_000
"""A worker that has nothing to do takes a message sooner; what has waited so long waits for this one."""
PARTING_S = 60.0
"""What a guest may take to end its round before the task goes without it."""
ON_A_GPU, ON_A_CPU = 4, 2
"""How many meetings are read at once unless the operator says so. A CPU has no lane to spare, but a standup that has
just ended need not wait for an hour that somebody imports."""


def waiting(meetings: Mapping[str, Sequence[StageStatus]], now_ms: int) -> list[str]:
    """Return the ids of the meetings that wait to be transcribed and with which nothing has gone wrong, in order."""
    return [meeting_id for meeting_id, rows in meetings.items() if _is_waiting(rows, now_ms)]


def _is_waiting(rows: Sequence[StageStatus], now_ms: int) -> bool:
    if remaining(rows)[:1] != (Stage.TRANSCRIBE,):
        return False
    row = next(one for one in rows if one.stage is Stage.TRANSCRIBE)
    is_free = row.state is StageState.TODO and row.next_at_ms <= now_ms and not row.error
    return is_free and row.enqueued_at_ms is not None and row.enqueued_at_ms + UNTOUCHED_MS <= now_ms


class Company:
    """The guests of a meeting that is being read; a context manager around that reading."""

    def __init__(
        self,
        places: Callable[[], int],
        waiting: Callable[[], Iterable[str]],
        read: Callable[[str, Callable[[], None]], None],
        look_s: float = LOOK_S,
    ) -> None:
        """Prepare the thread that looks for guests; the block begins it.

        *places*: how many guests may be read now; *waiting*: who waits, first come first; *read* reads one, calls
        what it is given between two rounds, and raises nothing.
        """
        self._places = places
        self._waiting = waiting
        self._read = read
        self._look_s = look_s
        self._ended = threading.Event()
        self._door = threading.Lock()
        """Held while a guest begins and while the end is said: after the end nobody begins."""
        self._guests: dict[str, threading.Thread] = {}
        self._thread = threading.Thread(target=self._run, name="company", daemon=True)

    def __enter__(self) -> Company:
        """Begin to look for guests."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Have the guests handed back; return once they have gone, after a minute at the latest."""
        with self._door:
            self._ended.set()
        self._thread.join(PARTING_S)

    @property
    def has_guests(self) -> bool:
        """Whether anybody is being read beside the host."""
        return any(thread.is_alive() for thread in list(self._guests.values()))

    def check(self) -> None:
        """Raise HandedBack when a guest is to end: its host is done, or the worker was asked to stop."""
        handover.check()
        if self._ended.is_set():
            raise handover.HandedBack

    def _run(self) -> None:
        while not self._ended.wait(self._look_s):
            try:
                self._invite()
            except StandupError as problem:
                log.warning("No other meeting is read beside this one for now: %s", problem)
        for guest in self._guests.values():
            guest.join()

    def _invite(self) -> None:
        """Begin to read whoever waits, as far as there are places."""
        self._guests = {one: thread for one, thread in self._guests.items() if thread.is_alive()}
        free = self._places() - len(self._guests)
        if free <= 0:
            return
        coming = [one for one in self._waiting() if one not in self._guests][:free]
        for meeting_id in coming:
            self._begin(meeting_id)

    def _begin(self, meeting_id: str) -> None:
        """Begin to read one, unless the host is done: who has just been handed back would seem to wait again."""
        guest = threading.Thread(target=self._read, args=(meeting_id, self.check), name="guest", daemon=True)
        with self._door:
            if not self._ended.is_set():
                self._guests[meeting_id] = guest
                guest.start()
