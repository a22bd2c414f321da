"""What becomes of a meeting that was being recorded when the recorder stopped.

No clock and no I/O here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

CONTINUE_WITHIN = timedelta(minutes=10)
#: A meeting whose recorder was gone for less is continued, however quiet it was; any other is over.


@dataclass(frozen=True, slots=True)
class Continue:
    """Rejoin and go on with the same meeting."""


@dataclass(frozen=True, slots=True)
class End:
    """The meeting was over; it ended at *at*."""

    at: datetime


def decide(
    *,
    started_at: datetime,
    last_packet_at: datetime | None,
    last_alive_at: datetime | None,
    now: datetime,
    people: int,
) -> Continue | End:
    """Return what to do with an unfinished meeting at *now*, with *people* in its voice channel.

    *last_alive_at* is when its recorder is last known to have run; a meeting that is over ended at its last packet.
    Both are None when that is not known; the start of the meeting stands in for them. A clock that was set back
    never makes a meeting end before it began. All times are aware.
    """
    last_at = max(last_packet_at or started_at, started_at)
    alive_at = max(last_alive_at or started_at, last_at)
    if people > 0 and now - alive_at < CONTINUE_WITHIN:
        return Continue()
    return End(last_at)
