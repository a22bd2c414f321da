"""What the doctor learns from the loopback Discord."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from standup.bot.event_monitor import Monitor
from standup.health import account
from standup.health.check import Check, Grade
from standup.health.places import Place
from standup.settings import Settings, load
from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord
from tests.loopback import trust

PRIVILEGED = ("members", "presences", "message_content")


@pytest.fixture
async def discord(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackDiscord]:
    """A running loopback Discord whose certificate this process trusts."""
    async with LoopbackDiscord(tmp_path) as server:
        trust(server, monkeypatch)
        yield server


async def look(discord: LoopbackDiscord, *places: Place, **changes: str) -> list[Check]:
    return await collect(settings_for(discord, **changes), *places)


def settings_for(discord: LoopbackDiscord, **changes: str) -> Settings:
    values = {"discord_token": discord.token, "discord_api_url": discord.api_url, **changes}
    return load(None, **values)


async def collect(settings: Settings, *places: Place) -> list[Check]:
    return [one async for one in account.examine(settings, places)]


async def test_all_is_well(discord: LoopbackDiscord) -> None:
    """Token, clock, session starts, intents and both channels are found well."""
    listening = Place(discord.voice_channel_id, listens=True)
    posting = Place(discord.text_channel_id, posts=True)
    found = await look(discord, listening, posting)
    assert {Grade.GOOD} == {one.grade for one in found}, found
    assert ["token", "clock", "gateway", "intents"] == [one.name for one in found[:4]]
    assert len(found) == 6
    assert discord.violations == []


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "used lately"])
async def test_missing_permissions(is_named: bool, discord: LoopbackDiscord) -> None:
    """A permission that a meeting needs is named; a channel the operator names is judged by its kind."""
    discord.deny(discord.voice_channel_id, Permission.CONNECT)
    discord.deny(discord.text_channel_id, Permission.EMBED_LINKS)
    voice = Place(discord.voice_channel_id, listens=not is_named, is_named=is_named)
    words = Place(discord.text_channel_id, posts=not is_named, is_named=is_named)
    found = (await look(discord, voice, words))[-2:]
    assert ["Connect not granted", "Embed Links not granted"] == [one.finding for one in found]
    assert [Grade.BAD] * 2 == [one.grade for one in found]


async def test_the_alert_channel_stops_no_meeting(discord: LoopbackDiscord) -> None:
    """What is missing in the channel for alerts alone is a doubt."""
    discord.deny(discord.text_channel_id, Permission.SEND_MESSAGES)
    found = await look(discord, Place(discord.text_channel_id, is_vital=False))
    assert (Grade.DOUBTFUL, "Send Messages not granted") == (found[-1].grade, found[-1].finding)


@pytest.mark.parametrize(
    ("live_thread", "denied", "expected"),
    [
        pytest.param(
            "true", Permission.CREATE_PUBLIC_THREADS, "Create Public Threads not granted", id="made"
        ),
        pytest.param(
            "true", Permission.SEND_MESSAGES_IN_THREADS, "Send Messages in Threads not granted", id="written"
        ),
        pytest.param("true", Permission.CONNECT, "every permission is granted", id="nothing missing"),
        pytest.param("false", Permission.CREATE_PUBLIC_THREADS, None, id="off"),
    ],
)
async def test_the_live_thread(
    discord: LoopbackDiscord, live_thread: str, denied: Permission, expected: str | None
) -> None:
    """What the live thread lacks in the text channel is a doubt, and told only when the setting is on."""
    discord.deny(discord.text_channel_id, denied)
    places = (Place(discord.voice_channel_id, listens=True), Place(discord.text_channel_id, posts=True))
    found = await look(discord, *places, live_thread=live_thread)
    told = [one for one in found if one.name.startswith("live thread")]
    assert [one.finding for one in told] == ([] if expected is None else [expected])
    assert Grade.BAD not in {one.grade for one in found}


@pytest.mark.parametrize(
    ("is_vital", "grade"),
    [pytest.param(True, Grade.BAD, id="notes"), pytest.param(False, Grade.DOUBTFUL, id="alerts")],
)
async def test_own_messages_must_be_found_again(
    is_vital: bool, grade: Grade, discord: LoopbackDiscord
) -> None:
    """Without the history, what was posted could be posted twice."""
    discord.deny(discord.text_channel_id, Permission.READ_MESSAGE_HISTORY)
    found = await look(discord, Place(discord.text_channel_id, posts=True, is_vital=is_vital))
    assert (grade, "Read Message History not granted") == (found[-1].grade, found[-1].finding)


async def test_a_channel_that_is_not_there(discord: LoopbackDiscord) -> None:
    """A channel that Discord does not know is told by its id."""
    found = await look(discord, Place(123, is_named=True, is_wanted=True))
    assert (Grade.BAD, "channel 123") == (found[-1].grade, found[-1].name)


async def test_a_channel_that_was_deleted_since(discord: LoopbackDiscord) -> None:
    """Where a meeting once was stops no other, nor a new release; that somebody asks for it does."""
    found = await look(discord, Place(123, posts=True))
    assert (Grade.DOUBTFUL, "channel 123") == (found[-1].grade, found[-1].name)


async def test_no_channel_is_known(discord: LoopbackDiscord) -> None:
    """Before the first meeting the operator is told how to have a channel looked at."""
    found = await look(discord)
    assert "--channel" in found[-1].next_step


async def test_a_refused_token_ends_it(discord: LoopbackDiscord) -> None:
    """With a wrong token nothing further is asked, and the token is in no line."""
    found = await look(
        discord, Place(discord.voice_channel_id, listens=True), discord_token="wrong.token.here"
    )
    assert ["token", "clock"] == [one.name for one in found]
    assert Grade.BAD is found[0].grade
    assert "wrong.token.here" not in "".join(one.line() for one in found)


async def test_no_token_asks_nobody() -> None:
    """Without a token there is one line, and no call."""
    (only,) = await collect(load(None, discord_api_url="https://127.0.0.1:9"))
    assert (Grade.BAD, "not set") == (only.grade, only.finding)


async def test_discord_is_away() -> None:
    """Where nobody answers, that is told instead of raised."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (only,) = await collect(load(None, discord_token="a.b.c", discord_api_url=f"https://127.0.0.1:{port}"))
    assert Grade.BAD is only.grade
    assert "does not answer" in only.finding


async def test_something_else_answers() -> None:
    """An address that is not Discord's is told instead of raised."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        (only,) = await collect(load(None, discord_token="a.b.c", discord_api_url=f"http://127.0.0.1:{port}"))
    assert Grade.BAD is only.grade


def test_the_needed_intents_are_those_of_the_programs(tmp_path: Path) -> None:
    """The monitor, which asks for the most, asks for no privileged intent."""
    intents = Monitor(load(None, data_dir=tmp_path)).intents
    assert list(account.NEEDED_INTENTS) == [name for name in PRIVILEGED if getattr(intents, name)]
