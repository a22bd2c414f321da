"""Why a recording ends.

No clock and no I/O here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Ending(str, Enum):
    """What ended a recording; its audio is worked off in every case."""

    ASKED = "asked"  # somebody said /standup stop
    EMPTY = "empty"  # nobody was left in the channel who sees the notice
    TOO_LONG = "too long"  # the operator's limit
    REMOVED = "removed"  # the bot was disconnected from the channel, or the channel is gone
    MOVED = "moved"  # the bot was pulled into another channel, whose people saw no notice
    DEAF = "deaf"  # nothing could be decrypted, and rejoining did not cure it
    NO_NOTICE = "no notice"  # the notice was removed and could not be posted again


SENTENCES: Mapping[Ending, str] = {
    Ending.ASKED: "The recording was stopped.",
    Ending.EMPTY: "The recording stopped because nobody who can see its notice was left in the voice channel.",
    Ending.TOO_LONG: "The recording stopped because it reached the longest time allowed (STANDUP_MAX_MEETING_MINUTES).",
    Ending.REMOVED: "The recording stopped because I was disconnected from the voice channel.",
    Ending.MOVED: "The recording stopped because I was moved to another voice channel.",
    Ending.DEAF: "The recording stopped because I could no longer hear anyone, and rejoining did not help.",
    Ending.NO_NOTICE: "The recording stopped because its notice could no longer be shown.",
}
#: What people are told; one for each ending.


@dataclass(frozen=True, slots=True)
class Limits:
    """When a recording stops by itself."""

    empty_grace_ms: int
    longest_ms: int

    def __post_init__(self) -> None:
        if self.empty_grace_ms < 0 or self.longest_ms <= 0:
            raise ValueError("limits are positive times")

    def ending(self, elapsed_ms: int, empty_ms: int) -> Ending | None:
        """Return what ends a meeting of *elapsed_ms* whose channel has been empty for *empty_ms*, or None."""
        if elapsed_ms >= self.longest_ms:
            return Ending.TOO_LONG
        if empty_ms >= self.empty_grace_ms and empty_ms > 0:
            return Ending.EMPTY
        return None
