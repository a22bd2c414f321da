"""The thread below a meeting's message, through discord.py: found or made, written to, archived.

A message has at most one thread, and the thread has the message's id, so nothing needs to be remembered to find it
again. One that a person made is left to the people. Every request is bounded; what goes wrong is one of two errors:
wait, or leave it.
https://discord.com/developers/docs/topics/threads
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Literal, TypeVar

import discord

from standup.errors import ChannelForbidden, ChannelUnreachable, NotifyError, StandupError
from standup.meeting import Meeting
from standup.notify import discord_channel
from standup.notify.refusals import FAILURES, is_frozen, is_gone

REQUEST_S = 30.0
#: discord.py waits out rate limits and repeats server errors within this time.
ARCHIVE_MINUTES: Literal[60] = 60
#: The shortest time without a message that Discord knows.
LOOK_BACK_MESSAGES = 100
SILENT = discord.AllowedMentions.none()

Answer = TypeVar("Answer")


class MessageThread:
    """The thread of one meeting. Owner: the event loop; one call at a time.

    Every method that asks Discord raises ChannelUnreachable when it does not answer in time or is down, and
    ChannelForbidden or NotifyError when it refuses for good: a permission is missing, the thread was deleted, no thread
    can be below this channel.
    """

    def __init__(self, bot: discord.Client, meeting: Meeting) -> None:
        self._bot = bot
        self._guild_id = int(meeting.guild_id)
        self._channel_id = int(meeting.text_channel_id)
        self._thread: discord.Thread | None = None

    @property
    def is_archived(self) -> bool:
        """Whether the thread was archived when it was found."""
        return self._thread is not None and self._thread.archived

    async def find(self, message_id: int) -> bool:
        """Take our own thread of a message; return False when it has none, or one that a person made to talk there."""
        self._thread = None
        try:
            found = await asyncio.wait_for(self._message(message_id).fetch_thread(), REQUEST_S)
        except discord.NotFound:
            return False
        except FAILURES as cause:
            raise self._refusal(cause) from cause
        if self._is_own(found.owner_id):
            self._thread = found
        return self._thread is not None

    async def make(self, message_id: int, name: str) -> None:
        """Begin the thread of a message; one that has a thread already, be it a person's or deleted, gets no other."""
        made = self._message(message_id).create_thread(name=name, auto_archive_duration=ARCHIVE_MINUTES)
        self._thread = await self._answer(made)

    async def own_texts(self) -> tuple[str, ...]:
        """Return the latest messages of our own in the thread, newest first."""
        return await self._answer(self._own_texts())

    async def post(self, text: str, nonce: str) -> int:
        """Post *text* and return the message's id.

        Discord answers a *nonce* that it knows with the message it knows, whose text may be an older one: it is edited.
        """
        posted = await self._answer(self._open.send(text, nonce=nonce, allowed_mentions=SILENT))
        if posted.content != text:
            await self.edit(posted.id, text)
        return posted.id

    async def edit(self, message_id: int, text: str) -> bool:
        """Have a message of our own in the thread say *text*; False when it is deleted or takes no edit any more."""
        handle = self._open.get_partial_message(message_id)
        try:
            await asyncio.wait_for(handle.edit(content=text, allowed_mentions=SILENT), REQUEST_S)
        except discord.HTTPException as cause:
            if is_gone(cause) or is_frozen(cause):
                return False
            raise self._refusal(cause) from cause
        except FAILURES as cause:
            raise self._refusal(cause) from cause
        return True

    async def archive(self) -> None:
        """Archive the thread; whoever writes in it opens it again."""
        await self._answer(self._open.edit(archived=True))

    async def empty(self) -> None:
        """Delete what we said in the thread, and archive it; one that somebody deleted is empty."""
        try:
            await asyncio.wait_for(discord_channel.empty(self._bot, self._open.id), REQUEST_S)
        except discord.NotFound:
            return
        except FAILURES as cause:
            raise self._refusal(cause) from cause

    @property
    def _open(self) -> discord.Thread:
        if self._thread is None:
            raise ValueError("the thread was neither found nor made")
        return self._thread

    def _message(self, message_id: int) -> discord.PartialMessage:
        guild = self._bot.get_guild(self._guild_id)
        if guild is None:
            raise ChannelUnreachable(f"Server {self._guild_id} is not known yet, so the live thread waits.")
        channel = guild.get_channel_or_thread(self._channel_id)
        if channel is not None and not isinstance(channel, discord.TextChannel):
            raise NotifyError(
                f"There is no live thread: Discord has none below channel {self._channel_id}, which is a "
                f"{channel.type.name.replace('_', ' ')}; start the standup in an ordinary text channel."
            )
        text = self._bot.get_partial_messageable(self._channel_id, guild_id=self._guild_id)
        return text.get_partial_message(message_id)

    async def _own_texts(self) -> tuple[str, ...]:
        found = [one async for one in self._open.history(limit=LOOK_BACK_MESSAGES)]
        return tuple(one.content for one in found if self._is_own(one.author.id))

    def _is_own(self, user_id: int) -> bool:
        return self._bot.user is not None and self._bot.user.id == user_id

    async def _answer(self, request: Awaitable[Answer]) -> Answer:
        try:
            return await asyncio.wait_for(request, REQUEST_S)
        except FAILURES as cause:
            raise self._refusal(cause) from cause

    def _refusal(self, cause: BaseException) -> StandupError:
        """Return the error for *cause*, one of ``FAILURES``; it quotes nothing that Discord or we sent."""
        status = cause.status if isinstance(cause, discord.HTTPException) else 0
        if isinstance(cause, discord.Forbidden):
            return ChannelForbidden(
                f"The live thread ends, the recording goes on: I may not write it below channel {self._channel_id}; "
                "grant Create Public Threads, Send Messages in Threads and Read Message History there."
            )
        if isinstance(cause, discord.HTTPException) and status < 500 and status != 429:
            return NotifyError(
                f"The live thread ends, the recording goes on: Discord refused it below channel {self._channel_id} "
                f"(HTTP {status}, code {cause.code}); somebody has deleted the thread or made one, or Discord's list "
                "of codes tells why."
            )
        told = f"HTTP {status}" if status else type(cause).__name__
        return ChannelUnreachable(
            f"Discord did not take the live thread's words ({told}); they are tried again."
        )
