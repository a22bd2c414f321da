"""Whether the recorder sits where it says it records.

No clock and no I/O here. A breach is reported once, when it has lasted longer than a rejoin may take.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

ABSENT_AFTER_MS = 60_000
#: Longer than a restart of the recorder with its rejoin.


@dataclass(slots=True)
class _Breach:
    since_ms: int
    is_reported: bool = False


class Presence:
    """The breaches that are going on, by meeting id. One owner; not thread-safe."""

    def __init__(self) -> None:
        self._breaches: dict[str, _Breach] = {}

    def check(self, absent: Collection[str], now_ms: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return (newly reported, cured) meeting ids, given those whose recorder is *absent* at *now_ms*.

        A meeting is cured when it was reported and is no longer absent, be it that it ended.
        """
        gone = [meeting_id for meeting_id in self._breaches if meeting_id not in absent]
        cured = tuple(one for one in gone if self._breaches.pop(one).is_reported)
        reported = []
        for meeting_id in absent:
            breach = self._breaches.setdefault(meeting_id, _Breach(now_ms))
            if not breach.is_reported and now_ms - breach.since_ms >= ABSENT_AFTER_MS:
                breach.is_reported = True
                reported.append(meeting_id)
        return tuple(reported), cured
