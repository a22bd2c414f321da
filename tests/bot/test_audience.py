"""Whose sound may be kept: who is in the voice channel and can see the notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import discord
import pytest

from standup.bot.audience import LEFT_S, Audience
from tests.bot.doubles import GUILD, OWN, TEXT, VOICE, eventually, refusal

ANA, BEN, BOT = 5, 6, 7
EVERYONE, TEAM = 100, 101


class Server:
    """A server with a voice channel and a text channel that the roles in *viewers* can view."""

    def __init__(self) -> None:
        self.roles = {ANA: {TEAM}, BEN: {TEAM}, BOT: {TEAM}}
        self.cached = {ANA, BEN, BOT}
        self.viewers = {TEAM}
        self.denied: set[str] = set()  # to everybody in the text channel
        self.text: Any = Mock(spec=discord.TextChannel, id=TEXT)
        self.text.permissions_for = self._permissions_for
        self.guild: Any = SimpleNamespace(
            me=SimpleNamespace(id=OWN),
            default_role=SimpleNamespace(roles=frozenset()),
            get_member=lambda one: self.member(one) if one in self.cached else None,
            get_channel=lambda one: self.voice if one == VOICE else None,
            get_channel_or_thread=lambda one: self.text if one == TEXT else None,
            query_members=self._query,
            fetch_channel=self._fetch,
        )
        self.voice: Any = Mock(spec=discord.VoiceChannel, guild=self.guild, voice_states={ANA: None})
        self.found: list[Any] = []
        self.asked: list[list[int]] = []
        self.error: Exception | None = None
        known = SimpleNamespace(get_guild=lambda one: self.guild if one == GUILD else None)
        self.now_s = 100.0
        self.audience = Audience(
            cast(discord.AutoShardedClient, known), GUILD, VOICE, TEXT, now_s=lambda: self.now_s
        )

    def member(self, user_id: int) -> Any:
        """Return somebody as Discord tells of them at this moment."""
        return SimpleNamespace(id=user_id, bot=user_id == BOT, roles=frozenset(self.roles[user_id]))

    def enter(self, *people: int) -> None:
        """Have so many people in the voice channel, and nobody else."""
        self.voice.voice_states = dict.fromkeys(people)

    def _permissions_for(self, seer: Any) -> discord.Permissions:
        can_view = bool(self.viewers & seer.roles) or EVERYONE in self.viewers
        granted = {"read_messages", "read_message_history", "connect"} if can_view else set()
        return discord.Permissions(**dict.fromkeys(granted - self.denied, True))

    async def _query(self, *, user_ids: list[int], limit: int, cache: bool) -> list[Any]:
        if self.error is not None:
            raise self.error
        self.asked.append(user_ids)
        return [self.member(one) for one in user_ids[:limit] if one in self.roles]

    async def _fetch(self, channel_id: int) -> Any:
        return self.found.pop()


@pytest.fixture
def server() -> Server:
    return Server()


def seen(server: Server) -> tuple[set[int], frozenset[int]]:
    """Look, and return who is kept and who is without sight of the notice."""
    server.audience.look()
    return {one for one in (0, ANA, BEN, BOT, OWN) if server.audience.keeps(one)}, server.audience.unsighted


def test_nobody_is_kept_before_the_first_look(server: Server) -> None:
    """Who has not been looked at is not kept, and not counted either."""
    assert not server.audience.keeps(ANA)
    assert server.audience.unsighted == frozenset()


def _without_the_role(server: Server) -> None:
    server.roles[BEN] = set()


def _by_unknown_roles(server: Server) -> None:
    server.cached = {ANA, BOT}


def _by_an_unknown_text_channel(server: Server) -> None:
    server.guild.get_channel_or_thread = lambda _: None


@pytest.mark.parametrize(
    ("kind", "denied", "expected"),
    [
        pytest.param(discord.TextChannel, "read_messages", False, id="may not view it"),
        pytest.param(discord.TextChannel, "read_message_history", False, id="may not look back"),
        pytest.param(discord.TextChannel, "connect", True, id="may not connect, in text"),
        pytest.param(discord.VoiceChannel, "connect", False, id="may not connect, in a voice channel's chat"),
    ],
)
def test_what_sight_takes(server: Server, kind: type, denied: str, expected: bool) -> None:
    """Who comes after the notice reads it in the history; the chat of a voice channel is for those who may connect,
    which whoever was moved there may lack."""
    server.text = Mock(spec=kind, id=TEXT, permissions_for=server._permissions_for)
    server.denied = {denied}

    assert seen(server) == (({ANA}, frozenset()) if expected else (set(), {ANA}))


@pytest.mark.parametrize(
    ("circumstance", "kept", "unsighted"),
    [
        pytest.param(lambda _: None, {ANA, BEN}, set(), id="all may view it"),
        pytest.param(_without_the_role, {ANA}, {BEN}, id="one may not"),
        pytest.param(_by_unknown_roles, {ANA}, {BEN}, id="the roles of one are not known"),
        pytest.param(_by_an_unknown_text_channel, set(), {ANA, BEN}, id="no such text channel is known"),
    ],
)
def test_who_is_kept(
    server: Server, circumstance: Callable[[Server], None], kept: set[int], unsighted: set[int]
) -> None:
    """Kept is who can certainly view the text channel; bots are neither kept nor counted."""
    server.enter(ANA, BEN, BOT, OWN)

    circumstance(server)

    assert seen(server) == (kept, unsighted)


def test_what_everyone_may_see_is_certain(server: Server) -> None:
    """Somebody whose roles are not known is kept where everyone can view the text channel."""
    server.viewers, server.cached = {EVERYONE}, set()
    server.enter(ANA, BEN)

    assert seen(server) == ({ANA, BEN}, frozenset())


def test_sight_that_is_lost_and_found(server: Server) -> None:
    """The right to view counts as it is at each look, not as it was on entering."""
    looks = [seen(server)]
    for viewers in (set(), {TEAM}):
        server.viewers = viewers
        looks.append(seen(server))

    assert looks == [({ANA}, frozenset()), (set(), {ANA}), ({ANA}, frozenset())]


def test_who_left_stays_as_they_were(server: Server) -> None:
    """The last words of somebody who left are kept, and whoever was not kept does not come to be by leaving."""
    server.roles[BEN] = set()
    server.enter(ANA, BEN)
    server.audience.look()

    server.enter()

    assert seen(server) == ({ANA}, frozenset())


def test_who_left_a_while_ago_is_a_stranger(server: Server) -> None:
    """Whoever comes back while the gateway is lost, and nobody looks at them, is not recorded as they were before."""
    kept = []
    for now_s, people in ((100.0, [ANA]), (101.0, []), (101.0 + LEFT_S - 0.1, []), (101.0 + LEFT_S, [])):
        server.now_s = now_s
        server.enter(*people)
        kept.append(seen(server)[0])

    assert kept == [{ANA}, {ANA}, {ANA}, set()]


@pytest.mark.parametrize("away", ["guild", "voice"])
def test_an_outage_changes_nothing(server: Server, away: str) -> None:
    """While nobody can tell who is there, what was found last counts."""
    server.audience.look()

    setattr(server, away, None)

    assert seen(server) == ({ANA}, frozenset())


def test_an_archived_thread_is_remembered(server: Server) -> None:
    """A thread that discord.py forgets because it is archived still counts as it was."""
    server.audience.look()

    server.guild.get_channel_or_thread = lambda _: None

    assert seen(server) == ({ANA}, frozenset())


async def test_roles_that_discord_did_not_tell_of(server: Server) -> None:
    """After a refresh a role that somebody got or lost meanwhile counts, and until they leave goes before the old."""
    server.roles[BEN] = set()
    server.enter(ANA, BEN)
    before = seen(server)
    stale = {one: server.member(one) for one in (ANA, BEN)}
    server.guild.get_member = stale.get
    server.roles = {ANA: set(), BEN: {TEAM}}

    unasked = seen(server)
    server.audience.refresh()
    await eventually(lambda: seen(server) != unasked, "the answer")
    after = seen(server)

    assert before == unasked == ({ANA}, {BEN})
    assert after == ({BEN}, {ANA})
    assert server.asked == [[ANA, BEN]]


async def test_strangers(server: Server) -> None:
    """Whoever has come, or come back, is a stranger until Discord was asked about them."""
    told = []
    for people in ([ANA], [ANA, BEN], [BEN], [ANA, BEN]):
        server.enter(*people)
        server.audience.look()
        before = server.audience.has_strangers
        await ask(server)
        server.audience.look()
        told.append((before, server.audience.has_strangers))

    assert told == [(True, False), (True, False), (False, False), (True, False)]


async def ask(server: Server) -> None:
    """Have Discord asked about everybody who is there, and answer."""
    server.audience.refresh()
    refreshing = server.audience._refreshing
    assert refreshing is not None
    await refreshing


async def test_strangers_of_whom_discord_does_not_tell(server: Server) -> None:
    """A question that failed is not repeated at every look."""
    server.error = OSError()
    server.audience.look()
    await ask(server)
    server.audience.look()

    assert not server.audience.has_strangers


async def test_many_people_are_asked_about_in_portions(server: Server) -> None:
    """Discord answers for a hundred people at a time."""
    server.enter(*range(1000, 1150))

    server.audience.refresh()
    await eventually(lambda: len(server.asked) == 2, "the second question")

    assert [len(one) for one in server.asked] == [100, 50]


async def test_one_question_at_a_time(server: Server) -> None:
    """A refresh while another waits asks nothing."""
    answer = asyncio.Event()
    asked = 0

    async def slow(**_: object) -> list[Any]:
        nonlocal asked
        asked += 1
        await answer.wait()
        return []

    server.guild.query_members = slow
    server.audience.refresh()
    await eventually(lambda: asked == 1, "the question")
    server.audience.refresh()
    answer.set()
    refreshing = server.audience._refreshing
    assert refreshing is not None
    await refreshing

    assert asked == 1


@pytest.mark.parametrize(
    "error",
    [asyncio.TimeoutError(), OSError(), RuntimeError("no websocket"), refusal(discord.Forbidden, 403)],
)
async def test_a_question_that_fails_changes_nothing(
    server: Server, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A Discord that does not answer leaves what is known, and the log says that it did not."""
    server.error = error
    before = seen(server)

    server.audience.refresh()
    await eventually(lambda: "did not tell the roles" in caplog.text, "the log line")

    assert seen(server) == before


async def test_a_thread_that_was_archived_before_the_start_is_fetched(server: Server) -> None:
    """A text channel that discord.py does not know is asked for, so that a revived meeting is recorded."""
    server.guild.get_channel_or_thread = lambda _: None
    server.found = [server.text]
    before = seen(server)

    server.audience.refresh()
    await eventually(lambda: seen(server) != before, "the thread")

    assert seen(server) == ({ANA}, frozenset())


def test_a_thread_without_its_channel_is_seen_by_nobody(server: Server) -> None:
    """A thread whose channel is gone has no permissions to go by."""

    def orphaned(_: object) -> discord.Permissions:
        raise discord.ClientException("Parent channel not found")

    server.text.permissions_for = orphaned

    assert seen(server) == (set(), {ANA})
