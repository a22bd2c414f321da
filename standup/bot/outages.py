"""A lost gateway in the log: one WARNING sentence an outage, where discord.py writes a traceback at every attempt.

discord.py reconnects by itself, for ever. What it cannot go on with leaves `connect`, and everything else that it logs
is left as it is, with its frames.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import aiohttp
import discord

from standup.logs import describe

LOGGERS = ("discord.client", "discord.shard")
ATTEMPTS = ("Attempting a reconnect", "Failed to connect for shard_id")
#: How the lines of these loggers begin that are written at every attempt.
LOSSES = (
    OSError,
    discord.HTTPException,
    discord.GatewayNotFound,
    discord.ConnectionClosed,
    aiohttp.ClientError,
    asyncio.TimeoutError,
)
#: What discord.py itself takes for a lost connection; an attempt that fails of anything else is a defect.
AGAIN_S = 60.0
SENTENCE = (
    "The gateway of Discord is lost (%s); connecting is tried again and again. If it lasts, check the network and "
    "https://discordstatus.com."
)


class Outages(logging.Filter):
    """Turns the lines about failed attempts into one sentence at the first and one a minute. Owner: the event loop."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """Begin without an outage; *now_s* is a clock that never goes back."""
        super().__init__()
        self._now_s = now_s
        self._told_s: float | None = None

    def begin(self) -> None:
        """Look at what discord.py logs from now on."""
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        """Look no further."""
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self)

    def over(self) -> None:
        """Take the outage for ended: the next failure is told at once."""
        self._told_s = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether *record* is to be written; a failed attempt becomes a sentence without frames."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, LOSSES) or not str(record.msg).startswith(ATTEMPTS):
            return True
        now_s = self._now_s()
        if self._told_s is not None and now_s - self._told_s < AGAIN_S:
            return False
        self._told_s = now_s
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args, record.exc_info = SENTENCE, (describe(error),), None
        return True
