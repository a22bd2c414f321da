"""Giving work back: a worker that is asked to stop ends a long stage between two steps, with nothing lost.

Whoever is read beside another meeting (`standup.company`) is given back in the same way.

1. Celery lets the task in hand finish before its worker stops; a transcription may take longer than anybody waits.
2. So the worker's main process, once asked to stop, sends `SIGNAL` to its pool children (`standup.worker`).
3. A stage that has just stored what it has so far calls `check`, which ends it with `HandedBack`.
4. Its task puts the row back to do, without a strike; whoever claims it next goes on with what is not done.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

SIGNAL = signal.SIGUSR2
#: SIGTERM kills a pool child at once, SIGUSR1 is Celery's soft time limit.


class HandedBack(Exception):
    """The stage is to end between two steps; it gives its claim back with everything so far stored."""


_asked = threading.Event()


def listen() -> None:
    """Take note of the wish from here on; called once in each pool child, in its main thread."""
    signal.signal(SIGNAL, _note)


def check() -> None:
    """Raise HandedBack when this process was asked to give its work back."""
    if _asked.is_set():
        raise HandedBack


def _note(_number: int, _frame: FrameType | None) -> None:
    _asked.set()
