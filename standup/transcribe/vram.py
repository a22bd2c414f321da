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
from standup.transcribe import Engine, LanguageGuess
from standup.transcribe.profiles import Profile
from standup.transcribe.sharing import Call, OnStep, Share, give_back, take

if TYPE_CHECKING:
    from standup.transcribe import Pcm

logger = logging.getLogger(__name__)

T = TypeVar("T")
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
    """Reads for the shares of meetings, and goes down a ladder of profiles as memory runs out.

    At most one model is in memory. Safe for several threads; however many of them fail together, it is one step.
    """

    def __init__(self, rungs: Sequence[Profile], make: Callable[[Profile], Releasable]) -> None:
        """Stand on the first of *rungs*; *make* returns an engine that has not loaded its model yet."""
        self._rungs = rungs
        self._make = make
        self._level = 0
        self._engine = make(rungs[0])
        self._changed = threading.Condition()
        self._readers = 0
        self._spent: Releasable | None = None
        self._calls: list[Call] = []

    @property
    def level(self) -> int:
        """How many rungs below the full profile it stands."""
        return self._level

    @property
    def device(self) -> str:
        """Where the profile in force runs: ``cpu`` or ``cuda``."""
        return self._rungs[self._level].device

    @property
    def engine(self) -> Engine:
        """The engine in force; it is asked for what it is, and read with by `answer` alone."""
        return self._engine

    @property
    def shortage(self) -> str:
        """How the profile in force runs, as the notes tell it behind the models; empty in full."""
        rung = self._rungs[self._level]
        device = {"cuda": "GPU", "cpu": "CPU"}[rung.device]
        return f" ({rung.compute_type}, {device}; memory was short)" if self._level else ""

    def share(self, level: int, on_step: OnStep | None = None) -> Share:
        """Stand on the rung *level*, the last when there are fewer, and return a meeting's share.

        *on_step* is told of each step down that this meeting needs. Raises ModelLoadError, TranscriptionTimeout when
        what is being read does not come to an end, and OutOfMemory when its model cannot be unloaded.
        """
        rung = min(max(0, level), len(self._rungs) - 1)
        with self._changed:
            if rung != self._level:
                self._change(rung)
        return Share(self, on_step)

    def detect_language(self, pcm: Pcm, on_step: OnStep | None = None) -> LanguageGuess:
        """Return the language of *pcm*; see `Engine.detect_language`."""
        return self._on_some_rung(lambda engine: engine.detect_language(pcm), on_step)

    def answer(self, call: Call) -> None:
        """Return once every window of *call* is read, by this thread or by others; see `Engine.read`.

        A batch that failed is read again without the windows of other meetings, which may be what it failed of.
        """
        with self._changed:
            self._calls.append(call)
        try:
            while not call.is_answered:
                self._on_some_rung(partial(self._read_some, call), call.share.on_step, call)
        finally:
            with self._changed:
                self._calls.remove(call)

    def _read_some(self, call: Call, engine: Releasable) -> None:
        """Read as many windows as *engine* takes at once, those of *call* first."""
        with self._changed:
            seats = take(call, self._calls, engine.batch_windows)
        if not seats:
            return
        try:
            windows = [one.call.windows[one.place] for one in seats]
            readings = engine.read(windows, [one.call.hints[one.place] for one in seats])
        except Exception:
            with self._changed:
                give_back(seats)
            if all(one.call is call for one in seats):
                raise
            call.is_alone = True
            return
        with self._changed:
            for one, reading in zip(seats, readings, strict=True):
                one.call.readings[one.place] = reading

    def _on_some_rung(
        self, act: Callable[[Releasable], T], on_step: OnStep | None, call: Call | None = None
    ) -> T:
        while True:
            with self._turn(call) as engine:
                try:
                    return act(engine)
                except OutOfMemory:
                    if self._level == len(self._rungs) - 1:
                        raise
            # Behind the handler: the error's frames hold what was computed, some of it on the device.
            self._step_down(engine, on_step)

    @contextmanager
    def _turn(self, call: Call | None = None) -> Iterator[Releasable]:
        """Lend the engine in force to one reader, for a *call* once some of it waits to be read or all of it is."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_turn(call), _PATIENCE_S):
                raise TranscriptionTimeout
            self._readers += 1
            engine = self._engine
        try:
            yield engine
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    def _is_turn(self, call: Call | None) -> bool:
        if call is not None and not call.waiting:
            return call.is_answered
        return self._spent is None and self._readers < self._engine.lanes

    def _step_down(self, spent: Releasable, on_step: OnStep | None) -> None:
        """Go one rung below the engine *spent*, unless another reader has done so."""
        with self._changed:
            if self._engine is not spent or not self._change(self._level + 1):
                return
            level = self._level
        if on_step is not None:
            on_step(level)

    def _change(self, rung: int) -> bool:
        """Take another rung as soon as nobody reads; return False when another thread was first."""
        spent = self._spent = self._engine
        try:
            # Where another thread was first, the next engine's readers are none of this one's business.
            if not self._changed.wait_for(
                lambda: self._readers == 0 or self._engine is not spent, _PATIENCE_S
            ):
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
