"""The meeting clock of one run of the recorder: placed by the wall clock once, then driven by the monotonic one.

So a wall clock that is stepped in the middle of a meeting moves nothing; the packet journal keeps time likewise.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from standup.capture.segments import Clock

NS_PER_MS = 1_000_000


class MeetingClock:
    """Milliseconds since *started_at*, never going back."""

    def __init__(self, started_at: datetime, clock: Clock | None = None) -> None:
        """Place the clock; a start that lies ahead of the wall clock is taken for this moment."""
        self._clock = clock or Clock()
        self._started_at = started_at
        wall = datetime.fromtimestamp(self._clock.wall_ns() / 1e9, timezone.utc)
        self._placed_ms = max(0, round((wall - started_at).total_seconds() * 1000))
        self._placed_ns = self._clock.monotonic_ns()

    @property
    def elapsed_ms(self) -> int:
        """How long the meeting has lasted."""
        return self._placed_ms + (self._clock.monotonic_ns() - self._placed_ns) // NS_PER_MS

    @property
    def now(self) -> datetime:
        """The present moment as an aware time, as the meeting clock has it."""
        return self._started_at + timedelta(milliseconds=self.elapsed_ms)
