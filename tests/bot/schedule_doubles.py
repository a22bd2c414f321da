"""Doubles for tests about schedules: a clock with hands, a list, channels that keep what is posted."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta, timezone
from types import SimpleNamespace
from typing import Any, cast

import discord

from standup.bot.schedule_list import ScheduleList
from standup.schedule import EVERY_DAY, Schedule
from tests.bot.doubles import GUILD, TEXT, VOICE, refusal

DUE = datetime(2026, 11, 23, 10, tzinfo=timezone.utc)
DUE_S = int(DUE.timestamp())
DAILY = Schedule(
    str(GUILD), str(VOICE), str(TEXT), EVERY_DAY, time(10), "UTC", datetime(2026, 11, 20, tzinfo=timezone.utc)
)


class Hands:
    """A clock that the test sets."""

    def __init__(self, minutes: float = 0) -> None:
        self.now = DUE + timedelta(minutes=minutes)

    def __call__(self) -> datetime:
        return self.now


def listed(*schedules: Schedule) -> ScheduleList:
    """Return a list that knows *schedules*."""
    return cast(ScheduleList, SimpleNamespace(all=schedules))


class Board:
    """What stands in the channels of a bot; fails as it is told."""

    def __init__(self) -> None:
        self.contents: dict[int, str] = {}
        self.channels: list[int] = []
        self.nonces: list[tuple[int, str]] = []
        self.is_interrupted = False  # whoever posts is ended before the answer comes
        self.edits = 0
        self.error: discord.HTTPException | None = None

    def get_partial_messageable(self, channel_id: int, *, guild_id: int) -> Any:
        async def send(content: str, *, nonce: str, allowed_mentions: discord.AllowedMentions) -> Any:
            self._check(allowed_mentions)
            if (channel_id, nonce) not in self.nonces:
                self.channels.append(channel_id)
                self.nonces.append((channel_id, nonce))
                self.contents[len(self.channels)] = content
            if self.is_interrupted:
                raise asyncio.CancelledError
            number = self.nonces.index((channel_id, nonce)) + 1
            return SimpleNamespace(id=number, content=self.contents[number])

        def get_partial_message(message_id: int) -> Any:
            async def edit(*, content: str, allowed_mentions: discord.AllowedMentions) -> None:
                self._check(allowed_mentions)
                if message_id not in self.contents:
                    raise refusal(discord.NotFound, 404)
                self.contents[message_id] = content
                self.edits += 1

            return SimpleNamespace(edit=edit)

        return SimpleNamespace(send=send, get_partial_message=get_partial_message)

    def _check(self, allowed_mentions: discord.AllowedMentions) -> None:
        assert allowed_mentions.everyone is False
        if self.error is not None:
            raise self.error
