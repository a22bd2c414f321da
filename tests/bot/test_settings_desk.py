"""Orders about a server's settings: who may give them, and the sentences that answer."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from standup.archive import GuildBook
from standup.bot import settings_desk
from standup.bot.settings_desk import SettingsDesk, Wishes
from standup.errors import InputRefused
from standup.template import STANDUP, Template
from standup.vocabulary import Vocabulary
from tests.bot.doubles import GUILD


class BookDouble:
    """What servers chose, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Template] = {}
        self.expected: dict[str, Vocabulary] = {}

    def template(self, guild_id: str) -> Template:
        return self.kept.get(guild_id, STANDUP)

    def keep_template(self, guild_id: str, chosen: Template) -> None:
        self.kept[guild_id] = chosen

    def vocabulary(self, guild_id: str) -> Vocabulary:
        return self.expected.get(guild_id, Vocabulary())

    def keep_vocabulary(self, guild_id: str, **given: Any) -> None:
        self.expected[guild_id] = replace(self.vocabulary(guild_id), **given)


class Order:
    """A lead with a desk; change what the test is about."""

    def __init__(self) -> None:
        self.book = BookDouble()
        self.guild_id: int | None = GUILD
        self.rights = discord.Permissions(manage_guild=True)

    async def __call__(self, name: str | None = None, **others: str) -> str:
        interaction: Any = SimpleNamespace(guild_id=self.guild_id, permissions=self.rights)
        return await SettingsDesk(cast(GuildBook, self.book)).settings(interaction, Wishes(name, **others))


@pytest.fixture
def order() -> Order:
    return Order()


async def test_a_template_is_chosen(order: Order) -> None:
    """It is kept for this server, and the answer says from when on, and all that is set."""
    told = await order("retrospective")

    assert {str(GUILD): "retrospective"} == {guild: one.name for guild, one in order.book.kept.items()}
    assert told.splitlines() == [
        "From the next meeting on:",
        "Notes are shown as **retrospective** (done, blocker, decision, action, next).",
        "No project words are expected.",
        "The language is the one that my operator set.",
        "Ids of tickets stay as spoken.",
    ]


async def test_a_vocabulary_is_chosen(order: Order) -> None:
    """Words, language and ids are kept for this server, beside what was set before."""
    await order(words="Grafana, Keycloak")
    told = await order(language="EN", tickets="#, ops")

    assert order.book.expected == {str(GUILD): Vocabulary(("Grafana", "Keycloak"), "en", ("#", "OPS"))}
    assert told.splitlines()[2:] == [
        "Project words (2): Grafana, Keycloak.",
        "The language is `en`.",
        "Ids of tickets are written as in `#205`, `OPS-205`.",
    ]


async def test_a_choice_is_taken_back(order: Order) -> None:
    """``none`` is what it was before anybody chose."""
    await order(words="Grafana", language="auto", tickets="#")
    assert "everybody's language" in await order()
    await order(words="none", language="none", tickets="none")

    assert order.book.expected == {str(GUILD): Vocabulary()}


async def test_what_is_set(order: Order) -> None:
    """Without a choice it tells the present one, to anybody."""
    order.rights = discord.Permissions.none()

    assert "shown as **standup**" in await order()


async def test_words_are_shown_harmless_and_cut(order: Order) -> None:
    """Whatever the words are, the answer mentions nobody, formats nothing and is short enough for Discord."""
    told = await order(words=",".join(["@everyone", *(f"{'*_' * 14}{n}" for n in range(39))]))

    assert "@everyone" not in told
    assert "Project words (40)" in told
    assert len(told) < 2000


async def test_who_may_not(order: Order) -> None:
    """Without Manage Server nothing is changed, and the answer tells what is set."""
    order.rights = discord.Permissions(manage_channels=True)
    told = await order("planning", words="Grafana")

    assert "**Manage Server**" in told
    assert "shown as **standup**" in told
    assert (order.book.kept, order.book.expected) == ({}, {})


async def test_in_a_direct_message(order: Order) -> None:
    """There is no server to set anything for."""
    order.guild_id = None

    assert await order("planning") == settings_desk.ONLY_IN_SERVERS


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"name": "party"}, "retrospective"),
        ({"words": "a\nb"}, "cannot be seen"),
        ({"language": "klingon"}, "en or de"),
        ({"tickets": "(.*)"}, "OPS"),
    ],
)
async def test_what_cannot_be_set(order: Order, wish: dict[str, str], told: str) -> None:
    """It is refused in a sentence that names what can, and nothing beside it is stored."""
    with pytest.raises(InputRefused, match=told):
        await order(**{"name": "planning", "language": "en", **wish})
    assert (order.book.kept, order.book.expected) == ({}, {})
