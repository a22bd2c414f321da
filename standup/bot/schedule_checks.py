"""The monitor's go or no-go: what would stop a scheduled standup is said in its channel ``LEAD`` before its time.

Nothing is said when all is well. What was wrong is looked at again until the time, and its message follows.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

import aiohttp
import discord

from standup.bot import schedule_wording as wording
from standup.bot.schedule_list import ScheduleList
from standup.bot.schedule_notes import Note, ScheduleNotes, nonce, stamp, utc_now
from standup.bot.schedule_wording import Trouble
from standup.schedule import Schedule

log = logging.getLogger(__name__)

LEAD = timedelta(minutes=5)
AGAIN_S = 30.0
ROUND_S = 5.0
REQUEST_S = 30.0
UNCERTAIN = 0
#: In a note: a message that was about to be posted, and perhaps was.
TROUBLES = (discord.HTTPException, aiohttp.ClientError, OSError, asyncio.TimeoutError)

Examine = Callable[[Collection[str]], Awaitable[tuple[Trouble, ...]]]
#: Returns what would stop a meeting; its argument are channels to be looked at too.


class Preflight:
    """The watch over the next occurrence of every schedule. Owner: the event loop, once its gateway is ready."""

    def __init__(
        self,
        bot: discord.Client,
        schedules: ScheduleList,
        notes: ScheduleNotes,
        examine: Examine,
        alert_channel_id: str = "",
        *,
        clock: Callable[[], datetime] = utc_now,
        lead: timedelta = LEAD,
        again_s: float = AGAIN_S,
    ) -> None:
        """Prepare the watch; *lead* before the time it looks, and every *again_s* while something is wrong."""
        self._bot = bot
        self._schedules = schedules
        self._notes = notes
        self._examine = examine
        self._alert_channel_id = alert_channel_id
        self._clock = clock
        self._lead = lead
        self._again_s = again_s
        self._again_at_s = 0.0
        self._examined: set[tuple[str, int]] = set()  # voice channel and time of those looked at by this run
        self._shown: dict[int, str] = {}  # by message

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("The check before a scheduled meeting failed; it is tried again")
            await asyncio.sleep(ROUND_S)

    async def look(self) -> None:
        """Examine once for all standups that are near and not known to be well, and tell their channels."""
        near = self._near()
        occurrences = {(schedule.voice_channel_id, note.due_s) for schedule, note in near}
        if not near or (occurrences <= self._examined and time.monotonic() < self._again_at_s):
            return
        channel_ids = sorted(
            {one for schedule, _ in near for one in (schedule.voice_channel_id, schedule.text_channel_id)}
        )
        troubles = await self._examine(channel_ids)
        self._examined, self._again_at_s = occurrences, time.monotonic() + self._again_s
        for schedule, note in near:
            if self._clock().timestamp() < note.due_s:
                await self._tell(schedule, note, wording.troubles_of(schedule, troubles))

    def _near(self) -> list[tuple[Schedule, Note]]:
        now = self._clock()
        found = ((one, one.next_after(now)) for one in self._schedules.all)
        noted = [(one, self._notes.of(one, due)) for one, due in found if due - now <= self._lead]
        return [(one, note) for one, note in noted if not note.is_settled]

    async def _tell(self, schedule: Schedule, note: Note, troubles: tuple[Trouble, ...]) -> None:
        """Bring the messages about one occurrence up to date, and note them."""
        if troubles:
            names = ", ".join(one.name for one in troubles)
            log.warning("No-go for the meeting of voice channel %s: %s", schedule.voice_channel_id, names)
            note = await self._say_no_go(schedule, note, troubles)
        else:
            text = wording.go(schedule, stamp(note.due_s))
            told = [await self._say(schedule, note, channel_id, text) for channel_id in note.messages]
            if told:
                log.info("Go for the meeting of voice channel %s", schedule.voice_channel_id)
            note = dataclasses.replace(note, is_settled=None not in told)
        await self._notes.keep(schedule, note)

    async def _say_no_go(self, schedule: Schedule, note: Note, troubles: tuple[Trouble, ...]) -> Note:
        """Tell the operator, then the team, who read less when the operator has been told; return the note."""
        when, messages = stamp(note.due_s), dict(note.messages)
        text_id, alert_id = schedule.text_channel_id, self._alert_channel_id
        has_operator = alert_id not in ("", text_id)
        for channel_id in (alert_id, text_id) if has_operator else (text_id,):
            messages.setdefault(channel_id, UNCERTAIN)
        # Before anything is posted: should this program die now, the next run finds what stands there.
        note = dataclasses.replace(note, messages=messages)
        await self._notes.keep(schedule, note)
        if has_operator:
            text = wording.alert(schedule, when, troubles)
            messages[alert_id] = await self._say(schedule, note, alert_id, text) or messages[alert_id]
        is_told = has_operator and messages[alert_id] != UNCERTAIN
        text = wording.no_go(schedule, when, troubles, is_told=is_told)
        messages[text_id] = await self._say(schedule, note, text_id, text) or messages[text_id]
        known = {channel_id: one for channel_id, one in messages.items() if one != UNCERTAIN}
        return dataclasses.replace(note, messages=known)

    async def _say(self, schedule: Schedule, note: Note, channel_id: str, text: str) -> int | None:
        """Post *text*, or edit the message that is there; return its id, None when Discord did not take it now."""
        channel = self._bot.get_partial_messageable(int(channel_id), guild_id=int(schedule.guild_id))
        message_id = note.messages.get(channel_id, UNCERTAIN)
        nobody = discord.AllowedMentions.none()
        try:
            if message_id == UNCERTAIN:
                # Discord answers a nonce that it knows with the message that it knows.
                name = nonce("no-go", schedule, note.due_s)
                sending = channel.send(text, nonce=name, allowed_mentions=nobody)
                posted = await asyncio.wait_for(sending, REQUEST_S)
                message_id = posted.id
                self._shown[message_id] = posted.content
            if self._shown.get(message_id) != text:
                message = channel.get_partial_message(message_id)
                await asyncio.wait_for(message.edit(content=text, allowed_mentions=nobody), REQUEST_S)
        except discord.NotFound:  # somebody deleted the message, or the channel: nobody reads it
            return message_id
        except TROUBLES as cause:
            log.warning("Channel %s did not take the no-go (%s)", channel_id, type(cause).__name__)
            return None
        self._shown[message_id] = text
        return message_id
