"""Keeps a claim alive while its stage is worked on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from standup.errors import StandupError
from standup.pipeline import LEASE_MS

log = logging.getLogger(__name__)

RENEW_EVERY_S = LEASE_MS / 1000 / 4


class Lease:
    """A thread that calls *renew* every quarter of the lease until the block ends.

    A process that dies stops renewing, and the stage is free again when the lease has run out. A renewal that
    fails is tried again at the next turn; one that answers False ends the thread (the work is superseded, which
    storing its product will find).
    """

    def __init__(self, renew: Callable[[], bool], every_s: float = RENEW_EVERY_S) -> None:
        """Prepare the thread; the block begins it."""
        self._renew = renew
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        """Begin renewing."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End renewing; returns once no renewal is under way, after 30 s at the latest."""
        self._ended.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                if not self._renew():
                    return
            except StandupError as problem:
                log.warning("The lease could not be renewed and is tried again: %s", problem)
