"""The program ``monitor``: a second gateway session that logs every channel event, watches the recorder, and tells
before a scheduled standup what would stop it.

EVENT lines carry ids only, never content or names: ``Message #1234``, ``Voice join user=… channel=…``.
Exit statuses are those of `standup.bot.client`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import discord
from discord import app_commands

from standup import logs
from standup.archive import Archive
from standup.archive import manifest as manifests
from standup.archive.manifest import Manifest
from standup.bot.allowance import Allowance
from standup.bot.client import StandupBot, run
from standup.bot.presence import Presence
from standup.bot.schedule_checks import Preflight
from standup.bot.schedule_doctor import Doctor
from standup.bot.schedule_list import ScheduleList
from standup.bot.schedule_notes import ScheduleNotes
from standup.errors import ArchiveError
from standup.meeting import Meeting
from standup.settings import Settings

log = logging.getLogger(__name__)

LINES_AT_ONCE, LINES_PER_S = 100, 10.0
WATCH_S = 5.0
ABSENT = (
    "The recorder is not in voice channel %s although the meeting is being recorded; "
    "check `supervisorctl status recorder` and logs/recorder.log."
)


def main(settings: Settings) -> int:
    """Run the monitor until it is asked to stop; return its exit status."""
    logs.configure("monitor", settings.log_dir)
    log.info("Monitor started")
    try:
        return run(Monitor(settings), settings)
    finally:
        log.info("Monitor stopped")


class EventLog:
    """EVENT lines within an allowance; what did not fit is counted and told."""

    def __init__(self) -> None:
        self._allowance = Allowance(LINES_AT_ONCE, LINES_PER_S)

    def write(self, line: str, *ids: object) -> None:
        """Write one line, or count it."""
        if not self._allowance.grants(time.monotonic_ns() // 1_000_000):
            return
        refused = self._allowance.settle()
        if refused:
            log.log(logs.EVENT, "%d events were too many to be logged", refused)
        log.log(logs.EVENT, line, *ids)


class UnansweredCommands(app_commands.CommandTree[discord.Client]):
    """Every session of a bot gets its commands; this one leaves them to the recorder's."""

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Let no command through."""
        return False


class Monitor(StandupBot):
    """The gateway client that only watches."""

    def __init__(self, settings: Settings) -> None:
        intents = discord.Intents(
            guilds=True,
            voice_states=True,
            guild_messages=True,
            guild_reactions=True,
            guild_scheduled_events=True,
        )
        super().__init__(intents, tree=UnansweredCommands)
        self._events = EventLog()
        self._watch = RecorderWatch(self, settings.data_dir)
        self._schedules = ScheduleList(Archive.of(settings).schedules)
        notes = ScheduleNotes(settings.data_dir / "schedules" / "monitor.json")
        self._preflight = Preflight(self, self._schedules, notes, Doctor(settings), settings.alert_channel_id)
        self._tasks: list[asyncio.Task[None]] = []

    async def on_ready(self) -> None:
        """Begin the watches; discord.py calls this after every new session."""
        self._events.write("Ready")
        if not self._tasks:
            for name, work in (
                ("recorder watch", self._watch.run()),
                ("schedules", self._schedules.run()),
                ("preflight", self._preflight.run()),
            ):
                self._tasks.append(asyncio.create_task(work, name=name))

    async def suspend(self) -> None:
        """End the watches."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def on_shard_connect(self, shard_id: int) -> None:
        """Log a gateway connection."""
        self._events.write("Gateway connected shard=%d", shard_id)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Log a lost gateway connection."""
        self._events.write("Gateway disconnected shard=%d", shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Log a resumed gateway session."""
        self._events.write("Gateway resumed shard=%d", shard_id)

    async def on_message(self, message: discord.Message) -> None:
        """Log that a message came; commands are not read here."""
        self._events.write("Message #%d channel=%d", message.id, message.channel.id)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Log a command or a button; the recorder answers it."""
        self._events.write("Interaction #%d user=%d", interaction.id, interaction.user.id)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Log that a message was edited."""
        self._events.write("Message edited #%d channel=%d", payload.message_id, payload.channel_id)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Log that a message was deleted."""
        self._events.write("Message deleted #%d channel=%d", payload.message_id, payload.channel_id)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Log a reaction."""
        self._events.write("Reaction message=%d user=%d", payload.message_id, payload.user_id)

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Log who comes, goes and moves."""
        if before.channel == after.channel:
            return
        if before.channel is not None:
            self._events.write("Voice leave user=%d channel=%d", member.id, before.channel.id)
        if after.channel is not None:
            self._events.write("Voice join user=%d channel=%d", member.id, after.channel.id)

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        """Log a new channel."""
        self._events.write("Channel created #%d", channel.id)

    async def on_guild_channel_update(
        self, _: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """Log a changed channel."""
        self._events.write("Channel changed #%d", after.id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Log a deleted channel."""
        self._events.write("Channel deleted #%d", channel.id)

    async def on_thread_create(self, thread: discord.Thread) -> None:
        """Log a new thread."""
        self._events.write("Thread created #%d", thread.id)

    async def on_scheduled_event_create(self, event: discord.ScheduledEvent) -> None:
        """Log a newly planned event."""
        self._events.write("Scheduled event #%d", event.id)


class RecorderWatch:
    """Compares what the manifests say with where the bot sits. Owner: the event loop."""

    def __init__(self, bot: discord.Client, data_dir: Path) -> None:
        self._bot = bot
        self._data_dir = data_dir
        self._presence = Presence()
        self._ended: set[str] = set()

    async def run(self) -> None:
        """Look every few seconds until cancelled; one look that fails does not end the watch."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("Looking after the recorder failed; it is tried again")
            await asyncio.sleep(WATCH_S)

    async def look(self) -> None:
        """Compare once, and log what is new."""
        going_on = await asyncio.to_thread(self._going_on)
        absent = {one.id: one.voice_channel_id for one in going_on if not self._sits_in(one)}
        reported, cured = self._presence.check(absent, time.monotonic_ns() // 1_000_000)
        for meeting_id in reported:
            log.error(ABSENT, absent[meeting_id], extra={"meeting_id": meeting_id})
        for meeting_id in cured:
            log.info("The recorder is in its place again", extra={"meeting_id": meeting_id})

    def _going_on(self) -> list[Meeting]:
        """Return the meetings that are being recorded; reads each ended one once."""
        found = (self._read(one) for one in manifests.scan(self._data_dir) if one not in self._ended)
        meetings = [one.meeting for one in found if one is not None]
        self._ended.update(one.id for one in meetings if one.ended_at is not None)
        return [one for one in meetings if one.ended_at is None]

    def _read(self, meeting_id: str) -> Manifest | None:
        try:
            return manifests.read(self._data_dir, meeting_id)
        except ArchiveError:  # the dispatcher, which needs the manifest, logs this
            return None

    def _sits_in(self, meeting: Meeting) -> bool:
        guild = self._bot.get_guild(int(meeting.guild_id))
        voice = guild.me.voice if guild is not None else None
        return (
            voice is not None
            and voice.channel is not None
            and str(voice.channel.id) == meeting.voice_channel_id
        )
