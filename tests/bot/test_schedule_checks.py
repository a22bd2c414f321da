"""Go or no-go: told once, in the right place, brought up to date, and forgotten by no restart."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import discord
import pytest

from standup.bot.schedule_checks import Preflight
from standup.bot.schedule_notes import ScheduleNotes
from standup.bot.schedule_wording import Trouble
from standup.schedule import Schedule
from tests.bot.doubles import TEXT, VOICE, refusal
from tests.bot.schedule_doubles import DAILY, Board, Hands, listed

REDIS = Trouble("Redis", "does not answer at /secret/place", "start it and check STANDUP_BROKER_URL")
CONNECT = Trouble(f"channel {VOICE}", "Connect not granted", "grant it in the channel's settings")
ELSEWHERE = Trouble("channel 777", "Connect not granted", "grant it in the channel's settings")
ALERTS = 9


class Watch:
    """A preflight with doubles for Discord, doctor and clock; `again` makes the one of the next run."""

    def __init__(self, folder: Path, *schedules: Schedule, alerts: str = "") -> None:
        self.board = Board()
        self.hands = Hands(-5)
        self.troubles: tuple[Trouble, ...] = ()
        self.asked: list[Collection[str]] = []
        self._path = folder / "notes.json"
        self._schedules = schedules or (DAILY,)
        self._alerts = alerts
        self.again()

    def again(self) -> None:
        self.preflight = Preflight(
            cast(Any, self.board),
            listed(*self._schedules),
            ScheduleNotes(self._path),
            self._examine,
            self._alerts,
            clock=self.hands,
            again_s=0.0,
        )

    async def look(self, *troubles: Trouble) -> None:
        self.troubles = troubles
        await self.preflight.look()

    async def _examine(self, channel_ids: Collection[str]) -> tuple[Trouble, ...]:
        self.asked.append(channel_ids)
        return self.troubles


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


@pytest.mark.parametrize(("minutes", "looks"), [(-5.1, 0), (-5, 1), (-0.1, 1), (0, 0), (3, 0)])
async def test_when(watch: Watch, minutes: float, looks: int) -> None:
    """It looks in the five minutes before the time, at no other time."""
    watch.hands.now = Hands(minutes).now

    await watch.look()

    assert watch.asked == [[str(VOICE), str(TEXT)]] * looks


async def test_nothing_is_said_when_all_is_well(watch: Watch) -> None:
    """A go is silent, and is not looked at again by this run or the next."""
    await watch.look()
    await watch.look(REDIS)
    watch.again()
    await watch.look(REDIS)

    assert watch.board.contents == {}
    assert len(watch.asked) == 1


async def test_no_go_then_go(watch: Watch) -> None:
    """One message follows what is found, over a restart too, and ends as a go."""
    await watch.look(REDIS, CONNECT)
    first = watch.board.contents[1]
    watch.again()
    await watch.look(CONNECT)
    second = watch.board.contents[1]
    await watch.look()
    await watch.look(REDIS)

    assert "**Redis**" in first
    assert f"<#{VOICE}>: Connect not granted" in second
    assert "Redis" not in second
    assert watch.board.contents[1].startswith("🟢 **Go")
    assert watch.board.channels == [TEXT]


async def test_an_unchanged_no_go_is_not_edited(watch: Watch) -> None:
    """What is shown already costs no call."""
    await watch.look(REDIS)
    await watch.look(REDIS)

    assert watch.board.edits == 0


async def test_the_operator_reads_more(tmp_path: Path) -> None:
    """With an alert channel the findings go there and the team is told so; without one nobody sees them."""
    watch = Watch(tmp_path, alerts=str(ALERTS))
    await watch.look(REDIS, CONNECT)
    alert, team = watch.board.contents.values()
    await watch.look()

    assert watch.board.channels == [ALERTS, TEXT]
    assert "/secret/place" in alert
    assert "STANDUP_BROKER_URL" in alert
    assert "Redis: whoever operates me" in team
    assert "STANDUP_BROKER_URL" not in team
    assert "Connect not granted" in team
    assert all("Go for" in one for one in watch.board.contents.values())


async def test_findings_stay_out_of_the_team_channel(watch: Watch) -> None:
    """Without an alert channel the team reads the next step, and nothing of the operator's machine."""
    await watch.look(REDIS)

    assert "start it and check" in watch.board.contents[1]
    assert "/secret" not in watch.board.contents[1]


async def test_other_channels_do_not_count(watch: Watch) -> None:
    """What is wrong in another team's channel stops this meeting not."""
    await watch.look(ELSEWHERE)

    assert watch.board.contents == {}


async def test_one_examination_serves_all(tmp_path: Path) -> None:
    """Two standups at the same time are examined together and told apart."""
    other = dataclasses.replace(DAILY, voice_channel_id="777", text_channel_id="778")
    watch = Watch(tmp_path, DAILY, other)

    await watch.look(ELSEWHERE)

    assert watch.asked == [sorted([str(VOICE), str(TEXT), "777", "778"])]
    assert watch.board.channels == [778]


async def test_what_discord_refuses_is_tried_again(watch: Watch) -> None:
    """A no-go that could not be posted is posted by the next look, under the same nonce."""
    watch.board.error = refusal(discord.Forbidden, 403)
    await watch.look(CONNECT)
    watch.board.error = None
    await watch.look(CONNECT)
    watch.board.error = refusal(discord.DiscordServerError, 503)
    await watch.look()
    watch.board.error = None
    await watch.look()

    assert watch.board.channels == [TEXT]
    assert "Go for" in watch.board.contents[1]


async def test_a_run_that_ends_while_it_posts(watch: Watch) -> None:
    """A no-go whose posting nobody saw the end of is found by the next run, and changed like any other."""
    watch.board.is_interrupted = True
    with pytest.raises(asyncio.CancelledError):
        await watch.look(REDIS)
    watch.board.is_interrupted = False
    watch.again()
    await watch.look()

    assert watch.board.channels == [TEXT]
    assert "Go for" in watch.board.contents[1]


async def test_a_deleted_message_is_not_posted_again(watch: Watch) -> None:
    """Whoever deletes the no-go is not told a second time."""
    await watch.look(REDIS)
    del watch.board.contents[1]
    await watch.look(CONNECT)
    await watch.look()

    assert watch.board.channels == [TEXT]


async def test_too_late_to_tell(watch: Watch) -> None:
    """An examination that ends after the time is of no use to anybody."""

    async def slow(_: Collection[str]) -> tuple[Trouble, ...]:
        watch.hands.now = Hands(0).now
        return (REDIS,)

    watch.preflight._examine = slow
    await watch.preflight.look()

    assert watch.board.contents == {}


async def test_the_next_day_is_another_occurrence(watch: Watch) -> None:
    """Yesterday's messages are left alone; today has its own."""
    await watch.look(REDIS)
    watch.hands.now = Hands(24 * 60 - 5).now
    await watch.look(REDIS)

    assert len(watch.board.channels) == 2
    assert len(set(watch.board.nonces)) == 2
