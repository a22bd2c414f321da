"""One engine for several meetings: each has a share, and their windows fill one another's batches.

A short meeting seldom fills a batch, and a GPU reads a full batch in little more time than a single window. So whoever
has the engine takes along what other meetings wait with. Which windows those are is decided here, without a lock or a
clock; `standup.transcribe.vram` holds the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standup.transcribe import Hints, LanguageGuess, Reading

if TYPE_CHECKING:
    from standup.transcribe import Pcm
    from standup.transcribe.vram import LadderEngine

OnStep = Callable[[int], None]
"""Told the level in force after each step down; called from the thread that needed the step."""


@dataclass(slots=True)
class Share:
    """One meeting's share in the engine of a process; an `Engine`."""

    ladder: LadderEngine
    on_step: OnStep | None = None
    _heard_by: dict[str, None] = field(default_factory=dict)
    """The models that read for this meeting, in the order they first did."""

    @property
    def label(self) -> str:
        """The models that read for this meeting, and below the full profile how the last of them ran."""
        return ", then ".join(self._heard_by or [self.ladder.engine.label]) + self.ladder.shortage

    @property
    def sole_language(self) -> str | None:
        """The one language of the model in force, or None."""
        return self.ladder.engine.sole_language

    @property
    def lanes(self) -> int:
        """As many as the profile in force allows; a call beyond them waits."""
        return self.ladder.engine.lanes

    @property
    def batch_windows(self) -> int:
        """As many as the profile in force allows; a longer call is read in several batches."""
        return self.ladder.engine.batch_windows

    def detect_language(self, pcm: Pcm) -> LanguageGuess:
        """Return the language of *pcm*; see `Engine.detect_language`."""
        return self.ladder.detect_language(pcm, self.on_step)

    def read(self, windows: Sequence[Pcm], hints: Sequence[Hints]) -> list[Reading]:
        """Return one reading per window; see `Engine.read`. OutOfMemory comes from the last rung alone."""
        call = Call(self, windows, hints)
        self.ladder.answer(call)
        readings = [call.readings[place] for place in range(len(windows))]
        self._heard_by |= dict.fromkeys(one.model for one in readings)
        return readings


@dataclass(eq=False, slots=True)
class Call:
    """What one thread wants read, and what is read of it."""

    share: Share
    windows: Sequence[Pcm]
    hints: Sequence[Hints]
    readings: dict[int, Reading] = field(default_factory=dict)
    """Place among the windows -> its reading."""
    waiting: list[int] = field(init=False)
    """The places that nobody reads yet."""
    is_alone: bool = False
    """Whether no windows of others are taken along any more."""

    def __post_init__(self) -> None:
        self.waiting = list(range(len(self.windows)))

    @property
    def is_answered(self) -> bool:
        """Whether every window is read."""
        return len(self.readings) == len(self.windows)

    def may_join(self, other: Call) -> bool:
        """Return whether windows of this call may be read together with those of *other*."""
        return self.share is not other.share and self._likeness == other._likeness

    @property
    def _likeness(self) -> tuple[str, bool, bool]:
        hints = self.hints[0]
        return hints.language, hints.is_careful, bool(hints.prompt)


@dataclass(frozen=True, slots=True)
class Seat:
    """One window of a call in a batch."""

    call: Call
    place: int


def take(mine: Call, calls: Iterable[Call], width: int) -> list[Seat]:
    """Return what is read next, at most *width* windows: those of *mine*, then other meetings' as they came.

    Empty when all of *mine* is being read or was. Windows of the same meeting are never added: its words would depend
    on which of its threads is quicker.
    """
    if not mine.waiting:
        return []
    others = [] if mine.is_alone else [one for one in calls if one.waiting and one.may_join(mine)]
    seats = [Seat(one, place) for one in (mine, *others) for place in one.waiting][:width]
    for seat in seats:
        seat.call.waiting.remove(seat.place)
    return seats


def give_back(seats: Iterable[Seat]) -> None:
    """Have the windows wait again."""
    for seat in seats:
        seat.call.waiting = sorted([*seat.call.waiting, seat.place])
