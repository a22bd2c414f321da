"""All recordings of the recorder process: begun, followed, suspended.

Owner: the event loop. At most one recording per guild, because a bot has one voice connection per guild.
The database and Redis are never touched from here: manifests lie on this machine's disk, and the dispatcher
thread takes them from there.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any

import discord

from standup import logs
from standup import notice as notices
from standup.archive.manifest import Manifest
from standup.bot import names, progress, wording
from standup.bot.audience import Audience
from standup.bot.endings import Ending, Limits
from standup.bot.listener import Listener
from standup.bot.live_thread import LiveThreads
from standup.bot.meeting_clock import MeetingClock
from standup.bot.message import MeetingMessage, TextChannel
from standup.bot.progress import Stages
from standup.bot.recording import Equipment, Recording
from standup.bot.shelf import Shelf
from standup.bot.voice_line import VoiceLine
from standup.errors import AudioCaptureError, StandupError
from standup.meeting import Meeting, meeting_id
from standup.notice import Notice

log = logging.getLogger(__name__)

SUSPEND_S = 5.0
TELL_S = 2.0
#: Everything is on disk by then; a Discord that is slow holds no restart up.
CANCEL_S = 0.1
DEFECT = "Something went wrong on my side; the operator finds the reason in errors.log."


class Studio:
    """Who is recorded where. Every method is called on the event loop."""

    def __init__(
        self,
        bot: discord.AutoShardedClient,
        shelf: Shelf,
        stages: Stages,
        limits: Limits,
        live: LiveThreads | None = None,
    ) -> None:
        """Show what is read while people talk in the threads *live*; None: do not show it."""
        self._bot = bot
        self._live = live
        self._shelf = shelf
        self._stages = stages
        self._limits = limits
        self._recordings: dict[int, Recording | None] = {}  # by guild; None while one begins
        self._unwanted: set[int] = set()  # guilds whose recording is to end as soon as it runs
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by meeting, and by what goes on beside it
        self._is_closing = False

    def is_busy(self, guild_id: int) -> bool:
        """Return whether a recording runs in the guild, or is about to."""
        return self._is_closing or guild_id in self._recordings

    def recording_in(self, guild_id: int) -> Recording | None:
        """Return the recording that runs in the guild, or None."""
        return self._recordings.get(guild_id)

    def is_preparing(self, guild_id: int) -> bool:
        """Return whether a recording in the guild is about to begin, or to go on after a restart."""
        return guild_id in self._recordings and self._recordings[guild_id] is None

    def stop_once_begun(self, guild_id: int) -> bool:
        """Have the recording that is being prepared in the guild end as soon as it runs; return False without one."""
        if not self.is_preparing(guild_id):
            return False
        self._unwanted.add(guild_id)
        return True

    @contextmanager
    def reserved(self, guild_id: int) -> Iterator[None]:
        """Keep the guild for a recording that is being prepared; it is free again when the block raises.

        Raises AudioCaptureError when it is not free.
        """
        if self.is_busy(guild_id):
            raise AudioCaptureError("A recording runs here already; `/standup stop` ends it.")
        self._recordings[guild_id] = None
        try:
            yield
        except BaseException:
            del self._recordings[guild_id]
            self._unwanted.discard(guild_id)
            raise

    async def begin(self, channel: discord.VoiceChannel, text: TextChannel, started_by: str) -> Recording:
        """Post the notice, join, record; return the recording.

        *started_by* is a display name. Raises ChannelForbidden or ChannelUnreachable when the notice cannot be
        posted and AudioCaptureError when the channel cannot be joined or a recording runs already; in each case
        nothing was recorded.
        """
        meeting = _new_meeting(channel, text)
        with self.reserved(channel.guild.id), logs.about(meeting.id):
            message = MeetingMessage(text, meeting.id)
            message_id = await message.post(
                notices.opening(meeting, started_by, is_live=self._live is not None)
            )
            try:
                recording = await self.equip(Manifest(meeting, (), str(message_id)), message, channel.guild)
                await recording.begin()
            except Exception as cause:
                # Whatever it was: a notice that claims to record must not stay.
                why = str(cause) if isinstance(cause, StandupError) else DEFECT
                await message.show(wording.not_begun(meeting, why), at_once=True)
                await self._shelf.discard_empty(meeting.id)
                raise
            log.info("Recording started")
            self.launch(recording)
        return recording

    async def equip(self, manifest: Manifest, message: MeetingMessage, guild: discord.Guild) -> Recording:
        """Return a recording with everything it needs, not joined yet; raise AudioCaptureError for a bad disk."""
        meeting = manifest.meeting
        journal = await self._shelf.open_journal(meeting)
        guild_id, channel_id = int(meeting.guild_id), int(meeting.voice_channel_id)
        audience = Audience(self._bot, guild_id, channel_id, int(meeting.text_channel_id))
        listener = Listener(
            journal, monotonic_ns=time.monotonic_ns, wall_ns=time.time_ns, is_kept=audience.keeps
        )
        line = VoiceLine(self._bot, guild_id, channel_id, listener)
        clock, is_live = MeetingClock(meeting.started_at), self._live is not None
        equipment = Equipment(journal, listener, line, audience, message, clock, is_live)
        return Recording(
            manifest, equipment, self._limits, self._shelf.keep, functools.partial(names.name_of, guild)
        )

    def launch(self, recording: Recording) -> None:
        """Run *recording*, whose guild is reserved, to its end and follow its stages."""
        guild_id = int(recording.meeting.guild_id)
        self._recordings[guild_id] = recording
        if guild_id in self._unwanted:
            self._unwanted.remove(guild_id)
            recording.stop(Ending.ASKED)
        self._spawn(recording.meeting.id, self._conduct(recording))
        if self._live is not None:
            message, ended = recording.equipment.message, recording.is_closed
            told = self._live.follow(recording.meeting, message, ended)
            self._spawn(recording.meeting.id, told, beside="live thread")

    def follow(self, meeting: Meeting, message: MeetingMessage, decorate: Callable[[Notice], Notice]) -> None:
        """Show the stages of a meeting that has ended."""
        self._spawn(meeting.id, progress.follow(self._stages, meeting, message, decorate))
        if self._live is not None:
            self._spawn(meeting.id, self._live.finish(meeting, message), beside="live thread")

    def quieted(self, guild_id: int, user_id: int) -> None:
        """Note that somebody is muted or has left: the recording expects nothing from them."""
        recording = self.recording_in(guild_id)
        if recording is not None:
            recording.equipment.listener.muted(user_id)

    def look(self, guild_id: int) -> None:
        """Have the recording in the guild see at once who came, before anything of them can be kept."""
        recording = self.recording_in(guild_id)
        if recording is not None:
            recording.look()

    async def suspend(self) -> None:
        """Close every journal and leave every channel; unfinished meetings are resumed at the next start."""
        self._is_closing = True
        running = [one for one in self._recordings.values() if one is not None]
        await asyncio.gather(*(self._suspend(one) for one in running))
        await self._cancel_tasks()

    async def _cancel_tasks(self) -> None:
        """Cancel what follows meetings, more than once: `asyncio.wait_for` before 3.12 may swallow it."""
        give_up_s = time.monotonic() + SUSPEND_S
        while self._tasks and time.monotonic() < give_up_s:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.wait(set(self._tasks.values()), timeout=CANCEL_S)

    async def _suspend(self, recording: Recording) -> None:
        """Suspend one recording; one that is ending already comes to its end."""
        recording.halt()
        if recording.ending is not None:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(recording.is_closed.wait(), SUSPEND_S)
            return
        await asyncio.wait({self._tasks[recording.meeting.id]}, timeout=SUSPEND_S)
        with logs.about(recording.meeting.id):
            await recording.release()
            log.info("Recording suspended")
            with suppress(asyncio.TimeoutError):
                told = recording.equipment.message.show(wording.paused(recording.meeting), at_once=True)
                await asyncio.wait_for(told, TELL_S)

    async def _conduct(self, recording: Recording) -> None:
        try:
            ending = await recording.run()
            if ending is None:
                return
            await recording.close(ending)
        finally:
            del self._recordings[int(recording.meeting.guild_id)]

        def decorate(notice: Notice) -> Notice:
            return wording.with_ending(wording.with_gaps(notice, recording.gaps.closed), ending)

        message = recording.equipment.message
        await progress.follow(self._stages, recording.meeting, message, decorate, is_fresh=True)

    def _spawn(self, meeting_id: str, work: Coroutine[Any, Any, None], beside: str = "") -> None:
        async def logged() -> None:
            with logs.about(meeting_id):
                try:
                    await work
                except Exception:
                    log.exception("A task of the meeting failed")

        key = f"{meeting_id} {beside}".rstrip()
        task = asyncio.create_task(logged(), name=f"meeting {key}")
        self._tasks[key] = task
        task.add_done_callback(functools.partial(self._done, key))

    def _done(self, key: str, _: asyncio.Task[None]) -> None:
        self._tasks.pop(key, None)


def _new_meeting(channel: discord.VoiceChannel, text: TextChannel) -> Meeting:
    now = datetime.now(timezone.utc)
    return Meeting(
        id=meeting_id(now, secrets.token_hex(4)),
        guild_id=str(channel.guild.id),
        voice_channel_id=str(channel.id),
        voice_channel_name=channel.name,
        text_channel_id=str(text.id),
        started_at=now,
    )
