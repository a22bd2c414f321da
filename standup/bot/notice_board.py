"""The notice of a recording, kept up to date beside the recording's rounds, however long Discord takes.

Owner: the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from standup.bot.message import MeetingMessage
from standup.errors import ChannelForbidden, ChannelUnreachable
from standup.notice import Notice

log = logging.getLogger(__name__)

ROUND_S = 1.0


class NoticeBoard:
    """What one recording's message says while it is recorded; `run` is called once."""

    def __init__(
        self,
        message: MeetingMessage,
        notice: Callable[[], Notice],
        posted: Callable[[int], Awaitable[object]],
        refused: Callable[[], None],
    ) -> None:
        """Have *message* say what *notice* returns at the time; *posted* is told the id of a message that replaces it,
        *refused* that there is no notice and none can be posted."""
        self._message = message
        self._notice = notice
        self._posted = posted
        self._refused = refused
        self._news = asyncio.Event()
        self._is_over = False

    def tell(self) -> None:
        """Have the message say at once what there is to say now."""
        self._news.set()

    def end(self) -> None:
        """Have `run` return after the edit that is under way."""
        self._is_over = True
        self._news.set()

    async def run(self) -> None:
        """Keep the message up to date until `end`; post it again when it is gone."""
        while not self._is_over:
            try:
                await self._round()
            except Exception:
                # A defect must not leave a recording without whoever sees that its notice stands.
                log.exception("The notice could not be shown; it is tried again")
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), ROUND_S)

    async def _round(self) -> None:
        is_news = self._news.is_set()
        self._news.clear()
        if not await self._message.show(self._notice(), at_once=is_news):
            await self._post_again()

    async def _post_again(self) -> None:
        try:
            message_id = await self._message.post(self._notice())
        except (ChannelForbidden, ChannelUnreachable) as cause:
            log.warning("The notice is gone and cannot be posted again: %s", cause)
            self._refused()
        else:
            await self._posted(message_id)
