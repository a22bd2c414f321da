"""The bot's programs as real processes beside a loopback Discord, and plain fakes for its decisions."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from standup.archive import manifest as manifests
from standup.archive.manifest import Manifest
from standup.capture.journal import read
from standup.simulator.participant import Participant
from standup.simulator.server import LoopbackDiscord
from standup.simulator.world import Message

ROOT = Path(__file__).parents[2]
EXIT_S = 20.0
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
        return await asyncio.to_thread(self.processes[-1].wait, EXIT_S)

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
        folder = manifests.meeting_folder(self.data_dir, self.manifest().meeting.id) / "journal"
        stored = [one.record for one in read(folder).records()]
        return [one.payload for one in stored if one.user_id == user_id and len(one.payload) > 3]

    def segments(self) -> int:
        folder = manifests.meeting_folder(self.data_dir, self.manifest().meeting.id) / "journal"
        return len(read(folder).segments)


@pytest.fixture
async def discord(tmp_path: Path) -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord(tmp_path) as running:
        yield running


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Return a maker of programs; whatever it started is killed in the end."""
    made: list[Program] = []

    def make(module: str, discord: LoopbackDiscord, *, before: str = "", **settings: str) -> Program:
        environment = dict(os.environ) | {
            "SSL_CERT_FILE": str(discord.ca_file),
            "STANDUP_DISCORD_API_URL": discord.api_url,
            "STANDUP_DISCORD_TOKEN": discord.token,
            "STANDUP_DATA_DIR": str(tmp_path / "data"),
            "STANDUP_LOG_DIR": str(tmp_path / "logs"),
            "STANDUP_BROKER_URL": f"redis://127.0.0.1:{UNUSED_PORT}/0",
        }
        environment |= {f"STANDUP_{name}": value for name, value in settings.items()}
        made.append(Program(module, tmp_path, environment, before))
        return made[-1]

    yield make
    for one in made:
        for process in one.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
async def recorder(discord: LoopbackDiscord, program: Callable[..., Program]) -> Program:
    """Return a recorder that is ready for commands."""
    running = program("voice_recorder", discord)
    running.start()
    await discord.wait_for_bot(timeout_s=EXIT_S)
    return running


@pytest.fixture
async def ana(discord: LoopbackDiscord) -> Participant:
    """Return somebody who sits in the voice channel."""
    person = await discord.enter("Ana")
    await person.join_voice()
    return person


def frames(seed: int, count: int) -> list[bytes]:
    """Return *count* different Opus-like frames; nothing between microphone and journal looks inside."""
    random = Random(seed)
    return [b"\x78" + random.randbytes(40) for _ in range(count)]


@pytest.fixture(name="frames")
def _frames() -> Callable[[int, int], Sequence[bytes]]:
    return frames


async def answer_to(discord: LoopbackDiscord, member: Participant, subcommand: str) -> str:
    """Call `/standup subcommand` as *member* and return the bot's answer."""
    call = await discord.invoke(member, "standup", subcommand)

    def answer() -> Message | None:
        message = call.message
        return message if message is not None and message.content else None

    await discord.wait_until(lambda: answer() is not None, timeout_s=30, what="the command's answer")
    found = answer()
    assert found is not None
    return found.content


@pytest.fixture(name="answer_to")
def _answer_to() -> Callable[..., object]:
    return answer_to
