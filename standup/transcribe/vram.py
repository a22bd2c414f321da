"""Go on when memory runs out: give it back, take the next smaller profile, read the same windows again.

CTranslate2 and torch say it with an error and the process lives, so nothing that was read is lost. In order:

1. nobody begins to read on the spent rung; whoever still reads comes to an end
2. its model is unloaded, which is looked after: CTranslate2 ignores the wish while a batch is active
3. the next rung's model is loaded at the next reading, into the memory that became free

On the last rung there is nothing left to give back, and `OutOfMemory` goes out.
"""

from __future__ import annotations

import gc
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from standup.errors import OutOfMemory, TranscriptionTimeout
from standup.transcribe import Engine, Hints, LanguageGuess, Reading
from standup.transcribe.profiles import Profile

if TYPE_CHECKING:
    from standup.transcribe import Pcm

logger = logging.getLogger(__name__)

T = TypeVar("T")
OnStep = Callable[[int], None]
"""Told the level in force after each step down; called from the thread that needed the step."""

_PATIENCE_S = 900.0  # a careful batch of a large model on a CPU takes minutes
_TEXTS = re.compile(
    r"out of memory|ALLOC_FAILED"  # CUDA and cuBLAS
    r"|failed to allocate|can't allocate memory"  # CTranslate2's and torch's allocators on a CPU
    r"|bad_alloc",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether *error* says that memory ran out, on a GPU or on a CPU.

    CTranslate2 has no class for it, only texts. torch is asked where something else has loaded it.
    """
    torch = sys.modules.get("torch")
    kinds = (MemoryError, torch.cuda.OutOfMemoryError) if torch else (MemoryError,)
    return isinstance(error, kinds) or (isinstance(error, RuntimeError) and bool(_TEXTS.search(str(error))))


def reclaim() -> None:
    """Free what nobody refers to any more, and the blocks that torch keeps for later.

    torch is not loaded for it: a process that has not loaded it has none of its blocks.
    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch:
        torch.cuda.empty_cache()


class Releasable(Engine, Protocol):
    """An engine whose memory can be had back."""

    def release(self) -> bool:
        """Unload the model, to be loaded again when next used; return whether its memory is free."""


class LadderEngine:
    """An `Engine` that goes down a ladder of profiles as memory runs out.

    At most one model is in memory. Safe for several threads; however many of them fail together, it is one step.
    """

    def __init__(self, rungs: Sequence[Profile], make: Callable[[Profile], Releasable]) -> None:
        """Stand on the first of *rungs*; *make* returns an engine that has not loaded its model yet."""
        self._rungs = rungs
        self._make = make
        self._level = 0
        self._engine = make(rungs[0])
        self._heard_by: list[str] = []
        self._on_step: OnStep | None = None
        self._changed = threading.Condition()
        self._readers = 0
        self._spent: Releasable | None = None

    @property
    def level(self) -> int:
        """How many rungs below the full profile it stands."""
        return self._level

    @property
    def label(self) -> str:
        """The models that read since `settle`, and below the full profile how the last of them ran."""
        models = ", then ".join(self._heard_by or [self._engine.label])
        rung = self._rungs[self._level]
        device = {"cuda": "GPU", "cpu": "CPU"}[rung.device]
        return f"{models} ({rung.compute_type}, {device}; memory was short)" if self._level else models

    @property
    def sole_language(self) -> str | None:
        """The one language of the model in force, or None."""
        return self._engine.sole_language

    @property
    def lanes(self) -> int:
        """As many as the profile in force allows; a call beyond them waits."""
        return self._engine.lanes

    @property
    def batch_windows(self) -> int:
        """As many as the profile in force allows; a longer call is read in several batches."""
        return self._engine.batch_windows

    def settle(self, level: int, on_step: OnStep | None = None) -> None:
        """Stand on the rung *level*, the last when there are fewer, for the meeting that is read next.

        *on_step* is told of each step down from there. Raises ModelLoadError, TranscriptionTimeout when the
        meeting before does not come to an end, and OutOfMemory when its model cannot be unloaded.
        """
        rung = min(max(0, level), len(self._rungs) - 1)
        with self._changed:
            if rung != self._level:
                self._change(rung)
            self._on_step = on_step
            self._heard_by = []

    def detect_language(self, pcm: Pcm) -> LanguageGuess:
        """Return the language of *pcm*; see `Engine.detect_language`."""
        return self._on_some_rung(lambda engine: engine.detect_language(pcm))

    def read(self, windows: Sequence[Pcm], hints: Hints) -> list[Reading]:
        """Return one reading per window; see `Engine.read`. OutOfMemory comes from the last rung alone."""
        readings: list[Reading] = []
        while len(readings) < len(windows):
            left = windows[len(readings) :]
            readings += self._on_some_rung(partial(self._read_first, left, hints))
        return readings

    def _read_first(self, windows: Sequence[Pcm], hints: Hints, engine: Releasable) -> list[Reading]:
        """Return the readings of as many windows as *engine* takes at once."""
        readings = engine.read(windows[: engine.batch_windows], hints)
        with self._changed:
            if engine.label not in self._heard_by:
                self._heard_by.append(engine.label)
        return readings

    def _on_some_rung(self, act: Callable[[Releasable], T]) -> T:
        while True:
            with self._turn() as engine:
                try:
                    return act(engine)
                except OutOfMemory:
                    if self._level == len(self._rungs) - 1:
                        raise
            # Behind the handler: the error's frames hold what was computed, some of it on the device.
            self._step_down(engine)

    @contextmanager
    def _turn(self) -> Iterator[Releasable]:
        """Lend the engine in force to one reader."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, _PATIENCE_S):
                raise TranscriptionTimeout
            self._readers += 1
            engine = self._engine
        try:
            yield engine
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._spent is None and self._readers < self._engine.lanes

    def _step_down(self, spent: Releasable) -> None:
        """Go one rung below the engine *spent*, unless another reader has done so."""
        with self._changed:
            if self._engine is not spent or not self._change(self._level + 1):
                return
            level, on_step = self._level, self._on_step
        if on_step is not None:
            on_step(level)

    def _change(self, rung: int) -> bool:
        """Take another rung as soon as nobody reads; return False when another thread was first."""
        spent = self._spent = self._engine
        try:
            if not self._changed.wait_for(lambda: self._readers == 0, _PATIENCE_S):
                raise TranscriptionTimeout
            if self._engine is not spent:
                return False
            if not spent.release():
                raise OutOfMemory(
                    "The speech model could not be unloaded, so there is no room for a smaller one; "
                    "restart worker-gpu."
                )
            reclaim()
            self._engine, self._level = self._make(self._rungs[rung]), rung
        finally:
            if self._spent is spent:
                self._spent = None
            self._changed.notify_all()
        what = "Transcribing with memory profile %d: %s"
        logger.log(
            logging.WARNING if rung else logging.INFO,
            what,
            rung,
            self._rungs[rung],
            extra={"action": "transcribe"},
        )
        return True
