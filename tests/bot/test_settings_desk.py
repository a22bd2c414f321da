"""Orders about a server's settings: who may give them, and the sentences that answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from standup.archive import GuildBook
from standup.bot import settings_desk
from standup.bot.settings_desk import SettingsDesk
from standup.errors import InputRefused
from standup.template import STANDUP, Template
from tests.bot.doubles import GUILD


class BookDouble:
    """What servers chose, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Template] = {}

    def template(self, guild_id: str) -> Template:
        return self.kept.get(guild_id, STANDUP)

    def keep_template(self, guild_id: str, chosen: Template) -> None:
        self.kept[guild_id] = chosen


class Order:
    """A lead with a desk; change what the test is about."""

    def __init__(self) -> None:
        self.book = BookDouble()
        self.guild_id: int | None = GUILD
        self.rights = discord.Permissions(manage_guild=True)

    async def __call__(self, name: str | None) -> str:
        interaction: Any = SimpleNamespace(guild_id=self.guild_id, permissions=self.rights)
        return await SettingsDesk(cast(GuildBook, self.book)).settings(interaction, name)


@pytest.fixture
def order() -> Order:
    return Order()


async def test_a_template_is_chosen(order: Order) -> None:
    """It is kept for this server, and the answer says what it shows and from when on."""
    told = await order("retrospective")

    assert {str(GUILD): "retrospective"} == {guild: one.name for guild, one in order.book.kept.items()}
    assert told == (
        "From the next notes on they are shown as **retrospective** (done, blocker, decision, action, next)."
    )


async def test_what_is_set(order: Order) -> None:
    """Without a choice it tells the present one, to anybody."""
    order.rights = discord.Permissions.none()

    assert "shown as **standup**" in await order(None)


async def test_who_may_not(order: Order) -> None:
    """Without Manage Server nothing is changed."""
    order.rights = discord.Permissions(manage_channels=True)

    assert "**Manage Server**" in await order("planning")
    assert order.book.kept == {}


async def test_in_a_direct_message(order: Order) -> None:
    """There is no server to set anything for."""
    order.guild_id = None

    assert await order("planning") == settings_desk.ONLY_IN_SERVERS


async def test_an_unknown_template(order: Order) -> None:
    """It is refused in a sentence that names the known ones."""
    with pytest.raises(InputRefused, match="retrospective"):
        await order("party")
