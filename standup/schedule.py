"""When a voice channel holds its standup: weekdays, a local time and a time zone; from them, moments.

No clock and no I/O here but the tables of time zones, which `zoneinfo` reads. Two nights a year are odd, and both give
one meeting: a local time that the clock skips is taken by the clock before the change (02:30 becomes 03:30), one that
comes twice is taken the first time, as https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5 has it.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache

from standup.errors import InputRefused

NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORT = tuple(name[:3].capitalize() for name in NAMES)
EVERY_DAY = frozenset(range(7))
WORDS = {"daily": EVERY_DAY, "weekdays": frozenset(range(5)), "weekends": frozenset((5, 6))}
TIME = re.compile(r"(\d{1,2})[:.](\d{2})")
LEAST_LETTERS = 2
LOOK_BACK_DAYS, LOOK_AHEAD_DAYS = 2, 9
#: Days around a moment that hold the next occurrence, whatever a change of the date line does.
UNKNOWN_DAYS = "I do not know these days; write them as Mon-Fri, Tue,Thu or daily."
UNKNOWN_TIME = "That is no time of day; write it with 24 hours, as 10:00 or 15:30."
UNKNOWN_ZONE = "I do not know this time zone; write it as Europe/Berlin, America/New_York or UTC."


@dataclass(frozen=True, slots=True)
class Schedule:
    """A voice channel's standup, held again and again."""

    guild_id: str
    voice_channel_id: str
    text_channel_id: str
    """Where the notes go, and what is to be said about a meeting that cannot begin."""
    days: frozenset[int]
    """0 is Monday, 6 Sunday."""
    at: time
    """Local time, whole minutes."""
    zone: str
    """An IANA name such as Europe/Berlin."""
    since: datetime
    """Aware; no occurrence lies at or before it, so that a new schedule begins no meeting of this morning."""

    def __post_init__(self) -> None:
        if not self.days or not self.days <= EVERY_DAY:
            raise ValueError("a schedule has days between 0 and 6")
        if self.at.tzinfo is not None or self.at != self.at.replace(second=0, microsecond=0):
            raise ValueError("a schedule's time is a local one of whole minutes")
        if self.since.tzinfo is None:
            raise ValueError("a schedule begins at an aware time")
        _zone(self.zone)

    def next_after(self, instant: datetime) -> datetime:
        """Return the first occurrence after *instant* (aware), in UTC."""
        after = max(instant, self.since)
        local = after.astimezone(_zone(self.zone)).date()
        near = (
            local + timedelta(days=shift)
            for shift in range(-LOOK_BACK_DAYS, LOOK_AHEAD_DAYS)
            if (local.weekday() + shift) % 7 in self.days
        )
        return min(moment for moment in map(self._moment, near) if moment > after)

    def due(self, now: datetime, wait: timedelta) -> datetime | None:
        """Return the occurrence that came at *now* or less than *wait* before it, None when there is none."""
        moment = self.next_after(now - wait)
        return moment if moment <= now else None

    def _moment(self, day: date) -> datetime:
        # fold=0 is what the module's docstring promises for both odd nights.
        return datetime.combine(day, self.at, _zone(self.zone)).astimezone(timezone.utc)

    def serialize(self) -> dict[str, str]:
        """Return the schedule as JSON values; `parse_days`, `parse_time` and `find_zone` read theirs again."""
        return {
            "guild_id": self.guild_id,
            "voice_channel_id": self.voice_channel_id,
            "text_channel_id": self.text_channel_id,
            "days": ",".join(SHORT[day] for day in sorted(self.days)),
            "time": f"{self.at:%H:%M}",
            "zone": self.zone,
            "since": self.since.isoformat(),
        }


def parse_days(text: str) -> frozenset[int]:
    """Return the days that *text* names: ``Mon-Fri``, ``Tue,Thu``, ``Fri-Mon``, ``daily``; raise InputRefused."""
    words = re.sub(r"\s*[-–]\s*", "-", text.strip().lower()).replace(",", " ").split()
    if not words:
        raise InputRefused(UNKNOWN_DAYS)
    return frozenset().union(*(WORDS[word] if word in WORDS else _range(word) for word in words))


def _range(word: str) -> frozenset[int]:
    ends = [_day(one) for one in word.split("-")]
    if len(ends) > 2:
        raise InputRefused(UNKNOWN_DAYS)
    length = (ends[-1] - ends[0]) % 7
    return frozenset((ends[0] + step) % 7 for step in range(length + 1))


def _day(word: str) -> int:
    for number, name in enumerate(NAMES):
        if len(word) >= LEAST_LETTERS and name.startswith(word):
            return number
    raise InputRefused(UNKNOWN_DAYS)


def describe_days(days: Collection[int]) -> str:
    """Return *days* as people write them: ``Mon-Fri``, ``Tue, Thu``, ``every day``."""
    if set(days) == EVERY_DAY:
        return "every day"
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    shown = [
        f"{SHORT[run[0]]}-{SHORT[run[-1]]}" if len(run) > 2 else ", ".join(SHORT[one] for one in run)
        for run in runs
    ]
    return ", ".join(shown)


def parse_time(text: str) -> time:
    """Return the time of day that *text* names, such as ``9:30``; raise InputRefused."""
    found = TIME.fullmatch(text.strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise InputRefused(UNKNOWN_TIME)
    return time(int(found[1]), int(found[2]))


def find_zone(text: str) -> str:
    """Return the time zone that *text* names, in whichever case and with spaces or underscores; raise InputRefused.

    The sentence of the error offers what comes nearest.
    """
    wanted = _plain(text)
    for name in _names():
        if _plain(name) == wanted:
            return name
    near = zones_like(text, 1) if wanted else ()
    raise InputRefused(f"{UNKNOWN_ZONE} Is it {near[0]}?" if near else UNKNOWN_ZONE)


def zones_like(text: str, limit: int) -> tuple[str, ...]:
    """Return at most *limit* time zones whose name holds *text*, those first whose city begins with it."""
    wanted = _plain(text)
    found = [name for name in _names() if wanted in _plain(name)]
    found.sort(key=lambda name: (not _plain(name.rpartition("/")[2]).startswith(wanted), name))
    return tuple(found[:limit])


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    """Return the names that people use: regions with cities, and UTC."""
    every = zoneinfo.available_timezones()
    return ("UTC", *sorted(name for name in every if "/" in name and not name.startswith("Etc/")))


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as cause:  # OSError: the name of a folder
        raise ValueError("a schedule's time zone is an IANA name such as Europe/Berlin") from cause
