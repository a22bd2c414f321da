"""The program ``recorder``: slash commands, voice, packet journals, and the dispatcher thread beside it.

Exit statuses are those of `standup.bot.client`. This process never imports numpy, av, torch or faster_whisper.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import discord

from standup import logs
from standup.archive import Archive
from standup.bot import pulse
from standup.bot.client import StandupBot, run
from standup.bot.commands import StandupCommands
from standup.bot.endings import Limits
from standup.bot.live_thread import LiveThreads
from standup.bot.revival import Revival
from standup.bot.schedule_desk import ScheduleDesk
from standup.bot.schedule_list import ScheduleList
from standup.bot.schedule_notes import ScheduleNotes
from standup.bot.schedule_starts import ScheduledStarts
from standup.bot.settings_desk import SettingsDesk
from standup.bot.shelf import Shelf
from standup.bot.studio import Studio
from standup.dispatcher import Dispatcher
from standup.settings import Settings

log = logging.getLogger(__name__)

DISPATCHER_STOP_S = 5.0


def main(settings: Settings) -> int:
    """Run the recorder until it is asked to stop; return its exit status."""
    logs.configure("recorder", settings.log_dir)
    dispatcher = Dispatcher(settings)
    bot = Recorder(settings, dispatcher)
    log.info("Recorder started")
    dispatcher.start()
    try:
        return run(bot, settings)
    finally:
        dispatcher.stop(DISPATCHER_STOP_S)
        log.info("Recorder stopped")


class Recorder(StandupBot):
    """The gateway client that records."""

    def __init__(self, settings: Settings, dispatcher: Dispatcher) -> None:
        super().__init__(discord.Intents(guilds=True, voice_states=True))
        limits = Limits(
            empty_grace_ms=settings.empty_grace_s * 1000, longest_ms=settings.max_meeting_minutes * 60_000
        )
        shelf = Shelf(settings.data_dir, dispatcher.wake)
        archive = Archive.of(settings)
        live = LiveThreads(self, archive.transcript) if settings.has_live_thread else None
        self.studio = Studio(self, shelf, dispatcher, limits, live)
        self._revival = Revival(self, self.studio, shelf)
        self._schedules = ScheduleList(archive.schedules)
        self._guilds = archive.guilds
        notes = ScheduleNotes(settings.data_dir / "schedules" / "recorder.json")
        self.starts = ScheduledStarts(self, self.studio, shelf, self._schedules, notes)
        self._data_dir = settings.data_dir
        self._tasks: list[asyncio.Task[None]] = []

    async def setup_hook(self) -> None:
        """Look for unfinished meetings and register the commands."""
        await super().setup_hook()
        await self._revival.look()
        self.tree.add_command(
            StandupCommands(self.studio, ScheduleDesk(self._schedules), SettingsDesk(self._guilds))
        )
        await self.tree.sync()

    async def on_ready(self) -> None:
        """Take up what an earlier run left, and begin the watches; discord.py calls this after every new session."""
        if not self._tasks:
            self._begin("revival", self._revival.run())
            self._begin("schedules", self._schedules.run())
            self._begin("scheduled starts", self.starts.run())
            self._begin("pulse", self._beat())
            log.info("Recorder ready")

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Expect no speech of the muted and the gone; look at whoever comes, who may begin a scheduled meeting."""
        if after.channel is None or after.self_mute or after.mute or after.suppress:
            self.studio.quieted(member.guild.id, member.id)
        self.studio.look(member.guild.id)
        if after.channel is not None and after.channel != before.channel:
            self.starts.look()

    async def suspend(self) -> None:
        """Close all journals and leave all channels."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.studio.suspend()

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _beat(self) -> None:
        """Show the monitor, while the gateway connection stands, that this program is there."""
        while True:
            if self.is_ready() and not any(shard.is_closed() for shard in self.shards.values()):
                try:
                    await asyncio.to_thread(pulse.beat, self._data_dir)
                except OSError as cause:
                    log.warning("The sign of life could not be written (%s)", cause.strerror)
            await asyncio.sleep(pulse.BEAT_S)
