"""The live thread: what was read while people still talk, in a thread below the meeting's own message.

On with ``STANDUP_LIVE_THREAD``. The task ``standup.follow`` stores words half a minute behind the talk; the recorder,
which has the gateway and REST, reads them from the archive every few seconds and posts them, so no worker waits for
Discord and there is no queue and no state besides: what was posted stands in the thread.

1. With the first words the message's thread is looked up, and made when there is none. One that an earlier run of the
   recorder made is read, and what stands in it is not said again.
2. New words go into the last message until it is full, then into the next (`standup.notice.thread`). Where the
   meeting's message was posted again, its old thread is emptied and all is said anew: who deletes the meeting finds
   only the thread of the message that stands.
3. When the recording has ended, the last words and a farewell are posted and the thread is archived. What was said in
   the last half minute stands in the notes alone.

Whatever goes wrong here costs the recording nothing: it is logged once, and waited for or left.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import discord

from standup import logs
from standup.bot.message import MeetingMessage
from standup.bot.message_thread import MessageThread
from standup.early import is_early
from standup.errors import ArchiveError, ChannelForbidden, MeetingNotFound, NotifyError, Transient
from standup.meeting import Meeting
from standup.notice.thread import FAREWELL, LATE_MS, Line, content, lines, pages, thread_name, unsaid
from standup.transcript import Transcript

log = logging.getLogger(__name__)

ROUND_S = 5.0
#: Between two looks into the archive, and so between two edits.
LAST_ROUNDS = 24
#: A Discord or a database that is away at the end is waited for so long; Discord archives the thread by itself.
ANSWER_S = 20.0
#: Longer than SQLite waits for a writer, and PostgreSQL for a connection.

Read = Callable[[str, int], Transcript]
#: Gives what was said in a meeting from a moment on.


class LiveThreads:
    """The live threads of all recordings of the process. Owner: the event loop."""

    def __init__(self, bot: discord.Client, read: Read) -> None:
        """Take the transcripts from *read*, which may wait for the database: one thread waits, for all meetings."""
        self._bot = bot
        self._read = read
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live thread")

    async def follow(self, meeting: Meeting, message: MeetingMessage, ended: asyncio.Event) -> None:
        """Post what is read of a meeting until the recording has *ended*, then the farewell."""
        await self._thread(meeting, message).run(ended)

    async def finish(self, meeting: Meeting, message: MeetingMessage) -> None:
        """End the thread of a meeting that an earlier run of the recorder ended, if it stands open."""
        await self._thread(meeting, message).finish()

    def _thread(self, meeting: Meeting, message: MeetingMessage) -> LiveThread:
        async def read(from_ms: int) -> Transcript:
            loop = asyncio.get_running_loop()
            reading = loop.run_in_executor(self._reader, self._read, meeting.id, from_ms)
            return await asyncio.wait_for(reading, ANSWER_S)

        return LiveThread(meeting, message, MessageThread(self._bot, meeting), read)


class LiveThread:
    """One meeting's thread. Owner: the event loop; `run` or `finish` is called once."""

    def __init__(
        self,
        meeting: Meeting,
        message: MeetingMessage,
        thread: MessageThread,
        read: Callable[[int], Awaitable[Transcript]],
    ) -> None:
        self._meeting = meeting
        self._message = message
        self._thread = thread
        self._read = read
        self._below: int | None = None  # the message whose thread is open
        self._posted: tuple[str, ...] = ()  # what an earlier run had posted there
        self._taken: set[str] = set()  # utterances
        self._newest_ms = 0  # when the last of them began
        self._waiting: tuple[Line, ...] = ()
        self._page: tuple[Line, ...] = ()  # what the last message says
        self._page_id: int | None = None
        self._nonce = secrets.token_hex(8)
        self._complaint = ""

    async def run(self, ended: asyncio.Event) -> None:
        """Post what is read until *ended*, then the farewell; leave when Discord refuses."""
        try:
            while not await _is_set(ended, ROUND_S):
                await self._try(self._round)
            await self._end()
        except (ChannelForbidden, NotifyError) as cause:
            log.warning("%s", cause)

    async def finish(self) -> None:
        """Post the farewell into a thread that stands open; do nothing where there is none, or Discord is away."""
        try:
            if await self._open(is_made=False) and not self._thread.is_archived:
                await self._end()
        except (ChannelForbidden, NotifyError) as cause:
            log.warning("%s", cause)

    async def _end(self) -> None:
        for _ in range(LAST_ROUNDS):
            if await self._try(self._last_round):
                return
            await asyncio.sleep(ROUND_S)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do *work* and return whether it came to its end; what waiting may cure is logged, the same once."""
        try:
            await work()
        except (Transient, ArchiveError, MeetingNotFound, asyncio.TimeoutError) as problem:
            text = logs.describe(problem)
            if text != self._complaint:
                self._complaint = text
                log.warning("The live thread is behind: %s", text)
            return False
        self._complaint = ""
        return True

    async def _round(self) -> None:
        await self._take_up()
        await self._write()

    async def _last_round(self) -> None:
        await self._take_up()
        if self._below is None and not await self._open(is_made=False):
            return
        if FAREWELL not in (*self._page, *self._waiting):
            self._waiting += unsaid((FAREWELL,), self._posted)
        await self._write()
        await self._thread.archive()

    async def _take_up(self) -> None:
        """Have the words wait that were read since the last round."""
        if self._below not in (None, self._message.message_id):
            await self._leave()
        transcript = await self._read(max(0, self._newest_ms - LATE_MS))
        new = [one for one in transcript.spoken if is_early(one) and one.id not in self._taken]
        if not new or (self._below is None and not await self._open(is_made=True)):
            return
        names = {one.id: one.name for one in transcript.participants}
        told = chain.from_iterable(lines(one, names[one.speaker]) for one in new)
        self._waiting += unsaid(told, self._posted)
        self._taken.update(one.id for one in new)
        self._newest_ms = max(self._newest_ms, new[-1].start_ms)

    async def _leave(self) -> None:
        """Empty the thread of a message that was posted again, which nobody finds by the meeting any more; all that was
        said there is said anew."""
        await self._thread.empty()
        self._below, self._taken, self._newest_ms, self._waiting = None, set(), 0, ()

    async def _open(self, *, is_made: bool) -> bool:
        """Take the thread of the message that stands now; return whether it is there. Writing goes on in a message of
        its own."""
        message_id = self._message.message_id
        if message_id is None:
            return False
        if await self._thread.find(message_id):
            self._posted = await self._thread.own_texts()
        elif is_made:
            await self._thread.make(message_id, thread_name(self._meeting))
            self._posted = ()
        else:
            return False
        self._below = message_id
        self._begin_page()
        return True

    async def _write(self) -> None:
        """Post what waits: into the last message while there is room, then into new ones."""
        while self._waiting:
            first, *others = pages(self._page, self._waiting)
            if await self._show(first):
                self._page, self._waiting = first, tuple(chain.from_iterable(others))
            if self._waiting:
                self._begin_page()

    async def _show(self, page: tuple[Line, ...]) -> bool:
        """Have the last message say *page*; False when somebody deleted it, or it takes no edit any more."""
        if page == self._page:
            return True
        if self._page_id is not None:
            return await self._thread.edit(self._page_id, content(page))
        self._page_id = await self._thread.post(content(page), self._nonce)
        self._nonce = secrets.token_hex(8)
        return True

    def _begin_page(self) -> None:
        self._page, self._page_id = (), None


async def _is_set(event: asyncio.Event, within_s: float) -> bool:
    try:
        return await asyncio.wait_for(event.wait(), within_s)
    except asyncio.TimeoutError:
        return False
