"""A message's thread: what Discord answers becomes a value, a reason to wait, or a reason to leave it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from standup.bot.message_thread import ARCHIVE_MINUTES, MessageThread
from standup.errors import ChannelForbidden, ChannelUnreachable, NotifyError, StandupError
from tests.bot.doubles import OWN, TEXT, new_meeting

NOTICE = 1001


def answer(kind: type[discord.HTTPException], status: int, code: int) -> discord.HTTPException:
    """Return discord.py's error for an answer that quotes what was posted."""
    response = cast(Any, SimpleNamespace(status=status, reason=""))
    return kind(response, {"code": code, "message": "you posted Secret."})


class RoomDouble:
    """A guild with one text channel, a message in it and the message's thread; every request fails when told."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.asked: list[tuple[str, Any]] = []
        self.known_text = ""
        self.archived = False
        self.owner_id = OWN
        self.id = NOTICE
        self.channel: Any = None
        self.is_known = True
        self.user = SimpleNamespace(id=OWN)

    # the client

    def get_guild(self, guild_id: int) -> Any:
        return self if self.is_known else None

    def get_partial_messageable(self, channel_id: int, *, guild_id: int) -> Any:
        assert channel_id == TEXT
        return self

    # the guild

    def get_channel_or_thread(self, channel_id: int) -> Any:
        return self.channel

    async def fetch_channel(self, channel_id: int) -> Any:
        self._ask("fetch_channel", channel_id)
        return self

    # the text channel, and the thread

    def get_partial_message(self, message_id: int) -> Any:
        return self

    async def send(self, text: str, **arguments: Any) -> Any:
        self._ask("send", (text, arguments))
        return SimpleNamespace(id=7, content=self.known_text or text)

    async def history(self, *, limit: int) -> AsyncIterator[Any]:
        self._ask("history", limit)
        for author, content in ((OWN, "newest"), (5, "of a person"), (OWN, "oldest")):
            yield SimpleNamespace(author=SimpleNamespace(id=author), content=content)

    # the message

    async def fetch_thread(self) -> Any:
        self._ask("fetch_thread", None)
        return self

    async def create_thread(self, **arguments: Any) -> Any:
        self._ask("create_thread", arguments)
        return self

    async def edit(self, **arguments: Any) -> None:
        self._ask("edit", arguments)

    def _ask(self, call: str, what: Any) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append((call, what))


async def called(thread: MessageThread, call: str) -> None:
    """Call one of the methods that ask Discord."""
    work: dict[str, Any] = {
        "find": lambda: thread.find(NOTICE),
        "make": lambda: thread.make(NOTICE, "Secret."),
        "own_texts": thread.own_texts,
        "post": lambda: thread.post("Secret.", "nonce"),
        "edit": lambda: thread.edit(7, "Secret."),
        "archive": thread.archive,
        "empty": thread.empty,
    }
    await work[call]()


@pytest.fixture
def room() -> RoomDouble:
    return RoomDouble()


@pytest.fixture
async def thread(room: RoomDouble) -> MessageThread:
    made = MessageThread(cast(discord.Client, room), new_meeting())
    await made.find(NOTICE)
    room.asked.clear()
    return made


async def test_found(room: RoomDouble) -> None:
    """Before it is looked up nothing is known, and then whether it is archived."""
    thread = MessageThread(cast(discord.Client, room), new_meeting())
    before = thread.is_archived
    room.archived = True

    assert await thread.find(NOTICE)
    assert (before, thread.is_archived) == (False, True)


async def test_not_found(thread: MessageThread, room: RoomDouble) -> None:
    """A message without a thread is told from a Discord that refuses."""
    room.error = answer(discord.NotFound, 404, 10003)
    assert not await thread.find(NOTICE)


async def test_a_persons_thread(thread: MessageThread, room: RoomDouble) -> None:
    """A thread in which people talk about the meeting is none of ours."""
    room.owner_id = 5
    assert not await thread.find(NOTICE)


async def test_made(thread: MessageThread, room: RoomDouble) -> None:
    """A thread is archived by Discord after the shortest time that there is."""
    await thread.make(NOTICE, "Standup 2026-11-23")
    expected = {"name": "Standup 2026-11-23", "auto_archive_duration": ARCHIVE_MINUTES}
    assert room.asked == [("create_thread", expected)]


async def test_own_texts(thread: MessageThread) -> None:
    """What people write in the thread is nothing that was said in the meeting."""
    assert await thread.own_texts() == ("newest", "oldest")


async def test_posts_mention_nobody(thread: MessageThread, room: RoomDouble) -> None:
    """Posts and edits allow no mentions, and a post carries its nonce."""
    assert await thread.post("words", "nonce") == 7
    assert await thread.edit(7, "more words")

    (_, (text, posted)), (_, edited) = room.asked
    assert (text, posted["nonce"], edited["content"]) == ("words", "nonce", "more words")
    assert [one["allowed_mentions"].to_dict() for one in (posted, edited)] == [{"parse": []}] * 2


async def test_a_post_that_had_arrived(thread: MessageThread, room: RoomDouble) -> None:
    """A nonce that Discord knows is answered with an older text, which is brought up to date."""
    room.known_text = "words"
    assert await thread.post("words and more", "nonce") == 7
    assert [call for call, _ in room.asked] == ["send", "edit"]
    assert room.asked[-1][1]["content"] == "words and more"


async def test_archived(thread: MessageThread, room: RoomDouble) -> None:
    """Archiving is a change of the thread."""
    await thread.archive()
    assert room.asked == [("edit", {"archived": True})]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(answer(discord.NotFound, 404, 10008), id="deleted"),
        pytest.param(answer(discord.HTTPException, 400, 50083), id="in an archived thread"),
        pytest.param(answer(discord.HTTPException, 400, 30046), id="edited too often"),
    ],
)
async def test_a_message_that_takes_no_edit(
    thread: MessageThread, room: RoomDouble, error: discord.HTTPException
) -> None:
    """What waits has to go into a new message."""
    room.error = error
    assert not await thread.edit(7, "words")


CALLS = ("find", "make", "own_texts", "post", "edit", "archive", "empty")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(answer(discord.Forbidden, 403, 50013), ChannelForbidden, id="permission"),
        pytest.param(answer(discord.HTTPException, 400, 50024), NotifyError, id="kind of channel"),
        pytest.param(answer(discord.HTTPException, 429, 0), ChannelUnreachable, id="too many requests"),
        pytest.param(answer(discord.DiscordServerError, 503, 0), ChannelUnreachable, id="outage"),
        pytest.param(asyncio.TimeoutError(), ChannelUnreachable, id="no answer"),
        pytest.param(ConnectionResetError(), ChannelUnreachable, id="connection lost"),
    ],
)
async def test_errors(
    thread: MessageThread, room: RoomDouble, call: str, error: Exception, expected: type[StandupError]
) -> None:
    """An outage is waited for, a refusal is not, and neither sentence quotes what was posted."""
    room.error = error
    with pytest.raises(StandupError) as caught:
        await called(thread, call)

    assert type(caught.value) is expected
    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize("call", CALLS[1:-1])
async def test_a_deleted_thread(thread: MessageThread, room: RoomDouble, call: str) -> None:
    """A thread that somebody deleted is left; only a look-up takes it for one that was never made."""
    room.error = answer(discord.NotFound, 404, 10003)
    with pytest.raises(NotifyError, match="deleted") as caught:
        await called(thread, call)
    assert not isinstance(caught.value, ChannelUnreachable)


async def test_a_deleted_thread_is_empty(thread: MessageThread, room: RoomDouble) -> None:
    """Nothing is left there to be deleted, so writing goes on elsewhere."""
    room.error = answer(discord.NotFound, 404, 10003)
    await thread.empty()
    assert room.asked == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [(discord.ChannelType.voice, "voice"), (discord.ChannelType.public_thread, "public thread")],
    ids=["chat of a voice channel", "thread"],
)
async def test_where_no_thread_can_be(
    thread: MessageThread, room: RoomDouble, kind: discord.ChannelType, name: str
) -> None:
    """Below the chat of a voice channel and below a thread there are no threads; nobody is asked for one."""
    room.channel = SimpleNamespace(type=kind)
    with pytest.raises(NotifyError, match=f"which is a {name};"):
        await thread.find(NOTICE)
    assert room.asked == []


async def test_a_server_that_is_not_known_yet(thread: MessageThread, room: RoomDouble) -> None:
    """Until the gateway has told of the server, words wait."""
    room.is_known = False
    with pytest.raises(ChannelUnreachable):
        await thread.find(NOTICE)


async def test_nothing_is_written_before_it_is_there(room: RoomDouble) -> None:
    """Writing in a thread that was neither found nor made is a defect."""
    thread = MessageThread(cast(discord.Client, room), new_meeting())
    with pytest.raises(ValueError, match="neither"):
        await thread.post("words", "nonce")
