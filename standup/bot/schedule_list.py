"""The schedules as a program last read them: a database that is away changes nothing of what is known."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from standup import logs
from standup.archive import ScheduleBook
from standup.errors import ArchiveUnreachable
from standup.schedule import Schedule

log = logging.getLogger(__name__)

READ_EVERY_S = 30.0
ANSWER_S = 20.0
#: Longer than SQLite waits for a writer, and PostgreSQL for a connection.


class ScheduleList:
    """What is known of the schedules, read anew every ``READ_EVERY_S``. Owner: the event loop, which never waits."""

    def __init__(self, book: ScheduleBook, *, read_every_s: float = READ_EVERY_S) -> None:
        self._book = book
        self._read_every_s = read_every_s
        self._known: dict[str, Schedule] = {}  # by voice channel
        self._reading: asyncio.Task[tuple[Schedule, ...]] | None = None
        self._is_outdated = False  # what is being read may lack what a command has stored meanwhile
        self._complaint = ""

    @property
    def all(self) -> tuple[Schedule, ...]:
        """Every schedule, in no order."""
        return tuple(self._known.values())

    def of(self, voice_channel_id: int) -> Schedule | None:
        """Return the schedule of a voice channel, None when it has none."""
        return self._known.get(str(voice_channel_id))

    def upcoming(self, guild_id: int, now: datetime) -> tuple[Schedule, ...]:
        """Return the schedules of a guild, the one that is next after *now* first."""
        own = [one for one in self.all if one.guild_id == str(guild_id)]
        return tuple(sorted(own, key=lambda one: one.next_after(now)))

    async def run(self) -> None:
        """Read again and again until cancelled."""
        while True:
            await self.read()
            await asyncio.sleep(self._read_every_s)

    async def read(self) -> None:
        """Read once; what is known stays when the database does not answer. At most one thread waits for it."""
        if self._reading is None:
            self._is_outdated = False
            self._reading = asyncio.create_task(asyncio.to_thread(self._book.all), name="schedules")
        await asyncio.wait({self._reading}, timeout=ANSWER_S)
        if not self._reading.done():
            self._complain(f"no answer within {ANSWER_S:.0f} s")
            return
        done, self._reading = self._reading, None
        try:
            found = done.result()
        except Exception as problem:  # noqa: BLE001 - the watch must outlive whatever a driver raises
            self._complain(logs.describe(problem))
            return
        self._complaint = ""
        if not self._is_outdated:
            self._known = {one.voice_channel_id: one for one in found}

    async def keep(self, schedule: Schedule) -> None:
        """Store *schedule* in place of its voice channel's; raise ArchiveError when that cannot be done now."""
        await _within_reason(asyncio.to_thread(self._book.keep, schedule))
        self._is_outdated = True
        self._known[schedule.voice_channel_id] = schedule

    async def remove(self, schedule: Schedule) -> None:
        """Remove *schedule*; raise ArchiveError when that cannot be done now."""
        await _within_reason(asyncio.to_thread(self._book.remove, schedule.voice_channel_id))
        self._is_outdated = True
        self._known.pop(schedule.voice_channel_id, None)

    def _complain(self, text: str) -> None:
        """Log why nothing could be read, the same once."""
        if text != self._complaint:
            self._complaint = text
            log.warning("The schedules could not be read, those known stay in force: %s", text)


async def _within_reason(storing: Coroutine[Any, Any, None]) -> None:
    try:
        await asyncio.wait_for(storing, ANSWER_S)
    except asyncio.TimeoutError as cause:
        raise ArchiveUnreachable from cause
