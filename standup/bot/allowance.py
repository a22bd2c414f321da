"""How many lines may be logged: so many at once, refilled at a steady rate.

No clock and no I/O here. Not thread-safe.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Allowance:
    """A token bucket that remembers how much it refused."""

    burst: int
    """Lines that may come at once."""
    per_s: float
    """Lines that may come in the long run."""
    refused: int = field(default=0, init=False)
    """Lines refused since the last one granted."""
    _left: float = field(default=0.0, init=False)
    _asked_ms: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.burst < 1 or self.per_s <= 0:
            raise ValueError("an allowance grants something")
        self._left = float(self.burst)

    def grants(self, now_ms: int) -> bool:
        """Return whether one more line fits at *now_ms*; count it as refused otherwise."""
        if self._asked_ms is not None:
            gained = max(0, now_ms - self._asked_ms) * self.per_s / 1000
            self._left = min(float(self.burst), self._left + gained)
        self._asked_ms = now_ms
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        return True

    def settle(self) -> int:
        """Return how many lines were refused since the last call, and start counting anew."""
        refused, self.refused = self.refused, 0
        return refused
