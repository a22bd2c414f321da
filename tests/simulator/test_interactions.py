"""Commands and their answers, call by call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from standup.simulator import interactions
from standup.simulator.errors import NotAnswered
from standup.simulator.interactions import Interaction
from standup.simulator.participant import Participant
from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord

COMMAND = {
    "name": "standup",
    "description": "Standups",
    "options": [{"name": "start", "type": 1, "description": "Go"}],
}


async def called(discord: LoopbackDiscord, wire: Any) -> tuple[asyncio.Task[Interaction], str, str]:
    """Register a command and have it called: the call, its callback's path and its webhook's path."""
    await wire.call("PUT", f"/applications/{discord.bot_id}/commands", [COMMAND])
    await wire.identify()
    await wire.event("GUILD_CREATE")
    ana = await discord.enter("Ana")
    call = asyncio.create_task(discord.invoke(ana, "standup", "start"))
    event = await wire.event("INTERACTION_CREATE")
    callback = f"/interactions/{event['id']}/{event['token']}/callback"
    return call, callback, f"/webhooks/{discord.bot_id}/{event['token']}"


async def test_registration(discord: LoopbackDiscord, wire: Any) -> None:
    """Registered commands get an id that a second registration keeps."""
    path = f"/applications/{discord.bot_id}/guilds/{discord.guild_id}/commands"
    _, first = await wire.call("PUT", path, [COMMAND])
    _, second = await wire.call("PUT", path, [COMMAND])

    assert first[0]["id"] == second[0]["id"]
    assert await wire.call("GET", path) == (200, second)


async def test_refused_registration(discord: LoopbackDiscord, wire: Any) -> None:
    """A command with a name that Discord refuses is not registered."""
    status, body = await wire.call("PUT", f"/applications/{discord.bot_id}/commands", [{"name": "No Spaces"}])

    assert (status, body["code"]) == (400, 50035)


async def test_answer_needs_no_token(discord: LoopbackDiscord, wire: Any) -> None:
    """The interaction's own token is enough to answer it."""
    call, callback, _ = await called(discord, wire)

    status, _ = await wire.call("POST", callback, {"type": 4, "data": {"content": "Idle."}}, headers={})

    answered = await call
    assert (status, answered.kind) == (204, "message")
    assert answered.message is not None
    assert answered.message.content == "Idle."


async def test_described_answer(discord: LoopbackDiscord, wire: Any) -> None:
    """With with_response the callback gives the message back."""
    call, callback, _ = await called(discord, wire)

    _, body = await wire.call("POST", callback + "?with_response=true", {"type": 5, "data": {"flags": 64}})

    await call
    assert body["interaction"]["response_message_loading"] is True
    assert body["interaction"]["response_message_ephemeral"] is True


async def test_second_answer(discord: LoopbackDiscord, wire: Any) -> None:
    """A second first answer is refused and noted."""
    call, callback, _ = await called(discord, wire)
    await wire.call("POST", callback, {"type": 5})
    await call

    status, body = await wire.call("POST", callback, {"type": 5})

    assert (status, body["code"]) == (400, 40060)
    assert discord.violations == ["The bot acknowledged an interaction twice."]


async def test_unoffered_answer(discord: LoopbackDiscord, wire: Any) -> None:
    """An answer type that is not offered is refused, and the right one still counts."""
    call, callback, _ = await called(discord, wire)

    assert (await wire.call("POST", callback, {"type": 99}))[0] == 400
    assert (await wire.call("POST", callback, {"type": 5}))[0] == 204
    assert (await call).kind == "deferred"


async def test_strange_interaction(wire: Any) -> None:
    """An interaction that never was cannot be answered."""
    status, body = await wire.call("POST", "/interactions/1/token/callback", {"type": 5})

    assert (status, body["code"]) == (404, 10062)


async def test_late_answer(discord: LoopbackDiscord, wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the deadline the caller has given up and the answer comes to nothing."""
    monkeypatch.setattr(interactions, "ANSWER_TIMEOUT_S", 0.05)
    call, callback, _ = await called(discord, wire)
    with pytest.raises(NotAnswered):
        await call

    assert (await wire.call("POST", callback, {"type": 5}))[0] == 404


async def test_followups(discord: LoopbackDiscord, wire: Any) -> None:
    """The first follow-up of a deferral takes its place; the next is a message of its own."""
    call, callback, webhook = await called(discord, wire)
    await wire.call("POST", callback, {"type": 5})
    answered = await call

    await wire.call("POST", webhook, {"content": "first"}, headers={})
    await wire.call("POST", webhook, {"content": "second"}, headers={})

    assert answered.message is not None
    assert answered.message.content == "first"
    assert [one.content for one in answered.followups] == ["second"]


async def test_original_lifecycle(discord: LoopbackDiscord, wire: Any) -> None:
    """The first answer can be read, edited and deleted by the webhook's token."""
    call, callback, webhook = await called(discord, wire)
    await wire.call("POST", callback, {"type": 4, "data": {"content": "one"}})
    await call
    original = webhook + "/messages/@original"

    assert (await wire.call("GET", original))[1]["content"] == "one"
    assert (await wire.call("PATCH", original, {"content": "two"}))[1]["content"] == "two"
    assert (await wire.call("DELETE", original))[0] == 204
    assert (await wire.call("GET", original))[1]["code"] == 10008


async def test_webhook_before_the_answer(discord: LoopbackDiscord, wire: Any) -> None:
    """Before the first answer the webhook is unknown."""
    call, callback, webhook = await called(discord, wire)

    assert (await wire.call("POST", webhook, {"content": "early"}))[1]["code"] == 10015
    await wire.call("POST", callback, {"type": 5})
    await call


async def test_expired_webhook(discord: LoopbackDiscord, wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its lifetime the interaction's token edits nothing."""
    call, callback, webhook = await called(discord, wire)
    await wire.call("POST", callback, {"type": 5})
    await call
    monkeypatch.setattr(interactions, "TOKEN_LIFETIME_S", 0.0)

    status, body = await wire.call("PATCH", webhook + "/messages/@original", {"content": "late"})

    assert (status, body["code"]) == (401, 50027)


async def test_button(discord: LoopbackDiscord, wire: Any) -> None:
    """A pressed button can update the message it sits on."""
    button = {"type": 1, "components": [{"type": 2, "style": 1, "label": "Stop", "custom_id": "stop"}]}
    path = f"/channels/{discord.text_channel_id}/messages"
    await wire.call("POST", path, {"content": "Recording.", "components": [button]})
    await wire.identify()
    await wire.event("GUILD_CREATE")
    (message,) = discord.messages(discord.text_channel_id)
    press = asyncio.create_task(discord.press(await discord.enter("Ana"), message, "stop"))
    event = await wire.event("INTERACTION_CREATE")
    answer = {"type": 7, "data": {"content": "Stopped.", "components": []}}

    await wire.call("POST", f"/interactions/{event['id']}/{event['token']}/callback", answer)

    assert event["data"]["custom_id"] == "stop"
    assert (await press).kind == "update"
    assert [one.content for one in discord.messages(discord.text_channel_id)] == ["Stopped."]


CHANNEL = {"name": "channel", "type": 7, "description": "Where"}
ZONE = {"name": "zone", "type": 3, "description": "Zone", "autocomplete": True}


async def asked(discord: LoopbackDiscord, wire: Any) -> Participant:
    """Register a command with a channel and a typed option, and let somebody in."""
    options = [{"name": "start", "type": 1, "description": "Go", "options": [CHANNEL, ZONE]}]
    await wire.call("PUT", f"/applications/{discord.bot_id}/commands", [{**COMMAND, "options": options}])
    await wire.identify()
    await wire.event("GUILD_CREATE")
    return await discord.enter("Ana")


@pytest.mark.parametrize("is_lead", [False, True])
async def test_named_channels(discord: LoopbackDiscord, wire: Any, is_lead: bool) -> None:
    """A channel option comes with the channel; a member's permissions tell whether they manage the guild."""
    ana = await asked(discord, wire)
    if is_lead:
        discord.world.promote(ana.user_id)
    call = asyncio.create_task(
        discord.invoke(ana, "standup", "start", options={"channel": discord.voice_channel_id})
    )
    event = await wire.event("INTERACTION_CREATE")
    await wire.call("POST", f"/interactions/{event['id']}/{event['token']}/callback", {"type": 5})
    await call

    (channel,) = event["data"]["resolved"]["channels"].values()
    assert (channel["id"], channel["type"]) == (str(discord.voice_channel_id), 2)
    assert bool(int(event["member"]["permissions"]) & Permission.MANAGE_GUILD) is is_lead


async def test_choices(discord: LoopbackDiscord, wire: Any) -> None:
    """What is typed is offered choices, 25 at most, and no message."""
    ana = await asked(discord, wire)
    call = asyncio.create_task(discord.complete(ana, "standup", "start", "zone", "ber"))
    event = await wire.event("INTERACTION_CREATE")
    callback = f"/interactions/{event['id']}/{event['token']}/callback"
    many = [{"name": str(number), "value": str(number)} for number in range(26)]

    message = await wire.call("POST", callback, {"type": 4, "data": {"content": "no"}})
    too_many = await wire.call("POST", callback, {"type": 8, "data": {"choices": many}})
    right = await wire.call("POST", callback, {"type": 8, "data": {"choices": many[:2]}})

    assert [message[0], too_many[0], right[0]] == [400, 400, 204]
    assert await call == ("0", "1")
