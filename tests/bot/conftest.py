"""The bot's programs as real processes beside a loopback Discord, and plain fakes for its decisions."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from standup.simulator.participant import Participant
from standup.simulator.server import LoopbackDiscord
from standup.simulator.world import Message
from tests.bot.programs import UNUSED_PORT, WAIT_S, Ask, Frames, MakeProgram, Program


@pytest.fixture
async def discord(tmp_path: Path) -> AsyncIterator[LoopbackDiscord]:
    """Run a loopback Discord."""
    async with LoopbackDiscord(tmp_path) as running:
        yield running


@pytest.fixture
def program(tmp_path: Path) -> Iterator[MakeProgram]:
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
async def recorder(discord: LoopbackDiscord, program: MakeProgram) -> Program:
    """Return a recorder that is ready for commands."""
    running = program("voice_recorder", discord)
    running.start()
    await discord.wait_for_bot(timeout_s=WAIT_S)
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
def _frames() -> Frames:
    """Return `frames`, which makes frames of sound from a seed."""
    return frames


async def answer_to(discord: LoopbackDiscord, member: Participant, subcommand: str) -> str:
    """Call `/standup subcommand` as *member* and return the bot's answer."""
    call = await discord.invoke(member, "standup", subcommand)

    def answer() -> Message | None:
        message = call.message
        return message if message is not None and message.content else None

    await discord.wait_until(lambda: answer() is not None, timeout_s=WAIT_S, what="the command's answer")
    found = answer()
    assert found is not None
    return found.content


@pytest.fixture(name="answer_to")
def _answer_to() -> Ask:
    """Return `answer_to`, which calls a slash command as somebody."""
    return answer_to
