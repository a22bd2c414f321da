"""Threads below messages, call by call, and what the gateway tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord
from standup.simulator.threads import find_thread_errors

BODY = {"name": "Standup 2026-11-23", "auto_archive_duration": 60}


@pytest.fixture
async def message_id(discord: LoopbackDiscord, wire: Any) -> int:
    """A message of the bot's in the text channel."""
    posted = (
        await wire.call("POST", f"/channels/{discord.text_channel_id}/messages", {"content": "notice"})
    )[1]
    return int(posted["id"])


async def start(discord: LoopbackDiscord, wire: Any, message_id: int, body: object = BODY) -> tuple[int, Any]:
    """Begin a thread below a message of the text channel."""
    path = f"/channels/{discord.text_channel_id}/messages/{message_id}/threads"
    answer: tuple[int, Any] = await wire.call("POST", path, body)
    return answer


async def post(wire: Any, thread_id: int, content: str = "words") -> tuple[int, Any]:
    """Write in a thread as the bot."""
    answer: tuple[int, Any] = await wire.call("POST", f"/channels/{thread_id}/messages", {"content": content})
    return answer


async def test_made_with_the_messages_id(discord: LoopbackDiscord, wire: Any, message_id: int) -> None:
    """A thread has its message's id, its parent is the channel, and it can be asked for like a channel."""
    status, made = await start(discord, wire, message_id)

    assert (status, made["id"], made["type"]) == (201, str(message_id), 11)
    assert (made["parent_id"], made["owner_id"]) == (str(discord.text_channel_id), str(discord.bot_id))
    assert made["thread_metadata"]["auto_archive_duration"] == 60
    assert await wire.call("GET", f"/channels/{message_id}") == (200, made)


async def test_is_no_channel_of_the_guild(discord: LoopbackDiscord, wire: Any, message_id: int) -> None:
    """Threads are not among the guild's channels; their messages are not among the parent's."""
    await start(discord, wire, message_id)
    await post(wire, message_id)

    listed = (await wire.call("GET", f"/guilds/{discord.guild_id}/channels"))[1]
    above = (await wire.call("GET", f"/channels/{discord.text_channel_id}/messages"))[1]
    below = (await wire.call("GET", f"/channels/{message_id}/messages"))[1]

    assert str(message_id) not in [one["id"] for one in listed]
    assert [one["content"] for one in above] == ["notice"]
    assert [one["content"] for one in below] == ["words"]


async def test_one_thread_in_a_messages_life(discord: LoopbackDiscord, wire: Any, message_id: int) -> None:
    """A second thread below a message is refused, also when somebody deleted the first."""
    await start(discord, wire, message_id)
    second = await start(discord, wire, message_id)
    discord.delete_thread(message_id)
    third = await start(discord, wire, message_id)

    assert [(status, body["code"]) for status, body in (second, third)] == [(400, 160004)] * 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "name", id="no name"),
        pytest.param({"name": " "}, "name", id="blank name"),
        pytest.param({"name": "x" * 101}, "name", id="long name"),
        pytest.param(BODY | {"auto_archive_duration": 5}, "auto_archive_duration", id="odd time"),
    ],
)
async def test_refused_bodies(
    discord: LoopbackDiscord, wire: Any, message_id: int, body: dict[str, object], field: str
) -> None:
    """A thread has a name of 1 to 100 characters and one of Discord's times until it is archived."""
    status, answer = await start(discord, wire, message_id, body)

    assert (status, answer["code"], list(answer["errors"])) == (400, 50035, [field])


@pytest.mark.parametrize(("length", "count"), [(0, 1), (1, 0), (100, 0), (101, 1)])
def test_the_length_of_a_name(length: int, count: int) -> None:
    """Both ends of the range are taken."""
    assert len(find_thread_errors({"name": "x" * length})) == count


async def test_only_below_text_channels(discord: LoopbackDiscord, wire: Any, message_id: int) -> None:
    """Neither the chat of a voice channel nor a thread has threads below it."""
    await start(discord, wire, message_id)
    answers = []
    for channel_id in (discord.voice_channel_id, message_id):
        posted = (await post(wire, channel_id))[1]
        answers.append(
            await wire.call("POST", f"/channels/{channel_id}/messages/{posted['id']}/threads", BODY)
        )

    assert [(status, body["code"]) for status, body in answers] == [(400, 50024)] * 2


async def test_permissions(discord: LoopbackDiscord, wire: Any, message_id: int) -> None:
    """Making a thread and writing in it are two permissions of the parent, and neither is Send Messages."""
    discord.deny(discord.text_channel_id, Permission.CREATE_PUBLIC_THREADS)
    unmade = await start(discord, wire, message_id)
    discord.deny(discord.text_channel_id, Permission.SEND_MESSAGES)
    await start(discord, wire, message_id)
    written = await post(wire, message_id)
    discord.deny(discord.text_channel_id, Permission.SEND_MESSAGES_IN_THREADS)
    unwritten = await post(wire, message_id)

    assert (unmade[0], unmade[1]["code"]) == (403, 50013)
    assert written[0] == 200
    assert (unwritten[0], unwritten[1]["code"]) == (403, 50013)


async def test_archived(discord: LoopbackDiscord, wire: Any, message_id: int) -> None:
    """An archived thread takes no edit; a new message opens it."""
    await start(discord, wire, message_id)
    posted = (await post(wire, message_id))[1]
    path = f"/channels/{message_id}/messages/{posted['id']}"

    archived = (await wire.call("PATCH", f"/channels/{message_id}", {"archived": True}))[1]
    edited = await wire.call("PATCH", path, {"content": "more"})
    await post(wire, message_id)

    assert archived["thread_metadata"]["archived"]
    assert (edited[0], edited[1]["code"]) == (400, 50083)
    assert not discord.world.threads[message_id].is_archived
    assert (await wire.call("PATCH", path, {"content": "more"}))[0] == 200


@pytest.mark.parametrize(
    "body", [pytest.param({"name": "x"}, id="renamed"), pytest.param({"locked": True}, id="locked")]
)
async def test_other_changes(
    discord: LoopbackDiscord, wire: Any, message_id: int, body: dict[str, object]
) -> None:
    """The bot archives its thread and changes nothing else, and of a channel nothing at all."""
    await start(discord, wire, message_id)

    answers = [
        await wire.call("PATCH", f"/channels/{message_id}", body),
        await wire.call("PATCH", f"/channels/{discord.text_channel_id}", {"archived": True}),
    ]

    assert [(status, one["code"]) for status, one in answers] == [(403, 50013)] * 2


async def test_a_deleted_thread(discord: LoopbackDiscord, wire: Any, message_id: int) -> None:
    """A deleted thread is an unknown channel, and its messages are gone; the message above stays."""
    await start(discord, wire, message_id)
    await post(wire, message_id)

    discord.delete_thread(message_id)
    status, body = await post(wire, message_id)

    assert (status, body["code"]) == (404, 10003)
    assert list(discord.world.messages) == [message_id]


async def test_the_gateway_tells(discord: LoopbackDiscord, wire: Any, message_id: int) -> None:
    """A thread that is made, archived and deleted is told, and what is written in it."""
    await wire.identify()
    await wire.event("GUILD_CREATE")

    await start(discord, wire, message_id)
    created = await wire.event("THREAD_CREATE")
    marked = await wire.event("MESSAGE_UPDATE")
    await post(wire, message_id)
    written = await wire.event("MESSAGE_CREATE")
    discord.archive_thread(message_id)
    updated = await wire.event("THREAD_UPDATE")
    discord.delete_thread(message_id)
    deleted = await wire.event("THREAD_DELETE")

    assert (created["id"], created["newly_created"]) == (str(message_id), True)
    assert marked["flags"] & 1 << 5
    assert written["channel_id"] == str(message_id)
    assert updated["thread_metadata"]["archived"]
    assert deleted["parent_id"] == str(discord.text_channel_id)


async def test_open_threads_come_with_the_guild(discord: LoopbackDiscord, wire: Any, message_id: int) -> None:
    """A new session learns of the threads that are not archived."""
    await start(discord, wire, message_id)
    await wire.identify()
    first = await wire.event("GUILD_CREATE")
    discord.archive_thread(message_id)
    await wire.identify()
    second = await wire.event("GUILD_CREATE")

    assert [len(one["threads"]) for one in (first, second)] == [1, 0]
