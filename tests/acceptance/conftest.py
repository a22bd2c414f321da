"""Everything that a team's machine runs, beside a loopback Discord with one person in voice."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standup.archive import Archive
from standup.demo import Child, running, settings_for
from standup.meeting import Meeting
from standup.settings import Settings
from standup.simulator.participant import Participant
from standup.simulator.server import LoopbackDiscord, Message
from standup.simulator.speech import synthesize

READY_S = 60.0
POSTED_S = 90.0


@dataclass
class House:
    """One running installation."""

    discord: LoopbackDiscord
    ana: Participant
    settings: Settings
    programs: dict[str, Child]

    async def record(self, *sentences: str) -> None:
        """Hold a meeting in which Ana says *sentences*, up to the end of the recording."""
        await self.begin()
        for sentence in sentences:
            await self.ana.speak(synthesize(sentence, "slt"))
        await self.end()

    async def begin(self) -> None:
        """Call /standup start and wait until the bot hears."""
        await self.discord.invoke(self.ana, "standup", "start")
        await self.discord.wait_for_bot_voice(READY_S)

    async def end(self) -> None:
        """Call /standup stop."""
        await self.discord.invoke(self.ana, "standup", "stop")

    async def message_with(self, words: str) -> Message:
        """Wait for the newest meeting's message to say *words*, in its text or its embeds."""
        return await self.discord.wait_for_message(
            self.discord.text_channel_id, lambda one: words in told(one), POSTED_S
        )

    def archive(self) -> Archive:
        """Open the archive that the programs use."""
        return Archive.of(self.settings)

    def latest(self) -> Meeting:
        """Return the newest meeting."""
        archive = self.archive()
        try:
            return archive.meetings(1)[0]
        finally:
            archive.close()


def told(message: Message) -> str:
    """Return everything that a message says."""
    parts = [message.content]
    for embed in message.embeds:
        parts += [embed.get("title", ""), embed.get("description", "")]
        parts += [f"{field['name']} {field['value']}" for field in embed.get("fields", ())]
    return "\n".join(parts)


@asynccontextmanager
async def house(folder: Path, **changes: Any) -> AsyncIterator[House]:
    """Start an installation under *folder*, with *changes* to its settings."""
    async with LoopbackDiscord(folder / "discord") as discord:
        with tempfile.TemporaryDirectory(prefix="standup-") as sockets:
            settings = settings_for(discord, folder, Path(sockets), **changes)
            with running(settings, discord, lambda _step: None) as programs:
                await discord.wait_for_bot(READY_S)
                ana = await discord.enter("Ana")
                await ana.join_voice()
                yield House(discord, ana, settings, programs)
