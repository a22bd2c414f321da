"""The main gateway, frame by frame."""

from __future__ import annotations

from typing import Any

import pytest

from standup.simulator.gateway import (
    INTENT_GUILDS,
    INTENT_MESSAGE_CONTENT,
    INTENT_MESSAGES,
    INTENT_VOICE_STATES,
)
from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord


async def test_begins_with_hello(wire: Any) -> None:
    """The first message is HELLO with a heartbeat interval."""
    hello = await wire.open()

    assert (hello["op"], hello["d"]["heartbeat_interval"]) == (10, 41_250)


async def test_uncompressed(discord: LoopbackDiscord, wire: Any) -> None:
    """A client that asks for no compression gets text frames."""
    assert (await wire.open("v=10&encoding=json"))["op"] == 10
    assert discord.violations == []


async def test_wrong_version(discord: LoopbackDiscord, wire: Any) -> None:
    """Another version or encoding is noted."""
    await wire.open("v=9&encoding=etf")

    assert len(discord.violations) == 1


async def test_ready_and_guild(discord: LoopbackDiscord, wire: Any) -> None:
    """IDENTIFY is answered by READY and the guild with its bot and channels."""
    await wire.identify()

    assert (await wire.event("READY"))["user"]["id"] == str(discord.bot_id)
    guild = await wire.event("GUILD_CREATE")
    assert [member["user"]["id"] for member in guild["members"]] == [str(discord.bot_id)]
    assert guild["member_count"] == 2


async def test_wrong_token(discord: LoopbackDiscord, wire: Any) -> None:
    """A wrong token closes with 4004 and is no violation."""
    await wire.identify(token="wrong")

    assert await wire.receive() == {"op": -1, "d": 4004}
    assert discord.violations == []


@pytest.mark.parametrize(
    ("op", "content", "code"),
    [
        pytest.param(4, {"channel_id": None}, 4003, id="before IDENTIFY"),
        pytest.param(77, None, 4001, id="unknown op"),
        pytest.param(2, {"intents": 1}, 4002, id="IDENTIFY without token"),
    ],
)
async def test_breaches(discord: LoopbackDiscord, wire: Any, op: int, content: Any, code: int) -> None:
    """A breach of protocol closes with its code and is noted."""
    await wire.open()
    await wire.send(op, content)

    assert await wire.receive() == {"op": -1, "d": code}
    assert len(discord.violations) == 1


async def test_second_identify(wire: Any) -> None:
    """A second IDENTIFY on one websocket closes with 4005."""
    await wire.identify()
    await wire.event("GUILD_CREATE")
    await wire.send(2, {"token": wire.discord.token, "intents": 1})

    assert await wire.receive() == {"op": -1, "d": 4005}


async def test_heartbeat(wire: Any) -> None:
    """A heartbeat is acknowledged."""
    await wire.open()
    await wire.send(1, None)

    assert (await wire.receive())["op"] == 11


async def test_resume(discord: LoopbackDiscord, wire: Any) -> None:
    """A resumed session gets what it missed, once, and then RESUMED."""
    await wire.identify()
    session_id = (await wire.event("READY"))["session_id"]
    await wire.event("GUILD_CREATE")
    discord.close_gateway(4000)
    (await discord.enter("Ana")).write("missed")
    await wire.open()
    await wire.send(6, {"token": discord.token, "session_id": session_id, "seq": wire.sequence})

    events = [(await wire.receive())["t"] for _ in range(3)]

    assert events == ["GUILD_MEMBER_ADD", "MESSAGE_CREATE", "RESUMED"]


async def test_resume_of_a_stranger(wire: Any) -> None:
    """A session that is not there cannot be resumed."""
    await wire.open()
    await wire.send(6, {"token": wire.discord.token, "session_id": "nobody's", "seq": 1})

    answer = await wire.receive()
    assert (answer["op"], answer["d"]) == (9, False)


async def test_intents(discord: LoopbackDiscord, wire: Any) -> None:
    """A session gets only the events of its intents."""
    await wire.identify(INTENT_GUILDS)
    await wire.event("GUILD_CREATE")
    (await discord.enter("Ana")).write("unseen")
    discord.deny(discord.text_channel_id, Permission.SEND_MESSAGES)

    assert (await wire.receive())["t"] == "CHANNEL_UPDATE"


@pytest.mark.parametrize(
    ("intents", "seen"),
    [
        pytest.param(INTENT_MESSAGES, "", id="without the intent"),
        pytest.param(INTENT_MESSAGES | INTENT_MESSAGE_CONTENT, "a word", id="with the intent"),
    ],
)
async def test_message_content(discord: LoopbackDiscord, wire: Any, intents: int, seen: str) -> None:
    """Other people's words need the message content intent."""
    await wire.identify(intents)
    await wire.event("GUILD_CREATE")
    (await discord.enter("Ana")).write("a word")

    assert (await wire.event("MESSAGE_CREATE"))["content"] == seen


async def test_mention_shows_content(discord: LoopbackDiscord, wire: Any) -> None:
    """A message that mentions the bot is shown to it without the intent."""
    await wire.identify(INTENT_MESSAGES)
    await wire.event("GUILD_CREATE")
    (await discord.enter("Ana")).write(f"<@{discord.bot_id}> hello")

    assert "hello" in (await wire.event("MESSAGE_CREATE"))["content"]


async def test_hidden_channel(discord: LoopbackDiscord, wire: Any) -> None:
    """A channel that the bot may not view sends it no messages."""
    await wire.identify()
    await wire.event("GUILD_CREATE")
    discord.deny(discord.text_channel_id, Permission.VIEW_CHANNEL)
    ana = await discord.enter("Ana")
    ana.write("unseen")
    discord.restore(discord.text_channel_id)
    ana.write("seen")

    assert (await wire.event("MESSAGE_CREATE"))["content"] == "seen"


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        pytest.param({"query": "", "limit": 0}, ["owner", "standupbot", "ana"], id="everybody"),
        pytest.param({"query": "an", "limit": 5}, ["ana"], id="by name"),
        pytest.param({"user_ids": ["{ana}"]}, ["ana"], id="by id"),
    ],
)
async def test_members(discord: LoopbackDiscord, wire: Any, wish: dict[str, Any], names: list[str]) -> None:
    """Op 8 is answered with the members it asks for and its nonce."""
    ana = await discord.enter("Ana")
    wish = {key: [str(ana.user_id)] if key == "user_ids" else value for key, value in wish.items()}
    await wire.identify()
    await wire.send(8, {"guild_id": str(discord.guild_id), "nonce": "n", **wish})

    chunk = await wire.event("GUILD_MEMBERS_CHUNK")

    assert ([member["user"]["username"] for member in chunk["members"]], chunk["nonce"]) == (names, "n")


async def test_voice_states(discord: LoopbackDiscord, wire: Any) -> None:
    """Joining, muting and leaving are told to everybody."""
    await wire.identify(INTENT_VOICE_STATES)
    await wire.event("GUILD_CREATE")
    ana = await discord.enter("Ana")
    await ana.join_voice()
    await ana.set_mute(True)
    await ana.leave_voice()

    states = [await wire.event("VOICE_STATE_UPDATE") for _ in range(3)]

    assert [(state["channel_id"], state["self_mute"]) for state in states] == [
        (str(discord.voice_channel_id), False),
        (str(discord.voice_channel_id), True),
        (None, False),
    ]


async def test_voice_server_only_once(discord: LoopbackDiscord, wire: Any) -> None:
    """A join gets a voice server; a mere change of mute does not."""
    await wire.identify()
    join = {"guild_id": str(discord.guild_id), "channel_id": str(discord.voice_channel_id)}
    await wire.send(4, {**join, "self_mute": False, "self_deaf": False})
    server = await wire.event("VOICE_SERVER_UPDATE")
    await wire.send(4, {**join, "self_mute": True, "self_deaf": False})
    await wire.send(1, None)

    assert server["endpoint"].startswith("127.0.0.1:")
    assert [(await wire.receive())["op"] for _ in range(2)] == [0, 11]


async def test_text_channel_is_no_voice_channel(discord: LoopbackDiscord, wire: Any) -> None:
    """Op 4 into a text channel is noted and answered by nothing."""
    await wire.identify()
    await wire.event("GUILD_CREATE")
    await wire.send(4, {"channel_id": str(discord.text_channel_id)})
    await wire.send(1, None)

    assert (await wire.receive())["op"] == 11
    assert discord.violations == ["Op 4 names a channel that is no voice channel of the guild."]


async def test_log_out_leaves_voice(discord: LoopbackDiscord, wire: Any) -> None:
    """A bot that logs out is taken out of voice."""
    await wire.identify()
    await wire.send(4, {"channel_id": str(discord.voice_channel_id)})
    await wire.event("VOICE_SERVER_UPDATE")
    await wire.close()

    await discord.wait_until(lambda: not discord.world.voice_states, 5, "the bot to leave")

    assert discord.gateway.sessions == {}
