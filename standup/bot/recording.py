"""The life of one recording, from the first packet to its ending.

Order of life: the notice stands in the text channel, then the voice channel is joined, then packets are kept.
The manifest is on disk before that, so that a meeting whose notice stands is found again whatever happens.
Every second: who is there, who of them sees the notice, may it go on, does it hear? In its own rhythm the notice is
brought up to date (`standup.bot.notice_board`).

Owner: the event loop. Disk work goes through ``asyncio.to_thread`` (manifest) or a thread of its own (journal).
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from standup import notice as notices
from standup.archive.manifest import Manifest
from standup.bot import wording
from standup.bot.attendance import Attendance, NameOf
from standup.bot.audience import Audience
from standup.bot.endings import Ending, Limits
from standup.bot.gaps import GapLog
from standup.bot.hearing import Hearing
from standup.bot.listener import Listener
from standup.bot.meeting_clock import MeetingClock
from standup.bot.message import MeetingMessage
from standup.bot.notice_board import NoticeBoard
from standup.bot.voice_line import VoiceLine
from standup.capture.writer import JournalState, JournalWriter
from standup.errors import AudioCaptureError
from standup.meeting import Gap, Meeting, MeetingState
from standup.notice import Notice

log = logging.getLogger(__name__)

ROUND_S = 1.0
TRY_AGAIN_S = 5.0
REPORT_S = 2.0
#: An edit that is under way at the end may take this long; a later one would come after it anyway.
KEEPALIVE_ROUNDS = 5
ALIVE_ROUNDS = 60
#: How often the manifest is stored although nothing changed: its time tells a restart when this run was alive.
ROLES_ROUNDS = 30
#: How often Discord is asked which roles people have.
SHOWN_STEP_MS = 10_000
#: Discord counts the edits of a message that is older than an hour (its error 30046); then only news is worth one.
OLD_MS, OLD_STEP_MS = 50 * 60_000, 5 * 60_000
#: The notice's clock moves in steps of this, to spare Discord an edit for every second.

Keep = Callable[[Manifest], Awaitable[bool]]
#: Stores a manifest; False when the disk refused it.


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a recording works with; it owns all of it."""

    journal: JournalWriter
    listener: Listener
    line: VoiceLine
    audience: Audience
    message: MeetingMessage
    clock: MeetingClock
    is_live: bool = False
    """Whether what is said is shown in a thread meanwhile, which the notice tells."""


class Recording:
    """One meeting being recorded.

    In this order: `begin` or `resume`, then `run`, then `close` or `release`; `stop` at any time after the first.
    """

    def __init__(
        self, manifest: Manifest, equipment: Equipment, limits: Limits, keep: Keep, name_of: NameOf
    ) -> None:
        self.manifest = manifest
        self.equipment = equipment
        self.gaps = GapLog(manifest.meeting.gaps)
        self._hearing = Hearing(equipment.line, equipment.listener, self.gaps)
        self._attendance = Attendance(equipment.line, equipment.audience, equipment.listener, name_of)
        self.ending: Ending | None = None
        #: Why it ends; None while it goes on.
        self.is_closed = asyncio.Event()
        #: Set when everything is on disk and the meeting is the pipeline's.
        self._limits = limits
        self._keep = keep
        self._halting = asyncio.Event()
        self._board = NoticeBoard(
            equipment.message, self.notice, self._store_message, lambda: self.stop(Ending.NO_NOTICE)
        )
        self._storing = asyncio.Lock()
        self._is_kept = True
        self._rounds = 0

    @property
    def meeting(self) -> Meeting:
        """The meeting as far as it is known."""
        return self.manifest.meeting

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds on the meeting clock."""
        return self.equipment.clock.elapsed_ms

    @property
    def people(self) -> int:
        """How many people have been heard."""
        return len(self.equipment.listener.heard)

    @property
    def is_deaf(self) -> bool:
        """Whether the bot is known not to hear at present."""
        return self._hearing.is_lost

    @property
    def is_degraded(self) -> bool:
        """Whether what is heard cannot be kept as it should."""
        health = self.equipment.journal.health
        return health.state is not JournalState.WRITING or health.dropped > 0 or not self._is_kept

    async def begin(self) -> None:
        """Join and make the meeting known; raise AudioCaptureError, with nothing held, when joining fails.

        Until it has joined, the manifest is kept from the archive by calling it adopted: the meeting may come to
        nothing, and the archive forgets no meeting.
        """
        try:
            self.look()
            await self._store(adopted=True)
            await self.equipment.line.join()
            await self._store(adopted=False)
            self.look()
            await self._note_people()
        except BaseException:
            await self.release()
            raise

    async def resume(self, gap: Gap) -> None:
        """Join again after *gap*, in which no recorder ran; raise AudioCaptureError when joining fails for good."""
        try:
            self.look()
            if not await self.equipment.line.rejoin():
                where = f"<#{self.meeting.voice_channel_id}>"
                raise AudioCaptureError(f"I could not rejoin {where}, so the recording is over.")
            self.look()
            await self._note_people()
        except BaseException:
            await self.release()
            raise
        self.gaps.add(gap)
        await self._store_gaps()

    def look(self) -> None:
        """See anew who may be kept because they can see the notice; to be called as soon as somebody comes."""
        if self._attendance.look():
            self._board.tell()
        if self.equipment.audience.has_strangers:
            self.equipment.audience.refresh()

    def stop(self, ending: Ending) -> None:
        """End the recording; the first reason given counts."""
        self.ending = self.ending or ending
        self.halt()

    def halt(self) -> None:
        """Have `run` return soon, with no ending when nothing ended the recording."""
        self._halting.set()
        self._board.end()
        self._hearing.cancel()

    async def run(self) -> Ending | None:
        """Record until something ends it, and return what; None after `halt`.

        Ends by `stop` and `halt` alone: `asyncio.wait_for` before Python 3.12 may swallow a cancellation.
        """
        reporting = asyncio.create_task(self._board.run(), name="recording notice")
        while not self._halting.is_set():
            await self._guarded_round()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._halting.wait(), ROUND_S)
        await self._hearing.rest()
        await asyncio.wait({reporting}, timeout=REPORT_S)
        reporting.cancel()
        return self.ending

    async def close(self, ending: Ending) -> None:
        """Leave, bring everything to disk, and hand the meeting to the pipeline."""
        self._hearing.close(self.elapsed_ms)
        await self.release()
        ended_at = self.equipment.clock.now
        ended = dataclasses.replace(
            self.meeting,
            ended_at=ended_at,
            state=MeetingState.PROCESSING,
            gaps=tuple(self.gaps.closed),
            unsighted_people=self._unsighted_people,
        )
        while not await self._store(meeting=ended):  # noqa: ASYNC110 - no disk tells that it has space again
            await asyncio.sleep(TRY_AGAIN_S)
        self.is_closed.set()
        log.info("Recording stopped: %s", ending.value)

    async def release(self) -> None:
        """Leave and close the journal; the meeting stays unfinished, so that the next start resumes it.

        A gap that is going on is on disk then: it did not begin with the restart.
        """
        if self.gaps.since_ms is not None:
            await self._store_gaps()
        await self.equipment.line.leave()
        await self._close_journal()

    def notice(self) -> Notice:
        """Return what the message should say now."""
        if self.gaps.since_ms is not None:
            say = wording.deafened if self.equipment.line.is_deafened else wording.deaf
            return wording.with_gaps(say(self.meeting, self.gaps.since_ms), self.gaps.closed)
        step_ms = SHOWN_STEP_MS if self.elapsed_ms < OLD_MS else OLD_STEP_MS
        shown_ms = self.elapsed_ms // step_ms * step_ms
        told = notices.recording(
            self.meeting,
            self.people,
            shown_ms,
            is_degraded=self.is_degraded,
            unsighted=len(self.equipment.audience.unsighted),
            is_live=self.equipment.is_live,
        )
        return wording.with_gaps(told, self.gaps.closed)

    async def _guarded_round(self) -> None:
        """Do a round; a defect in one must not end a meeting that is being recorded."""
        try:
            await self._round()
        except Exception:
            log.exception("A round of the recording failed; the next one follows")

    async def _round(self) -> None:
        line = self.equipment.line
        limit = self._limits.ending(self.elapsed_ms, self._attendance.empty_ms(self.elapsed_ms))
        ending = line.ending or self._hearing.settle() or limit
        if ending is not None:
            self.stop(ending)
            return
        self.look()
        await self._mind_hearing()
        await self._note_people()
        if self._rounds % KEEPALIVE_ROUNDS == 0:
            line.keep_alive()
        if self._rounds % ROLES_ROUNDS == 0:
            self.equipment.audience.refresh()
        self._rounds += 1
        if self._rounds % ALIVE_ROUNDS == 0:
            await self._store_gaps()

    async def _mind_hearing(self) -> None:
        if self._hearing.look(self.elapsed_ms):
            self._board.tell()
            await self._store_gaps()

    async def _note_people(self) -> None:
        """Bring into the manifest who was there or was heard, and the number of those who could not see the notice."""
        if self._unsighted_people > self.meeting.unsighted_people:
            counted = dataclasses.replace(self.meeting, unsighted_people=self._unsighted_people)
            await self._store(meeting=counted)
        new = await self._attendance.newcomers(self.manifest.participants)
        if new or not self._is_kept:
            await self._store(participants=(*self.manifest.participants, *new))

    @property
    def _unsighted_people(self) -> int:
        """How many were ever there without sight of the notice.

        Nobody remembers over a restart who they were: of the numbers before and after it the larger one counts.
        """
        return max(self.meeting.unsighted_people, self._attendance.unsighted_people)

    async def _close_journal(self) -> None:
        self.equipment.listener.end()
        health = await asyncio.to_thread(self.equipment.journal.close)
        if health.dropped:
            log.error("The journal lacks %d packets that the disk did not take; free space.", health.dropped)

    async def _store_gaps(self) -> None:
        await self._store(meeting=dataclasses.replace(self.meeting, gaps=self.gaps.until(self.elapsed_ms)))

    async def _store_message(self, message_id: int) -> None:
        await self._store(message_id=str(message_id))

    async def _store(self, **changes: object) -> bool:
        self.manifest = dataclasses.replace(self.manifest, **changes)  # type: ignore[arg-type]
        async with self._storing:
            self._is_kept = await self._keep(self.manifest)
        return self._is_kept
