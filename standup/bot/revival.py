"""After a start of the recorder: meetings that were being recorded when it stopped, however it stopped.

Each is continued as the same meeting, in the next segment of its journal, or ended at its last packet
(`resumption` decides). Meetings that had ended but were not posted yet are followed again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from datetime import datetime, timedelta, timezone

import discord

from standup import logs
from standup.archive.manifest import Manifest
from standup.bot import wording
from standup.bot.message import MeetingMessage
from standup.bot.recording import TRY_AGAIN_S
from standup.bot.resumption import CONTINUE_WITHIN, Continue, End, decide
from standup.bot.shelf import Shelf
from standup.bot.studio import Studio
from standup.bot.voice_line import people_in
from standup.errors import AudioCaptureError, ChannelForbidden, ChannelUnreachable, JournalUnreadable
from standup.meeting import Gap, Meeting, MeetingState
from standup.notice import Notice

log = logging.getLogger(__name__)

FOLLOW_WITHIN = timedelta(days=1)
#: Meetings that ended this recently are followed again.
LOOK_S = 0.5
NOTICE_S = 2.0
#: What is said meanwhile is lost, so an edit gets so long; the recording's own rounds repeat it.


class Revival:
    """The work of one start. Owner: the event loop, once its gateway is ready."""

    def __init__(self, bot: discord.AutoShardedClient, studio: Studio, shelf: Shelf) -> None:
        self._bot = bot
        self._studio = studio
        self._shelf = shelf
        self._found: tuple[Manifest, ...] = ()

    async def look(self) -> None:
        """See what an earlier run left; called before the first command can arrive."""
        self._found = await self._shelf.manifests()

    async def run(self) -> None:
        """Continue, end or follow what was found; a meeting that fails does not stop the others."""
        await asyncio.gather(*(self._take(one) for one in self._found))

    async def _take(self, manifest: Manifest) -> None:
        with logs.about(manifest.meeting.id):
            try:
                if manifest.meeting.ended_at is None:
                    await self._revive(manifest)
                elif datetime.now(timezone.utc) - manifest.meeting.ended_at < FOLLOW_WITHIN:
                    self._follow(manifest)
            except Exception:
                log.exception("An unfinished meeting could not be taken up again; its audio is on disk")

    async def _revive(self, found: Manifest) -> None:
        # One that was still joining had been kept from the archive.
        manifest = dataclasses.replace(found, adopted=False)
        meeting = manifest.meeting
        last_at = await self._last_packet_at(meeting)
        alive_at = await self._shelf.last_alive_at(meeting.id)
        await self._available(int(meeting.guild_id), alive_at or meeting.started_at)
        channel = self._bot.get_channel(int(meeting.voice_channel_id))
        people = len(people_in(channel)) if isinstance(channel, discord.VoiceChannel) else 0
        what = decide(
            started_at=meeting.started_at,
            last_packet_at=last_at,
            last_alive_at=alive_at,
            now=datetime.now(timezone.utc),
            people=people,
        )
        if isinstance(what, Continue) and isinstance(channel, discord.VoiceChannel):
            try:
                gone_at = max(one for one in (last_at, alive_at, meeting.started_at) if one is not None)
                await self._continue(manifest, channel, gone_at)
            except (AudioCaptureError, ChannelForbidden, ChannelUnreachable) as cause:
                log.warning("The meeting could not be continued: %s", cause)
            else:
                return
        await self._end(manifest, what.at if isinstance(what, End) else last_at or meeting.started_at)

    async def _available(self, guild_id: int, alive_at: datetime) -> None:
        """Wait while Discord calls the guild unavailable and the meeting may still go on: nobody knows who is there."""
        while datetime.now(timezone.utc) - alive_at < CONTINUE_WITHIN:
            guild = self._bot.get_guild(guild_id)
            if guild is None or not guild.unavailable:
                return
            await asyncio.sleep(LOOK_S)

    async def _last_packet_at(self, meeting: Meeting) -> datetime | None:
        try:
            return await self._shelf.last_packet_at(meeting.id)
        except JournalUnreadable as cause:
            log.error("%s", cause)
            return None

    async def _continue(self, manifest: Manifest, channel: discord.VoiceChannel, gone_at: datetime) -> None:
        meeting = manifest.meeting
        with self._studio.reserved(channel.guild.id):
            message = self._message(manifest)
            if not await _stands(message, wording.paused(meeting)):
                message_id = await message.post(wording.paused(meeting))
                manifest = dataclasses.replace(manifest, message_id=str(message_id))
            recording = await self._studio.equip(manifest, message, channel.guild)
            now_ms = recording.elapsed_ms
            since_ms = min(now_ms, _elapsed_ms(meeting, gone_at))
            await recording.resume(Gap(since_ms, now_ms))
            log.info("Recording resumed", extra={"action": "resumed", "gap_ms": now_ms - since_ms})
            self._studio.launch(recording)

    async def _end(self, manifest: Manifest, at: datetime) -> None:
        meeting = dataclasses.replace(manifest.meeting, ended_at=at, state=MeetingState.PROCESSING)
        ended = dataclasses.replace(manifest, meeting=meeting)
        while not await self._shelf.keep(ended):  # noqa: ASYNC110 - no disk tells that it has space again
            await asyncio.sleep(TRY_AGAIN_S)
        log.info("Recording ended at its last packet")
        self._follow(ended)

    def _follow(self, manifest: Manifest) -> None:
        if manifest.message_id:
            self._studio.follow(manifest.meeting, self._message(manifest), lambda notice: notice)

    def _message(self, manifest: Manifest) -> MeetingMessage:
        meeting = manifest.meeting
        text = self._bot.get_partial_messageable(int(meeting.text_channel_id), guild_id=int(meeting.guild_id))
        return MeetingMessage(text, meeting.id, int(manifest.message_id) if manifest.message_id else None)


async def _stands(message: MeetingMessage, notice: Notice) -> bool:
    """Return whether the message is there, and have it say *notice*; True when Discord is too slow to tell."""
    try:
        return await asyncio.wait_for(message.show(notice, at_once=True), NOTICE_S)
    except asyncio.TimeoutError:
        return True


def _elapsed_ms(meeting: Meeting, at: datetime) -> int:
    return max(0, round((at - meeting.started_at).total_seconds() * 1000))
