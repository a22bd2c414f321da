"""What becomes of a meeting that was being recorded when the recorder stopped.

No clock and no I/O here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

CONTINUE_WITHIN = timedelta(minutes=10)
#: A meeting whose last packet is younger is continued; an older one is over.


@dataclass(frozen=True, slots=True)
class Continue:
    """Rejoin and go on with the same meeting."""


@dataclass(frozen=True, slots=True)
class End:
    """The meeting was over; it ended at *at*."""

    at: datetime


def decide(
    *, started_at: datetime, last_packet_at: datetime | None, now: datetime, people: int
) -> Continue | End:
    """Return what to do with an unfinished meeting at *now*, with *people* in its voice channel.

    *last_packet_at* is None when nothing was heard yet; the start of the meeting stands in for it. A clock that
    was set back never makes a meeting end before it began. All times are aware.
    """
    last_at = max(last_packet_at or started_at, started_at)
    if people > 0 and now - last_at < CONTINUE_WITHIN:
        return Continue()
    return End(last_at)
