"""What the live thread below a meeting's message says goes with the meeting, on the loopback Discord."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
from discord.http import Route

from standup.notice import Notice
from standup.notify.discord_channel import DiscordChannel
from standup.settings import load
from standup.simulator.server import LoopbackDiscord
from tests.loopback import trust


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackDiscord]:
    """A loopback Discord whose certificate this process trusts."""
    async with LoopbackDiscord(tmp_path) as running:
        trust(running, monkeypatch)
        yield running


async def say(server: LoopbackDiscord, *texts: str) -> int:
    """Have the bot post a message with a thread below it that says *texts* and is archived; return its id."""
    Route.BASE = server.api_url
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        await client.login(server.token)
        message = await client.get_partial_messageable(server.text_channel_id).send("Notes")
        channel = await client.fetch_channel(server.text_channel_id)
        assert isinstance(channel, discord.TextChannel)
        thread = await channel.get_partial_message(message.id).create_thread(name="Standup")
        for text in texts:
            await thread.send(text)
        await thread.edit(archived=True)
        return message.id


def channel_of(server: LoopbackDiscord) -> DiscordChannel:
    return DiscordChannel(load(None, discord_token=server.token, discord_api_url=server.api_url).discord)


async def test_what_we_said_is_gone_and_the_thread_is_archived(server: LoopbackDiscord) -> None:
    """An archived thread is opened for it and closed again."""
    message_id = await say(server, "**Ana** 0:01 a secret", "**Ben** 0:07 another")
    assert len(server.messages(message_id)) == 2

    assert await asyncio.to_thread(channel_of(server).empty_thread, message_id)

    assert server.messages(message_id) == ()
    assert server.world.threads[message_id].is_archived


async def test_a_message_that_somebody_deleted_meanwhile_keeps_no_other(
    server: LoopbackDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the thread beside it goes all the same."""
    message_id = await say(server, "**Ana** 0:01 a secret", "**Ben** 0:07 another")
    delete = discord.Message.delete

    async def delete_twice(message: discord.Message) -> None:
        await delete(message)
        await delete(message)

    monkeypatch.setattr(discord.Message, "delete", delete_twice)

    assert await asyncio.to_thread(channel_of(server).empty_thread, message_id)

    assert server.messages(message_id) == ()


async def test_a_message_that_is_replaced(server: LoopbackDiscord) -> None:
    """The live thread of a message that somebody deleted is emptied when another takes its place."""
    message_id = await say(server, "**Ana** 0:01 a secret")
    del server.world.messages[message_id]

    posted = await asyncio.to_thread(
        channel_of(server).publish,
        server.text_channel_id,
        Notice("Notes"),
        message_id=message_id,
        nonce="20261130-090000-abc123de",
    )

    assert posted.created
    assert server.messages(message_id) == ()


async def test_a_message_without_a_thread(server: LoopbackDiscord) -> None:
    """There is nothing to empty, and that is no failure."""
    assert not await asyncio.to_thread(channel_of(server).empty_thread, 12345)


async def test_a_persons_thread_is_left_to_the_people(server: LoopbackDiscord) -> None:
    """Somebody made it to talk about the notes: we said nothing there, and may not archive it."""
    message_id = await say(server, "What a meeting")
    server.world.threads[message_id] = dataclasses.replace(
        server.world.threads[message_id], owner_id=4711, is_archived=False
    )

    await asyncio.to_thread(channel_of(server).empty_thread, message_id)

    assert len(server.messages(message_id)) == 1
    assert not server.world.threads[message_id].is_archived
