"""The one message of a meeting: posted before the first packet, then edited.

Pace: Discord allows about one edit a second per channel; this program takes one in ``EDIT_EVERY_S`` and always
shows the newest state. A message that somebody deleted, or that takes no edit any more, is posted again: what is
recorded is shown.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol

import aiohttp
import discord

from standup.bot import permissions
from standup.errors import ChannelForbidden, ChannelUnreachable
from standup.notice import Notice
from standup.notify.discord_channel import arguments
from standup.notify.refusals import is_frozen

log = logging.getLogger(__name__)

EDIT_EVERY_S = 5.0
WITHDRAW_S = 5.0
REQUEST_S = 30.0
#: discord.py waits out rate limits and repeats server errors within this time.
TROUBLES = (discord.HTTPException, aiohttp.ClientError, OSError, asyncio.TimeoutError)


class TextChannel(Protocol):
    """What is needed of a discord.py channel."""

    id: int

    async def send(self, *args: Any, **arguments: Any) -> discord.Message:
        """Post a message."""

    def get_partial_message(self, message_id: int, /) -> discord.PartialMessage:
        """Return a handle on a message without fetching it."""


class MeetingMessage:
    """A meeting's message in its text channel. Owner: the event loop; one call at a time."""

    def __init__(self, channel: TextChannel, nonce: str, message_id: int | None = None) -> None:
        """Take the message *message_id*, or none yet; *nonce* (the meeting id) keeps a retry from posting twice."""
        self._channel = channel
        self._nonce = nonce
        self.message_id = message_id
        self._posts = 0
        self._shown: Notice | None = None
        self._edited_s = 0.0

    @property
    def shown(self) -> Notice | None:
        """What this process showed last; None when it has shown nothing."""
        return self._shown

    @property
    def link(self) -> str:
        """Where the message is, in a form that Discord makes clickable for members of its channel."""
        return f"<#{self._channel.id}>"

    async def post(self, notice: Notice) -> int:
        """Post *notice* and return the message's id; a second call posts another message in the place of the first.

        Raises ChannelForbidden or ChannelUnreachable; then no message of this meeting can be relied on.
        """
        try:
            posted = await asyncio.wait_for(
                self._channel.send(**arguments(notice), nonce=self._next_nonce()), REQUEST_S
            )
        except discord.Forbidden as cause:
            labels = permissions.missing((), ("read_messages", "send_messages"))
            raise ChannelForbidden(permissions.sentence(labels, self._channel.id)) from cause
        except TROUBLES as cause:
            raise ChannelUnreachable(
                f"The recording notice could not be posted in <#{self._channel.id}>, so nothing is recorded; "
                "try again in a minute."
            ) from cause
        replaced_id, self.message_id = self.message_id, posted.id
        self._note(notice)
        if replaced_id is not None:
            await self._withdraw(replaced_id)
        return posted.id

    async def show(self, notice: Notice, *, at_once: bool = False) -> bool:
        """Edit the message to say *notice*; skip it when that is shown already, or too soon unless *at_once*.

        Returns False when the message is gone, may no longer be edited, or is out of sight in an archived thread,
        which a new message opens. A Discord that does not answer is logged and counts as True: the next call tries
        again.
        """
        if self.message_id is None:
            return False
        if notice == self._shown or (not at_once and time.monotonic() - self._edited_s < EDIT_EVERY_S):
            return True
        try:
            handle = self._channel.get_partial_message(self.message_id)
            await asyncio.wait_for(handle.edit(**arguments(notice)), REQUEST_S)
        except (discord.NotFound, discord.Forbidden):
            return False
        except TROUBLES as cause:
            if isinstance(cause, discord.HTTPException) and is_frozen(cause):
                return False
            self._edited_s = time.monotonic()
            log.warning("The meeting's message could not be edited yet (%s)", type(cause).__name__)
            return True
        self._note(notice)
        return True

    async def still_says(self, notice: Notice) -> bool:
        """Return whether the message in the channel reads *notice*; True when that cannot be found out, False
        when there is no message any more."""
        if self.message_id is None:
            return False
        try:
            handle = self._channel.get_partial_message(self.message_id)
            message = await asyncio.wait_for(handle.fetch(), REQUEST_S)
        except discord.NotFound:
            return False
        except TROUBLES:
            return True
        return message.content == notice.content

    async def _withdraw(self, message_id: int) -> None:
        """Delete a message that another has replaced: it would say for ever what it said last."""
        try:
            handle = self._channel.get_partial_message(message_id)
            await asyncio.wait_for(handle.delete(), WITHDRAW_S)
        except discord.NotFound:
            return
        except TROUBLES as cause:
            log.warning("The message that was replaced could not be deleted (%s)", type(cause).__name__)

    def _next_nonce(self) -> str:
        """Return the meeting id, and something else for a message that replaces a deleted one: Discord answers
        a nonce it knows with the message it knows."""
        if self.message_id is None:
            return self._nonce
        self._posts += 1
        return f"{self._nonce[-8:]}-{self.message_id % 10**10}-{self._posts}"

    def _note(self, notice: Notice) -> None:
        self._shown = notice
        self._edited_s = time.monotonic()
