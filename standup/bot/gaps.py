"""The stretches of a recording in which the bot could not hear.

No clock and no I/O here. Times are milliseconds on the meeting clock.
"""

from __future__ import annotations

from collections.abc import Iterable

from standup.meeting import Gap

JOINED_MS = 2_000
"""So long the disk may take to learn of a gap that a restart makes longer."""


class GapLog:
    """The gaps of one recording, and the one that is going on. One owner; not thread-safe."""

    def __init__(self, earlier: Iterable[Gap] = ()) -> None:
        self.closed = list(earlier)
        self.since_ms: int | None = None
        #: When the present gap began; None while the bot hears.

    def begin(self, since_ms: int) -> bool:
        """Begin a gap at *since_ms*; return False when one is going on already."""
        if self.since_ms is not None:
            return False
        self.since_ms = max(0, since_ms)
        return True

    def heard(self, at_ms: int) -> None:
        """Note that something was kept at *at_ms*, which therefore lies outside the present gap."""
        if self.since_ms is not None:
            self.since_ms = max(self.since_ms, at_ms)

    def until(self, now_ms: int) -> tuple[Gap, ...]:
        """Return the gaps as far as *now_ms*, with the present one."""
        if self.since_ms is None:
            return tuple(self.closed)
        return (*self.closed, Gap(self.since_ms, max(self.since_ms, now_ms)))

    def add(self, gap: Gap) -> None:
        """Note *gap*, which goes on with the latest where that ends not long before it."""
        if self.closed and 0 <= gap.from_ms - self.closed[-1].until_ms <= JOINED_MS:
            gap = Gap(self.closed.pop().from_ms, gap.until_ms)
        self.closed.append(gap)

    def end(self, now_ms: int) -> bool:
        """End the present gap; return False when there is none."""
        if self.since_ms is None:
            return False
        self.closed.append(Gap(self.since_ms, max(self.since_ms, now_ms)))
        self.since_ms = None
        return True
