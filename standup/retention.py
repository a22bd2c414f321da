"""How long meetings are kept, and what may still be done with one whose sound has gone. Pure.

The age of a meeting counts from its end. What is being recorded or worked on has no age, and what is parked keeps its
sound, which a retry needs, until all of it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from standup.meeting import MeetingState
from standup.pipeline import Stage

DAY_MS = 24 * 3600 * 1000


class Deed(str, Enum):
    """What age does to a meeting."""

    SOUND = "sound"  # its journal and its tracks are deleted
    MEETING = "meeting"  # all of it is deleted


class Sound(str, Enum):
    """What is left of a meeting's sound."""

    WHOLE = "whole"  # journal and tracks, as far as they were made
    TRACKS = "tracks"  # somebody was forgotten: no journal, and the tracks of the others
    GOING = "going"  # it is being deleted
    GONE = "gone"


#: What age may do to a meeting in which state.
STATES: Mapping[Deed, frozenset[MeetingState]] = {
    Deed.SOUND: frozenset({MeetingState.DONE}),
    Deed.MEETING: frozenset({MeetingState.DONE, MeetingState.PARKED}),
}

#: The first stage that may be done again with what is left. Reading the others' tracks again would bring back the name
#: of somebody who was forgotten.
FIRST_STAGE: Mapping[Sound, Stage] = {
    Sound.WHOLE: Stage.CAPTURE,
    Sound.TRACKS: Stage.SUMMARIZE,
    Sound.GOING: Stage.SUMMARIZE,
    Sound.GONE: Stage.SUMMARIZE,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Which meetings a deed is due for at one moment."""

    deed: Deed
    ended_until_ms: int
    """The latest end, in milliseconds since the epoch."""

    @property
    def states(self) -> frozenset[MeetingState]:
        """The states in which it may be done."""
        return STATES[self.deed]

    def covers(self, state: MeetingState, ended_at_ms: int | None) -> bool:
        """Return whether the deed is due for a meeting; never for one that has not ended."""
        return state in self.states and ended_at_ms is not None and ended_at_ms <= self.ended_until_ms


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days after its end a meeting loses its sound, and all; 0 keeps for ever."""

    audio_days: int = 0
    text_days: int = 0

    def rules(self, now_ms: int) -> tuple[Rule, ...]:
        """Return what is due at *now_ms*, whole meetings first: their sound goes with them."""
        days = {Deed.MEETING: self.text_days, Deed.SOUND: self.audio_days}
        return tuple(Rule(deed, now_ms - count * DAY_MS) for deed, count in days.items() if count > 0)
