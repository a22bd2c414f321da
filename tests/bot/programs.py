"""The bot's programs as real processes, and what they leave on disk."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from standup.archive import manifest as manifests
from standup.archive.manifest import Manifest
from standup.capture.journal import read
from standup.capture.record import JournalRecord
from standup.simulator.participant import Participant
from standup.simulator.server import LoopbackDiscord

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
#: Longer than any program takes to start, to answer or to end beside others on a busy machine.
UNUSED_PORT = 9  # discard: nothing listens there, so Redis is away in all of these tests

RUN = """
import sys
from standup import settings
from standup.bot.{module} import main
{before}
sys.exit(main(settings.load(None)))
"""


@dataclass
class Program:
    """One of the bot's programs, started as supervisord starts it: settings in the environment."""

    module: str
    folder: Path
    environment: dict[str, str]
    before: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        self.processes.append(
            subprocess.Popen(
                [sys.executable, "-c", RUN.format(module=self.module, before=self.before)],
                env=self.environment,
                cwd=ROOT,
                stderr=subprocess.DEVNULL,
            )
        )

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status; the loopback Discord goes on meanwhile."""
        self.processes[-1].send_signal(number)
        return await self.exit_status()

    async def exit_status(self) -> int:
        return await asyncio.to_thread(self.processes[-1].wait, WAIT_S)

    def log(self, name: str) -> str:
        path = self.folder / "logs" / f"{name}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def manifests(self) -> list[Manifest]:
        return [manifests.read(self.data_dir, one) for one in manifests.scan(self.data_dir)]

    def manifest(self) -> Manifest:
        (only,) = self.manifests()
        return only

    def payloads(self, user_id: int) -> list[bytes]:
        """Return what the one meeting's journal holds of a user, silence left out."""
        return [one.payload for one in self.records() if one.user_id == user_id and len(one.payload) > 3]

    def records(self) -> list[JournalRecord]:
        """Return all that the one meeting's journal holds."""
        folder = manifests.meeting_folder(self.data_dir, self.manifest().meeting.id) / "journal"
        return [one.record for one in read(folder).records()]

    async def hear(self, discord: LoopbackDiscord, member: Participant, words: list[bytes]) -> None:
        """Have *member* say *words*, and wait until the last one is on disk: a busy recorder is a little behind."""
        await member.speak(words)
        await discord.wait_until(
            lambda: self.payloads(member.user_id)[-1:] == words[-1:], WAIT_S, "the words in the journal"
        )

    def segments(self) -> int:
        folder = manifests.meeting_folder(self.data_dir, self.manifest().meeting.id) / "journal"
        return len(read(folder).segments)


Ask = Callable[[LoopbackDiscord, Participant, str], Awaitable[str]]
"""Calls `/standup` with a subcommand as somebody, and gives the bot's answer."""
Frames = Callable[[int, int], list[bytes]]
"""Makes so many different frames from a seed."""


class MakeProgram(Protocol):
    """Prepares a program; *settings* are named without their prefix."""

    def __call__(
        self, module: str, discord: LoopbackDiscord, *, before: str = "", **settings: str
    ) -> Program: ...
