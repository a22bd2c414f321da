"""An unmodified discord.py bot against the loopback Discord, over the genuine wire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from standup.simulator.errors import CommandRefused, NotAnswered
from standup.simulator.participant import Participant
from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord

pytestmark = pytest.mark.integration
StartBot = Callable[..., Awaitable[Any]]
POST = "POST /channels/{channel_id}/messages"


def frames(speaker: int, count: int = 30) -> list[bytes]:
    """Make Opus-sized frames that tell speaker and position."""
    return [bytes([0x78, speaker, number]) + bytes(57) for number in range(count)]


async def seated(discord: LoopbackDiscord, bot: Any, *names: str) -> list[Participant]:
    """Bring the bot and some people into voice, with one group for all."""
    people = [await discord.enter(name) for name in names]
    for person in people:
        await person.join_voice()
    assert await bot.order("join", channel_id=discord.voice_channel_id) is None
    await discord.wait_for_bot_voice(20)
    return people


async def test_login(discord: LoopbackDiscord, bot: Any) -> None:
    """The bot logs in, gets its guild and asks for the members that GUILD_CREATE left out."""
    ready = await bot.wait_for(lambda event: event["event"] == "ready")

    assert (ready["members"], ready["channels"]) == (["owner", "standupbot"], 2)
    assert discord.violations == []


async def test_wrong_token(discord: LoopbackDiscord, start_bot: StartBot) -> None:
    """A wrong token is refused at login."""
    bot = await start_bot(token="wrong")

    error = await bot.wait_for(lambda event: event["event"] == "error")

    assert error["kind"] == "LoginFailure"
    assert not discord.gateway.sessions


async def test_deferred_command(discord: LoopbackDiscord, bot: Any) -> None:
    """A deferred command ends with the follow-up in the place of "thinking"."""
    ana = await discord.enter("Ana")
    call = await discord.invoke(ana, "standup", "start", options={"note": "weekly"})
    assert call.kind == "deferred"

    said = await discord.wait_for_message(discord.text_channel_id, lambda one: one.content != "", 5)

    assert said.content == "Recording. weekly"
    assert call.message == said


async def test_ephemeral_command(discord: LoopbackDiscord, bot: Any) -> None:
    """An ephemeral answer reaches the caller and nobody else."""
    ana = await discord.enter("Ana")
    call = await discord.invoke(ana, "standup", "start", options={"note": "secret"})

    await discord.wait_until(lambda: call.message is not None and call.message.content != "", 5, "the answer")

    assert call.message is not None
    assert call.message.is_ephemeral
    assert discord.messages(discord.text_channel_id) == ()


async def test_edited_answer(discord: LoopbackDiscord, bot: Any) -> None:
    """The first answer can be edited by the interaction's token."""
    ana = await discord.enter("Ana")
    call = await discord.invoke(ana, "standup", "status")

    edited = await discord.wait_for_message(discord.text_channel_id, lambda one: one.edits == 1, 5)

    assert (call.kind, edited.content) == ("message", "Idle, edited.")


async def test_unregistered_command(discord: LoopbackDiscord, bot: Any) -> None:
    """A command that the bot never registered cannot be called."""
    ana = await discord.enter("Ana")

    with pytest.raises(CommandRefused, match="no subcommand pause"):
        await discord.invoke(ana, "standup", "pause")


async def test_unanswered_command(discord: LoopbackDiscord, bot: Any) -> None:
    """A command without an answer fails after 3 s and counts against the bot."""
    ana = await discord.enter("Ana")

    with pytest.raises(NotAnswered):
        await discord.invoke(ana, "standup", "stall")

    assert discord.violations == ["The bot did not acknowledge an interaction within 3 s."]


async def test_messages_reach_the_bot(discord: LoopbackDiscord, bot: Any) -> None:
    """What a member writes reaches the bot with its text."""
    (await discord.enter("Ana")).write("done: the parser")

    message = await bot.wait_for(lambda event: event["event"] == "message")

    assert (message["author"], message["content"]) == ("ana", "done: the parser")


async def test_attachment(discord: LoopbackDiscord, bot: Any) -> None:
    """A file arrives whole and can be read back by its url."""
    posted = await bot.order("post", channel_id=discord.text_channel_id, content="notes", file="# Notes\n")

    (message,) = discord.messages(discord.text_channel_id)

    assert [(one.filename, one.content) for one in message.attachments] == [("notes.md", b"# Notes\n")]
    assert posted["files"] == ["# Notes\n"]


async def test_nonce(discord: LoopbackDiscord, bot: Any) -> None:
    """The same enforced nonce posts once, and the second call gets the first message."""
    channel_id = discord.text_channel_id
    first = await bot.order("post", channel_id=channel_id, content="one", nonce="meeting-7")
    second = await bot.order("post", channel_id=channel_id, content="two", nonce="meeting-7")

    assert first["id"] == second["id"]
    assert [one.content for one in discord.messages(channel_id)] == ["one"]


async def test_edit_and_fetch(discord: LoopbackDiscord, bot: Any) -> None:
    """An edited message is what a later fetch and the history show."""
    channel_id = discord.text_channel_id
    posted = await bot.order("post", channel_id=channel_id, content="before")
    await bot.order("edit", channel_id=channel_id, message_id=posted["id"], content="after")

    assert await bot.order("fetch", channel_id=channel_id, message_id=posted["id"]) == "after"
    assert await bot.order("history", channel_id=channel_id) == ["after"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param({"content": "x" * 2001}, 50035, id="content over 2000"),
        pytest.param({"embed": {"title": "t", "description": "x" * 4097}}, 50035, id="description over 4096"),
        pytest.param({"content": " "}, 50006, id="empty"),
    ],
)
async def test_refused_bodies(discord: LoopbackDiscord, bot: Any, content: dict[str, Any], code: int) -> None:
    """A body that breaks a limit is refused with Discord's number for it."""
    failed = await bot.order("post", channel_id=discord.text_channel_id, **content)

    assert failed["code"] == code
    assert discord.messages(discord.text_channel_id) == ()


@pytest.mark.parametrize(
    ("permission", "kind", "code"),
    [
        pytest.param(Permission.SEND_MESSAGES, "Forbidden", 50013, id="may not send"),
        pytest.param(Permission.VIEW_CHANNEL, "Forbidden", 50001, id="may not see"),
    ],
)
async def test_denied_channel(
    discord: LoopbackDiscord, bot: Any, permission: Permission, kind: str, code: int
) -> None:
    """A channel that the bot may not use answers 403 with the reason's number."""
    discord.deny(discord.text_channel_id, permission)

    failed = await bot.order("post", channel_id=discord.text_channel_id, content="notes")

    assert (failed["kind"], failed["code"]) == (kind, code)


async def test_a_hidden_channel(discord: LoopbackDiscord) -> None:
    """A private channel is seen by the bot and by whoever has its role, and one member can be kept out by name."""
    world, text = discord.world, discord.text_channel_id
    ana, ben = [await discord.enter(name) for name in ("Ana", "Ben")]
    world.promote(ana.user_id)

    def seers() -> set[int]:
        people = (ana.user_id, ben.user_id, discord.bot_id)
        return {one for one in people if world.permissions(one, text) & Permission.VIEW_CHANNEL}

    discord.deny(text, Permission.VIEW_CHANNEL, ben.user_id)
    without_ben = seers()
    discord.restore(text, ben.user_id)
    restored = seers()
    discord.hide(text, world.lead_role_id)

    assert without_ben == {ana.user_id, discord.bot_id}
    assert restored == {ana.user_id, ben.user_id, discord.bot_id}
    assert seers() == {ana.user_id, discord.bot_id}


async def test_denied_voice(discord: LoopbackDiscord, bot: Any) -> None:
    """A voice channel without CONNECT lets the bot's own timeout run out."""
    discord.deny(discord.voice_channel_id, Permission.CONNECT)

    failed = await bot.order("join", channel_id=discord.voice_channel_id, timeout_s=1.0)

    assert failed["kind"] == "TimeoutError"


async def test_unknown_channel(discord: LoopbackDiscord, bot: Any) -> None:
    """A channel that does not exist answers 404 with code 10003."""
    failed = await bot.order("post", channel_id=123456789012345678, content="notes")

    assert (failed["kind"], failed["code"]) == ("NotFound", 10003)


@pytest.mark.parametrize("status", [429, 502])
async def test_failing_rest(discord: LoopbackDiscord, bot: Any, status: int) -> None:
    """discord.py gets over a 429 and over a 5xx by itself, and posts once."""
    discord.fail(POST, status=status, times=1, retry_after_s=0.1)

    await bot.order("post", channel_id=discord.text_channel_id, content="notes")

    assert len(discord.messages(discord.text_channel_id)) == 1
    assert list(discord.admission.calls).count(POST) == 2


async def test_two_speakers(discord: LoopbackDiscord, bot: Any) -> None:
    """Frames of two people who speak at once arrive decrypted, byte for byte and under the right name."""
    ana, ben = await seated(discord, bot, "Ana", "Ben")

    await asyncio.gather(ana.speak(frames(1)), ben.speak(frames(2)))

    assert await bot.wait_until_heard(ana.user_id, 30) == frames(1)
    assert await bot.wait_until_heard(ben.user_id, 30) == frames(2)
    assert discord.violations == []


async def test_late_speaking(discord: LoopbackDiscord, bot: Any) -> None:
    """Packets before SPEAKING reach a bot that holds them."""
    (ana,) = await seated(discord, bot, "Ana")

    await ana.speak(frames(1), late_speaking_frames=10)

    assert await bot.wait_until_heard(ana.user_id, 30) == frames(1)


async def test_re_entry(discord: LoopbackDiscord, bot: Any) -> None:
    """Somebody who leaves and comes back has a new SSRC and is heard again."""
    ana, _ = await seated(discord, bot, "Ana", "Ben")
    await ana.speak(frames(1))
    former_ssrc = ana.ssrc
    await ana.leave_voice()
    await ana.join_voice()
    await ana.speak(frames(2))

    assert await bot.wait_until_heard(ana.user_id, 60) == frames(1) + frames(2)
    assert ana.ssrc != former_ssrc
    assert discord.violations == []


async def test_everybody_leaves(discord: LoopbackDiscord, bot: Any) -> None:
    """When the last person has left and another comes, the bot hears them in a new epoch."""
    (ana,) = await seated(discord, bot, "Ana")
    await ana.leave_voice()
    ben = await discord.enter("Ben")
    await ben.join_voice()

    await ben.speak(frames(3))

    assert await bot.wait_until_heard(ben.user_id, 30) == frames(3)


async def test_region_move(discord: LoopbackDiscord, bot: Any) -> None:
    """After a region move everybody is on another server with other keys and is heard again."""
    (ana,) = await seated(discord, bot, "Ana")
    before = await bot.order("state")

    await discord.move_region()
    await discord.wait_for_bot_voice(20)
    await ana.speak(frames(1))

    assert await bot.wait_until_heard(ana.user_id, 30) == frames(1)
    assert (await bot.order("state"))["endpoint"] != before["endpoint"]
    assert discord.violations == []


async def test_voice_drop(discord: LoopbackDiscord, bot: Any) -> None:
    """After close code 4006 discord.py reconnects, joins the group anew and hears again."""
    (ana,) = await seated(discord, bot, "Ana")
    bot.seen.clear()

    discord.drop_voice(4006)
    await bot.wait_for(lambda event: event == {"event": "voice", "user": discord.bot_id, "channel": None})
    await discord.wait_for_bot_voice(20)
    await ana.speak(frames(1))

    assert await bot.wait_until_heard(ana.user_id, 30) == frames(1)
    assert discord.violations == []


async def test_kick(discord: LoopbackDiscord, bot: Any) -> None:
    """A kicked bot sees itself outside voice and stays there."""
    await seated(discord, bot, "Ana")

    discord.kick_bot()
    await bot.wait_for(lambda event: event == {"event": "voice", "user": discord.bot_id, "channel": None})

    assert (await bot.order("state"))["connected"] is False


async def test_new_group(discord: LoopbackDiscord, bot: Any) -> None:
    """Op 24 with epoch 1 leads everybody into a new group in which they are heard."""
    (ana,) = await seated(discord, bot, "Ana")

    discord.recreate_group()
    await discord.wait_for_bot_voice(20)
    await ana.speak(frames(1))

    assert await bot.wait_until_heard(ana.user_id, 30) == frames(1)


@pytest.mark.parametrize("way", ["op 7", "close"])
async def test_gateway_resume(discord: LoopbackDiscord, bot: Any, way: str) -> None:
    """After a gateway restart the session resumes and gets what it missed."""
    if way == "op 7":
        discord.restart_gateway()
    else:
        discord.close_gateway(4000)
    (await discord.enter("Ana")).write("written meanwhile")

    await bot.wait_for(lambda event: event["event"] == "resumed")

    missed = await bot.wait_for(lambda event: event["event"] == "message")
    assert missed["content"] == "written meanwhile"
    assert len(discord.gateway.sessions) == 1


async def test_lost_session(discord: LoopbackDiscord, bot: Any) -> None:
    """A session that cannot be resumed ends with a new IDENTIFY."""
    (former,) = discord.gateway.sessions

    discord.close_gateway(4000, is_resumable=False)
    await discord.wait_until(
        lambda: former not in discord.gateway.sessions and bool(discord.gateway.sessions), 20, "a session"
    )
    await discord.wait_for_bot(20)

    assert discord.violations == []


async def test_killed_bot_leaves_voice(discord: LoopbackDiscord, bot: Any) -> None:
    """A bot that logs out is taken out of voice."""
    await seated(discord, bot, "Ana")

    await bot.stop()
    await discord.wait_until(lambda: discord.bot_id not in discord.world.voice_states, 5, "the bot to leave")

    assert discord.violations == []
