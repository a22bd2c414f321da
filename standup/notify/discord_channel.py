"""The meeting's message in its Discord channel, through discord.py's REST client and without a gateway.

One message per meeting, whatever is retried:

1. A known message is edited; its attachments are replaced.
2. Without one, the bot's own recent messages are looked through for the nonce: a send whose answer was lost
   has most likely arrived. (Discord forgets nonces after minutes; the card's footer keeps the meeting id.)
3. Only then a message is sent, with ``enforce_nonce``, so that Discord itself drops a concurrent second one.
   A message that it replaces (in an archived thread, or too old to be edited again) is deleted, and the live thread
   below it emptied: with the message's id nobody would find it again.

https://discord.com/developers/docs/resources/message#create-message
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypedDict

import discord
from discord.http import Route

from standup.errors import SettingsError
from standup.notice import Card, Notice
from standup.notify.refusals import FAILURES, explain, is_frozen, is_gone
from standup.settings import DiscordSettings

log = logging.getLogger(__name__)

NONCE_CHARACTERS = 25
"""Discord's limit; a meeting id has exactly as many."""
LOOK_BACK_MESSAGES = 100
"""How far back a message is looked for; one request's worth."""


Change = Callable[[discord.Client, int], Awaitable[None]]
"""What is done in a channel, given a client that is logged in and the channel's id."""


class Arguments(TypedDict):
    """What ``channel.send`` and ``message.edit`` take."""

    content: str
    embeds: list[discord.Embed]
    allowed_mentions: discord.AllowedMentions


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Posted:
    """Where the notice stands."""

    message_id: int
    created: bool
    """Whether this call made the message; False when it was edited."""


def arguments(notice: Notice) -> Arguments:
    """Return *notice* as keyword arguments for ``channel.send`` or ``message.edit``; nobody is mentioned."""
    return Arguments(
        content=notice.content,
        embeds=[_embed(card) for card in notice.cards],
        allowed_mentions=discord.AllowedMentions.none(),
    )


class DiscordChannel:
    """Posts and edits through the REST interface that the settings name.

    Holds no connection between calls. Calls must not overlap within one process, because discord.py keeps the
    REST base address in a class attribute, and must not come from a running event loop.
    """

    def __init__(self, settings: DiscordSettings) -> None:
        self._settings = settings

    def publish(
        self,
        channel_id: int,
        notice: Notice,
        *,
        message_id: int | None,
        nonce: str,
        files: Sequence[Attachment] = (),
        timeout_s: float = 60.0,
    ) -> Posted:
        """Make the meeting's message say *notice*, with exactly these *files*; return which message it is.

        *nonce* is the meeting id. *timeout_s* bounds the whole call, waiting out rate limits included. After
        an error the call may be repeated: a message that did arrive is found and edited.

        Raises:
            SettingsError: no token, a token that Discord refuses, or an address that is not Discord's.
            ChannelForbidden: a permission is missing; the text names it and the channel.
            NotifyError: the channel does not exist, or Discord refuses the message itself.
            ChannelUnreachable: Discord did not answer in time or is down; trying again may help.
        """
        if not 0 < len(nonce) <= NONCE_CHARACTERS:
            raise ValueError(f"a nonce has 1 to {NONCE_CHARACTERS} characters")
        post = _Post(channel_id, notice, nonce, tuple(files))
        token = self._settings.require_token()
        Route.BASE = self._settings.api_url
        try:
            return asyncio.run(asyncio.wait_for(_publish(token, post, message_id), timeout_s))
        except FAILURES as cause:
            raise explain(cause, channel_id, has_files=bool(files)) from cause

    def revise(
        self,
        channel_id: int,
        message_id: int,
        notice: Notice,
        *,
        files: Sequence[Attachment] = (),
        timeout_s: float = 60.0,
    ) -> bool:
        """Make a message that is there say *notice*, with exactly these *files*; False when it is gone.

        Nothing is ever posted anew: somebody may have deleted the message. Raises as `publish` does.
        """
        post = _Post(channel_id, notice, str(message_id), tuple(files))

        async def edit(client: discord.Client, channel_id: int) -> None:
            message = client.get_partial_messageable(channel_id).get_partial_message(message_id)
            await message.edit(**arguments(notice), attachments=post.attachments())

        return self._change(channel_id, edit, timeout_s)

    def delete(self, channel_id: int, message_id: int, *, timeout_s: float = 60.0) -> bool:
        """Delete a message with its files; False when it, or its channel, is gone already. Raises as `publish` does."""

        async def delete(client: discord.Client, channel_id: int) -> None:
            await client.get_partial_messageable(channel_id).get_partial_message(message_id).delete()

        return self._change(channel_id, delete, timeout_s)

    def empty_thread(self, message_id: int, *, timeout_s: float = 60.0) -> bool:
        """Delete what we said in our thread below a message; False when there is none. Raises as `publish` does.

        One that a person made is left alone: it is no live thread, and we may not archive it. Our own stays,
        archived: to delete it takes a right that the bot does not ask for.
        """
        # A thread has the id of the message that it stands below.
        return self._change(message_id, empty, timeout_s)

    def _change(self, channel_id: int, change: Change, timeout_s: float) -> bool:
        token = self._settings.require_token()
        Route.BASE = self._settings.api_url
        try:
            asyncio.run(asyncio.wait_for(_changed(token, channel_id, change), timeout_s))
        except discord.NotFound:
            return False
        except FAILURES as cause:
            raise explain(cause, channel_id) from cause
        return True


@dataclass(frozen=True, slots=True)
class _Post:
    channel_id: int
    notice: Notice
    nonce: str
    files: tuple[Attachment, ...]

    def attachments(self) -> list[discord.File]:
        """Return fresh files: discord.py closes those it has sent."""
        return [discord.File(io.BytesIO(one.content), one.name) for one in self.files]


async def _publish(token: str, post: _Post, message_id: int | None) -> Posted:
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        await _log_in(client, token)
        channel = client.get_partial_messageable(post.channel_id)
        if message_id is not None and await _edit(channel, message_id, post):
            return Posted(message_id, created=False)
        found = await _find(client, channel, post.nonce)
        if found is not None and found != message_id and await _edit(channel, found, post):
            return Posted(found, created=False)
        old_id = message_id if message_id is not None else found
        nonce = post.nonce if old_id is None else _successor(post.nonce, old_id)
        sent = await channel.send(**arguments(post.notice), files=post.attachments(), nonce=nonce)
        if old_id is not None:
            await _take_down(channel, old_id)
            await _take_words(client, old_id)
        return Posted(sent.id, created=True)


async def _changed(token: str, channel_id: int, change: Change) -> None:
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        await _log_in(client, token)
        await change(client, channel_id)


async def empty(client: discord.Client, thread_id: int) -> None:
    """Delete what *client* said in its own thread and archive that; leave a thread that a person made.

    Raises what discord.py raises, NotFound where there is no thread.
    """
    assert client.user is not None, "a client that is logged in knows who it is"
    thread = await client.fetch_channel(thread_id)
    if not isinstance(thread, discord.Thread) or thread.owner_id != client.user.id:
        return
    if thread.archived:  # nothing in it can be changed
        await thread.edit(archived=False)
    async for message in thread.history(limit=None):
        if message.author.id == client.user.id:
            with suppress(discord.NotFound):  # somebody was faster; what follows it must go all the same
                await message.delete()
    await thread.edit(archived=True)


async def _log_in(client: discord.Client, token: str) -> None:
    try:
        await client.login(token)
    except (TypeError, KeyError, AttributeError) as cause:  # an answer that is no user object
        raise SettingsError(
            "STANDUP_DISCORD_API_URL does not answer like Discord's REST interface; correct the address."
        ) from cause


async def _edit(channel: discord.PartialMessageable, message_id: int, post: _Post) -> bool:
    """Make the message say the notice; return False when it is gone, or takes no more edits."""
    try:
        message = channel.get_partial_message(message_id)
        await message.edit(**arguments(post.notice), attachments=post.attachments())
    except discord.HTTPException as refusal:
        if is_gone(refusal) or is_frozen(refusal):
            return False
        raise
    return True


async def _take_down(channel: discord.PartialMessageable, message_id: int) -> None:
    """Delete the message that the new one replaces, where it is still there: there is one per meeting."""
    try:
        await channel.get_partial_message(message_id).delete()
    except discord.HTTPException as refusal:
        if not is_gone(refusal):
            log.warning(
                "The old message could not be deleted (code %d); the new one stands below it", refusal.code
            )


async def _take_words(client: discord.Client, message_id: int) -> None:
    """Empty the live thread of a message that is replaced, where it has one."""
    try:
        await empty(client, message_id)
    except discord.NotFound:
        return
    except discord.HTTPException as refusal:
        log.warning(
            "The thread of the old message could not be emptied (code %d); delete it in Discord", refusal.code
        )


async def _find(client: discord.Client, channel: discord.PartialMessageable, nonce: str) -> int | None:
    """Return the newest own message that carries *nonce* in itself or in a card's footer."""
    assert client.user is not None, "a client that is logged in knows who it is"
    async for message in channel.history(limit=LOOK_BACK_MESSAGES):
        if message.author.id != client.user.id:
            continue
        footers = [embed.footer.text or "" for embed in message.embeds]
        if str(message.nonce) == nonce or any(nonce in footer for footer in footers):
            return message.id
    return None


def _successor(nonce: str, message_id: int) -> str:
    """Return the nonce of the message that replaces a deleted one.

    Under the old nonce Discord would answer with the deleted message. Derived and not random, so that a
    repeated replacement is still dropped.
    """
    return hashlib.blake2s(f"{nonce}/{message_id}".encode(), digest_size=12).hexdigest()


def _embed(card: Card) -> discord.Embed:
    embed = discord.Embed(title=card.title or None, description=card.description or None, colour=card.colour)
    for field in card.fields:
        embed.add_field(name=field.name, value=field.value, inline=False)
    if card.footer:
        embed.set_footer(text=card.footer)
    return embed
