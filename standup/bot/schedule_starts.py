"""The recorder begins scheduled meetings: at their time, or with the first arrival within ``WAIT`` after it.

A meeting is begun at most once an occurrence. What proves that it was held is what every meeting leaves on disk, its
manifest: any recording of the voice channel that ran between ``EARLY`` before the time (or the making of the schedule)
and the end of the wait counts, whoever began it and however it ended. So neither a restart nor somebody's
`/standup stop` brings a second one.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import aiohttp
import discord

from standup.archive.manifest import Manifest
from standup.bot import obstacles
from standup.bot.schedule_list import ScheduleList
from standup.bot.schedule_notes import ScheduleNotes, nonce, stamp, utc_now
from standup.bot.shelf import Shelf
from standup.bot.studio import Studio
from standup.bot.voice_line import people_in
from standup.errors import ArchiveError, ChannelUnreachable, StandupError
from standup.schedule import Schedule

log = logging.getLogger(__name__)

WAIT = timedelta(minutes=15)
EARLY = timedelta(minutes=15)
UNENDED = timedelta(hours=12)
#: A meeting without an end that began longer ago is no occurrence of today: its end never reached the disk.
ROUND_S = 5.0
REQUEST_S = 30.0
TROUBLES = (discord.HTTPException, aiohttp.ClientError, OSError, asyncio.TimeoutError)
STARTED_BY = "the schedule"


class ScheduledStarts:
    """The watch over all schedules of the recorder. Owner: the event loop, once its gateway is ready."""

    def __init__(
        self,
        bot: discord.Client,
        studio: Studio,
        shelf: Shelf,
        schedules: ScheduleList,
        notes: ScheduleNotes,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._bot = bot
        self._studio = studio
        self._shelf = shelf
        self._schedules = schedules
        self._notes = notes
        self._clock = clock
        self._busy: dict[str, asyncio.Task[None]] = {}  # by voice channel

    async def run(self) -> None:
        """Look again and again until cancelled: at each schedule's time, and every few seconds."""
        try:
            while True:
                self.look()
                await asyncio.sleep(self._pause_s())
        finally:
            # The closing connection would make them fail, and a failed start is not made again by the next run.
            for task in self._busy.values():
                task.cancel()

    def look(self) -> None:
        """Take care of every schedule whose time has come; one that takes long holds no other up.

        Called at any time besides, as when somebody has come.
        """
        now = self._clock()
        for schedule in self._schedules.all:
            due = schedule.due(now, WAIT)
            if due is None or self._notes.of(schedule, due).is_settled:
                continue
            channel_id = schedule.voice_channel_id
            if channel_id not in self._busy:
                task = asyncio.create_task(self._guarded(schedule, due), name=f"schedule {channel_id}")
                self._busy[channel_id] = task
                task.add_done_callback(functools.partial(self._done, channel_id))

    def _done(self, channel_id: str, _: asyncio.Task[None]) -> None:
        del self._busy[channel_id]

    def _pause_s(self) -> float:
        now = self._clock()
        until = min((one.next_after(now) for one in self._schedules.all), default=now + timedelta(days=1))
        return min(ROUND_S, max(0.0, (until - now).total_seconds()))

    async def _guarded(self, schedule: Schedule, due: datetime) -> None:
        try:
            await self._take(schedule, due)
        except ChannelUnreachable as problem:
            log.warning("A scheduled meeting waits for Discord: %s", problem)
        except Exception:
            # Begun anew every few seconds, a defect would fill the channel with notices.
            log.exception("A scheduled meeting could not be begun; `/standup start` begins it by hand")
            await self._notes.settle(schedule, due)

    async def _take(self, schedule: Schedule, due: datetime) -> None:
        """Begin the meeting, tell why not, or leave it for the next round."""
        channel = self._bot.get_channel(int(schedule.voice_channel_id))
        guild_id = int(schedule.guild_id)
        if not isinstance(channel, discord.VoiceChannel):
            await self._drop_if_deleted(schedule, due)
            return
        running = self._studio.recording_in(guild_id)
        if running is not None and running.meeting.voice_channel_id == schedule.voice_channel_id:
            await self._settle_held(schedule, due)
            return
        if not people_in(channel) or (running is None and self._studio.is_busy(guild_id)):
            return
        text = await self._text_of(schedule)
        if text is None:
            log.warning("The text channel of the schedule of voice channel %s is not there", channel.id)
            await self._notes.settle(schedule, due)
            return
        refusal = _elsewhere(running.meeting.voice_channel_id) if running is not None else ""
        refusal = refusal or obstacles.present(channel, text)
        if refusal and self._notes.of(schedule, due).messages:
            return  # it has been told
        if any(_was_held(one, schedule, due) for one in await self._shelf.manifests()):
            await self._settle_held(schedule, due)
        elif refusal:
            await self._refuse(schedule, due, text, refusal)
        elif not self._studio.is_busy(guild_id):
            await self._begin(schedule, due, channel, text)

    async def _drop_if_deleted(self, schedule: Schedule, due: datetime) -> None:
        """Forget the schedule of a channel that is no more: nobody can name it to `/standup unschedule`."""
        guild = self._bot.get_guild(int(schedule.guild_id))
        if guild is None or guild.unavailable or not await self._is_deleted(int(schedule.voice_channel_id)):
            return
        log.warning("Voice channel %s is gone; its schedule is removed", schedule.voice_channel_id)
        try:
            await self._schedules.remove(schedule)
        except ArchiveError as problem:
            log.warning("The schedule could not be removed, the next time it is: %s", problem)
            await self._notes.settle(schedule, due)

    async def _is_deleted(self, channel_id: int) -> bool:
        try:
            await asyncio.wait_for(self._bot.fetch_channel(channel_id), REQUEST_S)
        except (discord.InvalidData, *TROUBLES) as cause:
            return isinstance(cause, discord.NotFound)
        return False

    async def _settle_held(self, schedule: Schedule, due: datetime) -> None:
        log.info("The scheduled meeting of voice channel %s is being held, or was", schedule.voice_channel_id)
        await self._notes.settle(schedule, due)

    async def _begin(
        self, schedule: Schedule, due: datetime, channel: discord.VoiceChannel, text: obstacles.Text
    ) -> None:
        try:
            await self._studio.begin(channel, text, STARTED_BY)
        except ChannelUnreachable:
            raise
        except StandupError as problem:
            # The meeting's own message says so in the channel, unless it could not be posted at all.
            log.warning("A scheduled meeting was not begun: %s", problem)
        await self._notes.settle(schedule, due)

    async def _refuse(self, schedule: Schedule, due: datetime, text: obstacles.Text, why: str) -> None:
        """Say once why the meeting does not begin; it does as soon as nothing stands in its way."""
        note = self._notes.of(schedule, due)
        log.warning("A scheduled meeting was refused: %s", why)
        told = f"The standup of {stamp(note.due_s)} in <#{schedule.voice_channel_id}> is not being recorded. {why}"
        message_id = 0
        try:
            posted = await asyncio.wait_for(
                text.send(
                    told,
                    nonce=nonce("refused", schedule, note.due_s),
                    allowed_mentions=discord.AllowedMentions.none(),
                ),
                REQUEST_S,
            )
            message_id = posted.id
        except TROUBLES as cause:
            log.warning("The refusal could not be told in its channel (%s)", type(cause).__name__)
        await self._notes.keep(schedule, dataclasses.replace(note, messages={str(text.id): message_id}))

    async def _text_of(self, schedule: Schedule) -> obstacles.Text | None:
        """Return the text channel, None when it is gone; raise ChannelUnreachable when Discord does not tell."""
        channel_id = int(schedule.text_channel_id)
        found: object = self._bot.get_channel(channel_id)
        if found is None:  # an archived thread is in no cache
            try:
                found = await asyncio.wait_for(self._bot.fetch_channel(channel_id), REQUEST_S)
            except (discord.NotFound, discord.Forbidden, discord.InvalidData):
                return None
            except TROUBLES as cause:
                raise ChannelUnreachable(f"Discord does not tell of channel {channel_id}.") from cause
        return found if isinstance(found, obstacles.Text) else None


def _elsewhere(voice_channel_id: str) -> str:
    return (
        f"I am recording <#{voice_channel_id}> and can be in one voice channel of a server only; "
        "`/standup stop` ends that recording."
    )


def _was_held(manifest: Manifest, schedule: Schedule, due: datetime) -> bool:
    """Return whether a recording was, or is, this occurrence of the schedule."""
    meeting = manifest.meeting
    if meeting.voice_channel_id != schedule.voice_channel_id or meeting.started_at >= due + WAIT:
        return False
    if meeting.ended_at is None:
        return due - meeting.started_at < UNENDED
    return meeting.ended_at > max(due - EARLY, schedule.since)
