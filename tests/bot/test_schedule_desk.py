"""Orders about schedules: who may give them, and the sentences that answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import discord
import pytest

from standup.bot import obstacles, schedule_desk
from standup.bot.schedule_desk import ScheduleDesk
from standup.bot.schedule_list import ScheduleList
from standup.errors import InputRefused
from tests.bot.doubles import GUILD, OWN, TEXT, VOICE
from tests.bot.schedule_doubles import DUE_S, Hands
from tests.bot.test_schedule_list import BookDouble


class Order:
    """A lead in a voice channel, and a desk; change what the test is about."""

    def __init__(self) -> None:
        self.book = BookDouble()
        self.desk = ScheduleDesk(ScheduleList(cast(Any, self.book)), clock=Hands(-60))
        guild = SimpleNamespace(id=GUILD, me=SimpleNamespace(id=OWN, voice=None))
        self.voice: Any = Mock(spec=discord.VoiceChannel, id=VOICE, guild=guild)
        self.text: Any = Mock(spec=discord.TextChannel, id=TEXT)
        for one in (self.voice, self.text):
            one.permissions_for.return_value = discord.Permissions.all()
        self.user: Any = Mock(spec=discord.Member, voice=SimpleNamespace(channel=self.voice))
        self.rights = discord.Permissions(manage_guild=True)

    async def schedule(
        self, time: str = "10:00", days: str = "Mon-Fri", zone: str = "UTC", channel: Any = None
    ) -> str:
        return await self.desk.schedule(self._interaction, channel, time, days, zone)

    async def unschedule(self) -> str:
        return await self.desk.unschedule(self._interaction, None)

    @property
    def _interaction(self) -> Any:
        return SimpleNamespace(user=self.user, permissions=self.rights, channel=self.text)


@pytest.fixture
async def order() -> Order:
    return Order()


async def test_schedule(order: Order) -> None:
    """The answer names channel, times and the next standup; the schedule is kept."""
    told = await order.schedule()

    (kept,) = order.book.kept.values()
    assert (kept.voice_channel_id, kept.text_channel_id) == (str(VOICE), str(TEXT))
    assert f"<#{VOICE}> Mon-Fri at 10:00 (UTC)" in told
    assert f"Next standup: <t:{DUE_S}:F>" in told


def _in_a_direct_message(order: Order) -> None:
    order.user = Mock(spec=discord.User)


def _without_the_right(order: Order) -> None:
    order.rights = discord.Permissions(manage_channels=True)


def _outside_voice(order: Order) -> None:
    order.user.voice = None


def _on_a_stage(order: Order) -> None:
    order.user.voice.channel = Mock(spec=discord.StageChannel)


def _in_a_forum(order: Order) -> None:
    order.text = Mock(spec=discord.ForumChannel)


def _without_connect(order: Order) -> None:
    order.voice.permissions_for.return_value = discord.Permissions(view_channel=True)


def _in_a_private_thread(order: Order) -> None:
    order.text = Mock(spec=discord.Thread, id=TEXT)
    order.text.permissions_for.return_value = discord.Permissions.all()
    order.text.is_private.return_value = True


@pytest.mark.parametrize(
    ("circumstance", "expected"),
    [
        pytest.param(_in_a_direct_message, schedule_desk.ONLY_IN_SERVERS, id="direct message"),
        pytest.param(_without_the_right, schedule_desk.NOT_ALLOWED, id="no right"),
        pytest.param(_outside_voice, schedule_desk.WHICH_CHANNEL, id="no channel"),
        pytest.param(_on_a_stage, schedule_desk.WHICH_CHANNEL, id="stage"),
        pytest.param(_in_a_forum, schedule_desk.NOT_A_TEXT_CHANNEL, id="no text channel"),
        pytest.param(_without_connect, "**Connect**", id="may not connect"),
        pytest.param(_in_a_private_thread, obstacles.PRIVATE_THREAD, id="private thread"),
    ],
)
async def test_refused(order: Order, circumstance: Any, expected: str) -> None:
    """Each obstacle has its sentence, and nothing is kept."""
    circumstance(order)

    assert expected in await order.schedule()
    assert order.book.kept == {}


@pytest.mark.parametrize("wrong", [{"time": "25:00"}, {"days": "someday"}, {"zone": "Nowhere"}])
async def test_nonsense(order: Order, wrong: dict[str, str]) -> None:
    """What cannot be understood is refused with an example, and nothing is kept."""
    with pytest.raises(InputRefused, match="write"):
        await order.schedule(**wrong)
    assert order.book.kept == {}


async def test_a_named_channel_goes_before_the_askers(order: Order) -> None:
    """A lead who sits elsewhere schedules the channel that is named."""
    order.user.voice = None

    assert f"<#{VOICE}>" in await order.schedule(channel=order.voice)


async def test_unschedule(order: Order) -> None:
    """A schedule is taken back; where there is none, that is said."""
    await order.schedule()
    gone = await order.unschedule()

    assert gone == f"I no longer record <#{VOICE}> Mon-Fri at 10:00 (UTC)."
    assert "has no schedule" in await order.unschedule()
    assert order.desk.next_in(GUILD) == ""


async def test_next_in_the_guild(order: Order) -> None:
    """Status tells the next standup and how many more there are."""
    await order.schedule(time="12:00")
    order.voice.id = 77
    await order.schedule()

    assert order.desk.next_in(GUILD) == f"Next standup: <t:{DUE_S}:F> in <#77>. 1 more scheduled."
