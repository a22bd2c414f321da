"""Whether a recording hears: the gaps in which it does not, and the rejoins that are to end them.

A rejoin runs beside the recording's rounds, so that whatever ends the recording acts meanwhile too.

Owner: the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import time

from standup.bot.endings import Ending
from standup.bot.gaps import GapLog
from standup.bot.listener import Listener
from standup.bot.voice_line import VoiceLine

log = logging.getLogger(__name__)

CANCEL_S = 0.1
CANCEL_WITHIN_S = 5.0


class Hearing:
    """The hearing of one recording, across all its voice connections."""

    def __init__(self, line: VoiceLine, listener: Listener, gaps: GapLog) -> None:
        self._line = line
        self._listener = listener
        self._rejoining: asyncio.Task[bool] | None = None
        self.gaps = gaps

    @property
    def is_lost(self) -> bool:
        """Whether the bot is known not to hear at present."""
        return self.gaps.since_ms is not None or self._line.is_deafened

    def look(self, now_ms: int) -> bool:
        """Note whether the bot hears at *now_ms* of the meeting, and begin to heal what discord.py does not heal.

        Returns whether that has changed. A gap never covers what was kept: it begins after the last speech and
        ends with the first.
        """
        deaf_ms = self._line.deaf_ms
        if deaf_ms is None:
            is_restored = self.gaps.end(now_ms - (self._listener.first_speech_ms or 0))
            if is_restored:
                log.info("Hearing was restored")
            return is_restored
        is_news = self.gaps.begin(now_ms - deaf_ms)
        if is_news:
            log.warning("Hearing was lost")
        self._spare(now_ms)
        self._heal()
        return is_news

    def settle(self) -> Ending | None:
        """Return what a rejoin that is over and did not help ends the recording with; None in every other case."""
        rejoining = self._rejoining
        if rejoining is None or not rejoining.done():
            return None
        self._rejoining = None
        if rejoining.cancelled():
            return None
        defect = rejoining.exception()
        if defect is not None:
            log.error("Rejoining failed", exc_info=defect)
        elif rejoining.result():
            return None
        return self._line.ending or Ending.DEAF

    def close(self, now_ms: int) -> None:
        """End the gap that goes on, if any: the recording ends at *now_ms*."""
        self._spare(now_ms)
        self.gaps.end(now_ms)

    def cancel(self) -> None:
        """Stop healing."""
        if self._rejoining is not None:
            self._rejoining.cancel()

    async def rest(self) -> None:
        """Wait until no rejoin runs any more; cancel more than once: `asyncio.wait_for` before 3.12 may swallow it."""
        give_up_s = time.monotonic() + CANCEL_WITHIN_S
        while self._rejoining is not None and not self._rejoining.done() and time.monotonic() < give_up_s:
            self._rejoining.cancel()
            await asyncio.wait({self._rejoining}, timeout=CANCEL_S)

    def _heal(self) -> None:
        if self._rejoining is not None or self._line.is_recovering or self._line.is_deafened:
            return
        log.info("Rejoining the voice channel")
        self._rejoining = asyncio.create_task(self._line.rejoin(), name="rejoin")

    def _spare(self, now_ms: int) -> None:
        """Move the beginning of the present gap behind the last speech that was kept."""
        last_ms = self._listener.last_speech_ms
        if last_ms is not None:
            self.gaps.heard(now_ms - last_ms)
