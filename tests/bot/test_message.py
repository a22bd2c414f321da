"""The one message: posted or refused by a sentence, edited in its pace, never thought to stand when it is gone."""

from __future__ import annotations

import asyncio

import discord
import pytest

from standup.bot import message as message_module
from standup.bot.message import MeetingMessage
from standup.errors import ChannelForbidden, ChannelUnreachable, StandupError
from standup.notice import Notice
from tests.bot.doubles import MEETING_ID, TEXT, TextDouble, refusal

FIRST, SECOND = Notice("first"), Notice("second")
THREAD_ARCHIVED = 50083  # Discord's code


@pytest.fixture
def text() -> TextDouble:
    return TextDouble()


async def posted(text: TextDouble) -> MeetingMessage:
    message = MeetingMessage(text, MEETING_ID)
    await message.post(FIRST)
    return message


async def test_posted_with_the_meeting_id_as_nonce(text: TextDouble) -> None:
    """Discord itself drops a second post of the same meeting."""
    message = await posted(text)

    assert text.nonces == [MEETING_ID]
    assert text.contents == {message.message_id: "first"}


async def test_posted_again_with_another_nonce(text: TextDouble) -> None:
    """A message that replaces a deleted one must not be taken for it; each nonce fits Discord's limit."""
    message = await posted(text)

    await message.post(FIRST)
    await message.post(FIRST)

    assert len(set(text.nonces)) == 3
    assert all(len(one) <= 25 for one in text.nonces)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(refusal(discord.Forbidden, 403), ChannelForbidden, id="no permission"),
        pytest.param(refusal(discord.HTTPException, 400), ChannelUnreachable, id="refused"),
        pytest.param(refusal(discord.DiscordServerError, 503), ChannelUnreachable, id="outage"),
        pytest.param(asyncio.TimeoutError(), ChannelUnreachable, id="no answer"),
        pytest.param(ConnectionResetError(), ChannelUnreachable, id="connection lost"),
    ],
)
async def test_refused_posts(text: TextDouble, error: Exception, expected: type[StandupError]) -> None:
    """Whatever prevents the notice becomes one sentence that names the channel and that nothing is recorded."""
    text.send_error = error

    with pytest.raises(expected, match=f"<#{TEXT}>.*nothing is recorded"):
        await posted(text)


async def test_what_is_posted_again_takes_the_place_of_the_old(text: TextDouble) -> None:
    """A notice that can be changed no more must not stay beside the new one."""
    message = await posted(text)

    message_id = await message.post(SECOND)

    assert text.contents == {message_id: "second"}


async def test_an_old_message_that_cannot_be_deleted(text: TextDouble) -> None:
    """The new message counts, whatever becomes of the old one."""
    message = await posted(text)
    text.edit_error = refusal(discord.DiscordServerError, 500)

    assert await message.post(SECOND) == message.message_id == 1002


async def test_edits_keep_their_pace(text: TextDouble) -> None:
    """An edit too soon after the last one waits for a later call; news do not wait."""
    message = await posted(text)

    await message.show(SECOND)
    waiting = text.contents[1001]
    await message.show(SECOND, at_once=True)

    assert (waiting, text.contents[1001]) == ("first", "second")


async def test_nothing_new_is_no_edit(text: TextDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words are not sent twice."""
    monkeypatch.setattr(message_module, "EDIT_EVERY_S", 0.0)
    message = await posted(text)

    for notice in (FIRST, SECOND, SECOND):
        await message.show(notice)

    assert text.edits == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(refusal(discord.NotFound, 404), False, id="deleted"),
        pytest.param(refusal(discord.Forbidden, 403), False, id="permission taken"),
        pytest.param(refusal(discord.HTTPException, 400, THREAD_ARCHIVED), False, id="thread archived"),
        pytest.param(refusal(discord.DiscordServerError, 500), True, id="outage"),
        pytest.param(asyncio.TimeoutError(), True, id="no answer"),
    ],
)
async def test_an_edit_that_fails(text: TextDouble, error: Exception, expected: bool) -> None:
    """Only a message that is really gone, or out of sight in an archived thread, counts as gone."""
    message = await posted(text)
    text.edit_error = error

    assert await message.show(SECOND, at_once=True) is expected


async def test_without_a_message_there_is_nothing_to_show(text: TextDouble) -> None:
    """A meeting whose message was never posted has none to edit or read."""
    message = MeetingMessage(text, MEETING_ID)

    assert await message.show(FIRST) is False
    assert await message.still_says(FIRST) is False


@pytest.mark.parametrize(
    ("error", "notice", "expected"),
    [
        pytest.param(None, FIRST, True, id="unchanged"),
        pytest.param(None, SECOND, False, id="replaced"),
        pytest.param(refusal(discord.NotFound, 404), FIRST, False, id="deleted"),
        pytest.param(refusal(discord.Forbidden, 403), FIRST, True, id="cannot be read"),
    ],
)
async def test_still_says(text: TextDouble, error: Exception | None, notice: Notice, expected: bool) -> None:
    """What cannot be found out counts as unchanged, so that notes are rather posted twice than hidden."""
    message = await posted(text)
    text.edit_error = error

    assert await message.still_says(notice) is expected
