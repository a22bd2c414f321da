"""The program ``recorder``: slash commands, voice, packet journals, and the dispatcher thread beside it.

Exit statuses are those of `standup.bot.client`. This process never imports numpy, av, torch or faster_whisper.
"""

from __future__ import annotations

import asyncio
import logging

import discord

from standup import logs
from standup.bot.client import StandupBot, run
from standup.bot.commands import StandupCommands
from standup.bot.endings import Limits
from standup.bot.revival import Revival
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
        self.studio = Studio(self, shelf, dispatcher, limits)
        self._revival = Revival(self, self.studio, shelf)
        self._reviving: asyncio.Task[None] | None = None

    async def setup_hook(self) -> None:
        """Look for unfinished meetings and register the commands."""
        await super().setup_hook()
        await self._revival.look()
        self.tree.add_command(StandupCommands(self.studio))
        await self.tree.sync()

    async def on_ready(self) -> None:
        """Take up what an earlier run left, once; discord.py calls this after every new session."""
        if self._reviving is None:
            self._reviving = asyncio.create_task(self._revival.run(), name="revival")
            log.info("Recorder ready")

    async def on_voice_state_update(
        self, member: discord.Member, _: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Expect no speech from those who are muted or gone."""
        if after.channel is None or after.self_mute or after.mute or after.suppress:
            self.studio.quieted(member.guild.id, member.id)

    async def suspend(self) -> None:
        """Close all journals and leave all channels."""
        if self._reviving is not None:
            self._reviving.cancel()
            await asyncio.gather(self._reviving, return_exceptions=True)
        await self.studio.suspend()
