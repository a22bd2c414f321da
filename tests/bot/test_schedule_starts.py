"""Scheduled meetings: begun at their time or with the first arrival, once, or refused in a sentence."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import discord
import pytest

from standup.archive.manifest import Manifest
from standup.bot.schedule_notes import ScheduleNotes
from standup.bot.schedule_starts import ScheduledStarts
from standup.errors import ArchiveUnreachable, AudioCaptureError, ChannelUnreachable
from standup.meeting import Meeting
from standup.schedule import Schedule
from tests.bot.doubles import GUILD, OWN, TEXT, VOICE, eventually, refusal
from tests.bot.schedule_doubles import DAILY, DUE, Hands, listed


class House:
    """A guild with a voice and a text channel, a studio and a shelf, all in memory."""

    def __init__(self, folder: Path) -> None:
        self.hands = Hands()
        self.begun: list[str] = []
        self.running: Any = None
        self.is_busy = False
        self.error: Exception | None = None
        self.manifests: list[Manifest] = []
        self.told: list[str] = []
        self.post_error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.removed: list[Schedule] = []
        self.archive_error: Exception | None = None
        self.fetch_error: Exception = refusal(discord.NotFound, 404)
        self.guild = guild = SimpleNamespace(
            id=GUILD,
            unavailable=False,
            me=SimpleNamespace(id=OWN, voice=None),
            get_member=lambda _: SimpleNamespace(bot=False),
            default_role=SimpleNamespace(id=GUILD),
        )
        self.channel: Any = Mock(
            spec=discord.VoiceChannel, id=VOICE, user_limit=0, voice_states={5: None}, guild=guild
        )
        self.text: Any = Mock(spec=discord.TextChannel, id=TEXT, send=self._send)
        for one in (self.channel, self.text):
            one.permissions_for.return_value = discord.Permissions.all()
        self.channels = {VOICE: self.channel, TEXT: self.text}
        self._path = folder / "notes.json"
        self.again()

    def again(self) -> None:
        """Start anew, as after a restart."""
        studio = SimpleNamespace(
            recording_in=lambda _: self.running,
            is_busy=lambda _: self.is_busy or self.running is not None,
            begin=self._begin,
        )
        self.starts = ScheduledStarts(
            cast(
                Any,
                SimpleNamespace(
                    get_channel=self.channels.get, get_guild=lambda _: self.guild, fetch_channel=self._fetch
                ),
            ),
            cast(Any, studio),
            cast(Any, SimpleNamespace(manifests=self._manifests)),
            cast(Any, SimpleNamespace(all=(DAILY,), remove=self._remove)),
            ScheduleNotes(self._path),
            clock=self.hands,
        )

    async def look(self) -> None:
        """Look once, and wait for what comes of it."""
        self.starts.look()
        await asyncio.gather(*self.starts._busy.values())

    async def _begin(self, channel: Any, text: Any, started_by: str) -> None:
        self.begun.append(started_by)
        await self.gate.wait()
        if self.error is not None:
            raise self.error

    async def _manifests(self) -> tuple[Manifest, ...]:
        return tuple(self.manifests)

    async def _remove(self, schedule: Schedule) -> None:
        if self.archive_error is not None:
            raise self.archive_error
        self.removed.append(schedule)

    async def _send(self, content: str, **_: Any) -> Any:
        if self.post_error is not None:
            raise self.post_error
        self.told.append(content)
        return SimpleNamespace(id=1)

    async def _fetch(self, channel_id: int) -> Any:
        raise self.fetch_error


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.mark.parametrize(("minutes", "begins"), [(-0.1, 0), (0, 1), (14.9, 1), (15, 0)])
async def test_when(house: House, minutes: float, begins: int) -> None:
    """A meeting begins from its time on, for a quarter of an hour."""
    house.hands.now = Hands(minutes).now

    await house.look()

    assert len(house.begun) == begins


async def test_once(house: House) -> None:
    """It begins once, in this run and the next, and again the next day."""
    await house.look()
    await house.look()
    house.again()
    await house.look()
    same_day = len(house.begun)
    house.hands.now = Hands(24 * 60).now
    await house.look()

    assert (same_day, len(house.begun)) == (1, 2)


async def test_the_first_arrival(house: House) -> None:
    """An empty channel, or one with bots alone, is waited for; whoever comes begins the meeting."""
    house.channel.voice_states = {OWN: None}
    await house.look()
    before = list(house.begun)
    house.channel.voice_states = {OWN: None, 5: None}
    await house.look()

    assert (before, house.begun) == ([], ["the schedule"])


async def test_two_looks_at_once(house: House) -> None:
    """An arrival while the meeting is being begun begins no second one."""
    house.starts.look()
    house.starts.look()
    await asyncio.gather(*house.starts._busy.values())

    assert len(house.begun) == 1


def held(begins: float, ends: float | None, voice: str = str(VOICE)) -> Manifest:
    """A meeting that ran between two times, in minutes from the schedule's."""
    began: datetime = DUE + timedelta(minutes=begins)
    ended = None if ends is None else DUE + timedelta(minutes=ends)
    return Manifest(Meeting(f"{began:%Y%m%dT%H%M%SZ}-00000000", str(GUILD), voice, "3", began, ended))


@pytest.mark.parametrize(
    ("manifest", "begins"),
    [
        pytest.param(held(-60, -20), 1, id="long before"),
        pytest.param(held(-30, -14), 0, id="a little early"),
        pytest.param(held(1, 3), 0, id="stopped by hand"),
        pytest.param(held(-90, None), 0, id="unfinished"),
        pytest.param(held(-24 * 60, None), 1, id="never ended"),
        pytest.param(held(1, 3, "777"), 1, id="another channel"),
    ],
)
async def test_what_was_held_is_not_held_again(house: House, manifest: Manifest, begins: int) -> None:
    """A recording of the channel around the time is the meeting, whoever began it and however it ended."""
    house.hands.now = Hands(5).now
    house.manifests = [manifest]

    await house.look()

    assert len(house.begun) == begins


async def test_a_trial_before_the_schedule_does_not_count(house: House) -> None:
    """What was recorded before the schedule was made is no meeting of the schedule."""
    house.manifests = [held(-10, -5)]
    made = dataclasses.replace(DAILY, since=DUE - timedelta(minutes=2))
    house.starts._schedules = listed(made)

    await house.look()

    assert len(house.begun) == 1


async def test_a_running_recording_is_the_meeting(house: House) -> None:
    """What was begun by hand goes on, and is not begun again after its end."""
    house.running = SimpleNamespace(meeting=SimpleNamespace(voice_channel_id=str(VOICE)))
    await house.look()
    house.running = None
    await house.look()

    assert house.begun == []
    assert house.told == []


async def test_a_recording_elsewhere(house: House) -> None:
    """The bot can be in one channel of a server; it says so and begins when that recording has ended."""
    house.running = SimpleNamespace(meeting=SimpleNamespace(voice_channel_id="777"))
    await house.look()
    await house.look()
    house.running = None
    await house.look()

    assert len(house.told) == 1
    assert "<#777>" in house.told[0]
    assert len(house.begun) == 1


async def test_refusals_are_told_once(house: House) -> None:
    """What stands in the way is one message, also over a restart; mended, the meeting begins."""
    house.channel.permissions_for.return_value = discord.Permissions.none()
    await house.look()
    house.again()
    await house.look()
    house.channel.permissions_for.return_value = discord.Permissions.all()
    await house.look()

    assert len(house.told) == 1
    assert "**Connect**" in house.told[0]
    assert f"<t:{int(DUE.timestamp())}:t>" in house.told[0]
    assert len(house.begun) == 1


async def test_a_refusal_that_cannot_be_told(house: House) -> None:
    """A text channel that takes no message keeps nothing from being tried again."""
    house.text.permissions_for.return_value = discord.Permissions.none()
    house.post_error = refusal(discord.Forbidden, 403)
    await house.look()
    house.text.permissions_for.return_value = discord.Permissions.all()
    await house.look()

    assert len(house.begun) == 1


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        pytest.param(AudioCaptureError("UDP is blocked."), 1, id="not joined"),
        pytest.param(KeyError("a defect"), 1, id="defect"),
        pytest.param(ChannelUnreachable("later."), 2, id="Discord is away"),
    ],
)
async def test_what_fails(house: House, error: Exception, attempts: int) -> None:
    """A meeting whose own message says why it failed is let be; one that Discord did not take is tried again."""
    house.error = error
    await house.look()
    await house.look()

    assert len(house.begun) == attempts


async def test_a_text_channel_that_is_gone(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Without a place for the notice nothing is recorded; the log says so once."""
    del house.channels[TEXT]
    await house.look()
    await house.look()

    assert house.begun == []
    assert caplog.text.count("is not there") == 1


async def test_what_was_held_is_not_refused(house: House) -> None:
    """A meeting that is over needs nothing any more: what would stand in its way is not spoken of."""
    house.manifests = [held(-10, -2)]
    house.running = SimpleNamespace(meeting=SimpleNamespace(voice_channel_id="777"))
    await house.look()

    assert house.told == []


async def test_a_voice_channel_that_is_gone(house: House) -> None:
    """Nobody can name a deleted channel, so its schedule goes too, once Discord says that there is none."""
    del house.channels[VOICE]
    house.guild.unavailable = True
    await house.look()
    house.guild.unavailable = False
    house.fetch_error = refusal(discord.Forbidden, 403)
    await house.look()
    before = list(house.removed)
    house.fetch_error = refusal(discord.NotFound, 404)
    await house.look()

    assert (before, house.removed) == ([], [DAILY])


async def test_a_schedule_that_cannot_be_removed_now(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """A database that is away is asked again at the next occurrence, not every few seconds."""
    del house.channels[VOICE]
    house.archive_error = ArchiveUnreachable()
    await house.look()
    await house.look()

    assert caplog.text.count("could not be removed") == 1


async def test_a_start_that_the_end_of_the_program_cuts_off(house: House) -> None:
    """What fails because the program closes is begun by the next run."""
    house.gate.clear()
    house.error = AudioCaptureError("The connection was closed.")
    running = asyncio.create_task(house.starts.run())
    await eventually(lambda: bool(house.begun), "the start")
    busy = tuple(house.starts._busy.values())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    house.gate.set()
    await asyncio.gather(*busy, return_exceptions=True)
    house.error = None
    house.again()
    await house.look()

    assert len(house.begun) == 2


async def test_a_guild_that_is_busy_is_left_alone(house: House) -> None:
    """While a recording is being prepared or the program closes, nothing is begun and nothing said."""
    house.is_busy = True
    await house.look()

    assert house.begun == house.told == []


async def test_the_pause_ends_at_the_time(house: House) -> None:
    """The next look comes at the schedule's time, and after five seconds at the latest."""
    house.hands.now = DUE - timedelta(seconds=2)
    near = house.starts._pause_s()
    house.hands.now = DUE - timedelta(hours=2)

    assert (near, house.starts._pause_s()) == (2.0, 5.0)
