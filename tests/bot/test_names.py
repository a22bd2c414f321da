"""Names come from the cache, then from Discord, and are never a reason to wait or fail."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from standup.bot.names import name_of
from tests.bot.doubles import refusal

ANA = SimpleNamespace(display_name="Ana")


class GuildDouble:
    """A guild that knows somebody from its cache, by REST, or not."""

    def __init__(self, cached: Any = None, fetched: Any = None) -> None:
        self._cached = cached
        self._fetched = fetched

    def get_member(self, user_id: int) -> Any:
        return self._cached

    async def fetch_member(self, user_id: int) -> Any:
        if isinstance(self._fetched, Exception):
            raise self._fetched
        return self._fetched


@pytest.mark.parametrize(
    ("guild", "expected"),
    [
        pytest.param(GuildDouble(cached=ANA), "Ana", id="cached"),
        pytest.param(GuildDouble(fetched=ANA), "Ana", id="fetched"),
        pytest.param(GuildDouble(fetched=refusal(discord.NotFound, 404)), "Participant 0042", id="left"),
        pytest.param(GuildDouble(fetched=asyncio.TimeoutError()), "Participant 0042", id="no answer"),
    ],
)
async def test_name_of(guild: Any, expected: str) -> None:
    """Somebody without a known name is told apart by the end of the id."""
    assert await name_of(guild, 9_990_042) == expected
