"""What a restarted recorder does with the meetings it finds."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import discord
import pytest

from standup.archive.manifest import Manifest
from standup.bot.meeting_clock import MeetingClock
from standup.bot.message import MeetingMessage
from standup.bot.recording import Recording
from standup.bot.revival import Revival
from standup.bot.shelf import Shelf
from standup.bot.studio import Studio
from standup.errors import JournalUnreadable
from standup.meeting import Meeting
from standup.notice import Notice
from standup.simulator.participant import Participant
from standup.simulator.server import LoopbackDiscord
from tests.bot.doubles import MEETING_ID, KeptManifests, Stage, TextDouble, new_meeting, refusal
from tests.bot.programs import Ask, Frames, Program

MINUTE = timedelta(minutes=1)


class ShelfDouble(KeptManifests):
    """A shelf with one manifest and the time of its last packet."""

    def __init__(self, manifest: Manifest, last_at: datetime | Exception | None) -> None:
        super().__init__()
        self.manifest = manifest
        self.last_alive: datetime | None = None
        self._last_at = last_at

    async def manifests(self) -> tuple[Manifest, ...]:
        return (self.manifest,)

    async def last_packet_at(self, meeting_id: str) -> datetime | None:
        if isinstance(self._last_at, Exception):
            raise self._last_at
        return self._last_at

    async def last_alive_at(self, meeting_id: str) -> datetime | None:
        return self.last_alive


class StudioDouble:
    """Remembers what was launched and followed."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.launched: list[Recording] = []
        self.followed: list[Meeting] = []

    def reserved(self, guild_id: int) -> AbstractContextManager[None]:
        return nullcontext()

    async def equip(self, manifest: Manifest, message: MeetingMessage, guild: discord.Guild) -> Recording:
        self.stage.recording.manifest = manifest
        clock = MeetingClock(manifest.meeting.started_at)
        self.stage.recording.equipment = dataclasses.replace(self.stage.recording.equipment, clock=clock)
        return self.stage.recording

    def launch(self, recording: Recording) -> None:
        self.launched.append(recording)

    def follow(self, meeting: Meeting, message: MeetingMessage, decorate: Callable[[Notice], Notice]) -> None:
        self.followed.append(meeting)


def bot(text: TextDouble, people: int) -> discord.AutoShardedClient:
    """Return a client that knows one voice channel with so many people in it."""
    guild = SimpleNamespace(id=1, me=SimpleNamespace(id=99), get_member=lambda _: None)
    channel = Mock(spec=discord.VoiceChannel, guild=guild, voice_states=dict.fromkeys(range(10, 10 + people)))
    known = SimpleNamespace(
        get_guild=lambda _: SimpleNamespace(unavailable=False),
        get_channel=lambda _: channel,
        get_partial_messageable=lambda *_, **__: text,
    )
    return cast(discord.AutoShardedClient, known)


class Restart:
    """A recorder's restart with one unfinished meeting."""

    def __init__(self, *, people: int, age: timedelta = MINUTE, ended: timedelta | None = None) -> None:
        now = datetime.now(timezone.utc)
        self.last_at = now - age
        meeting = new_meeting(now - age - MINUTE)
        if ended is not None:
            meeting = dataclasses.replace(meeting, ended_at=now - ended)
        self.text = TextDouble()
        self.text.contents[1001] = "recording"
        self.shelf = ShelfDouble(Manifest(meeting, (), "1001"), self.last_at)
        self.studio = StudioDouble(Stage())
        self._bot = bot(self.text, people)

    async def run(self) -> None:
        revival = Revival(self._bot, cast(Studio, self.studio), cast(Shelf, self.shelf))
        await revival.look()
        await revival.run()


async def test_continued() -> None:
    """With people in the channel a fresh meeting goes on, and the time without a recorder is a gap."""
    restart = Restart(people=2)

    await restart.run()

    (recording,) = restart.studio.launched
    (gap,) = recording.gaps.closed
    assert recording.meeting.id == MEETING_ID
    assert 59_000 <= gap.from_ms <= 61_000
    assert gap.until_ms - gap.from_ms >= 60_000


async def test_continued_when_the_guild_is_available_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """While Discord calls the guild unavailable nobody knows who is there, and the meeting is not over."""
    monkeypatch.setattr("standup.bot.revival.LOOK_S", 0.001)
    restart = Restart(people=2)
    looks = iter([True, True, True])
    known = cast(Any, restart._bot)
    channel = known.get_channel(0)
    guild = SimpleNamespace(unavailable=True)

    def get_guild(_: int) -> SimpleNamespace:
        guild.unavailable = next(looks, False)
        return guild

    known.get_guild = get_guild
    known.get_channel = lambda _: None if guild.unavailable else channel

    await restart.run()

    assert len(restart.studio.launched) == 1


async def test_a_slow_discord_holds_no_meeting_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that cannot be edited in time is left to the recording; nothing is posted a second time."""
    monkeypatch.setattr("standup.bot.revival.NOTICE_S", 0.01)
    restart = Restart(people=2)
    never = SimpleNamespace(edit=lambda **_: asyncio.Event().wait())
    monkeypatch.setattr(restart.text, "get_partial_message", lambda _: never)

    await asyncio.wait_for(restart.run(), 20)

    assert len(restart.studio.launched) == 1
    assert restart.text.nonces == []


async def test_a_quiet_meeting_is_continued() -> None:
    """Where nobody spoke for long but the recorder was alive until now, the gap is only the time without it."""
    restart = Restart(people=2, age=30 * MINUTE)
    restart.shelf.last_alive = datetime.now(timezone.utc) - MINUTE

    await restart.run()

    (recording,) = restart.studio.launched
    (gap,) = recording.gaps.closed
    assert 60_000 <= gap.until_ms - gap.from_ms < 90_000


@pytest.mark.parametrize("people", [2, 0], ids=["continued", "ended"])
async def test_a_meeting_that_was_about_to_be_joined(people: int) -> None:
    """A meeting that the archive was not to know yet is one for it now, however it goes on."""
    restart = Restart(people=people)
    restart.shelf.manifest = dataclasses.replace(restart.shelf.manifest, adopted=True)

    await restart.run()

    manifests = [*restart.shelf.all, *(one.manifest for one in restart.studio.launched)]
    assert [one.adopted for one in manifests] == [False]


@pytest.mark.parametrize(
    "restart",
    [
        pytest.param(Restart(people=0), id="nobody there"),
        pytest.param(Restart(people=2, age=11 * MINUTE), id="too old"),
    ],
)
async def test_ended(restart: Restart) -> None:
    """A meeting that is over ends at its last packet and is followed to its notes."""
    await restart.run()

    assert restart.studio.launched == []
    assert restart.shelf.last.meeting.ended_at == restart.last_at
    assert [one.id for one in restart.studio.followed] == [MEETING_ID]


async def test_ended_when_the_disk_has_space_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full at the start keeps the meeting open only until it takes the end."""
    monkeypatch.setattr("standup.bot.revival.TRY_AGAIN_S", 0.001)
    restart = Restart(people=0)
    restart.shelf._refusals = 3

    await restart.run()

    assert restart.shelf.last.meeting.ended_at == restart.last_at
    assert [one.id for one in restart.studio.followed] == [MEETING_ID]


async def test_ended_when_rejoining_fails() -> None:
    """A meeting that could have gone on but cannot be joined again is worked off."""
    restart = Restart(people=2)
    restart.studio.stage.line.rejoin_cures = False

    await restart.run()

    assert restart.studio.launched == []
    assert restart.shelf.last.meeting.ended_at == restart.last_at


async def test_no_notice_no_continuation() -> None:
    """A meeting whose notice is gone and cannot be posted again is not recorded on."""
    restart = Restart(people=2)
    restart.text.edit_error = restart.text.send_error = refusal(discord.Forbidden, 403)

    await restart.run()

    assert restart.studio.launched == []
    assert restart.shelf.last.meeting.ended_at == restart.last_at


async def test_a_deleted_notice_is_posted_again() -> None:
    """A continued meeting has a notice in the channel, and the manifest knows which."""
    restart = Restart(people=2)
    restart.text.contents.clear()

    await restart.run()

    (recording,) = restart.studio.launched
    (message_id,) = restart.text.contents
    assert recording.manifest.message_id == str(message_id)


async def test_an_unreadable_journal_still_ends_the_meeting(caplog: pytest.LogCaptureFixture) -> None:
    """A journal that cannot be read does not keep the meeting open for ever."""
    restart = Restart(people=0)
    restart.shelf = ShelfDouble(
        Manifest(new_meeting(), (), "1001"), JournalUnreadable("The journal is damaged; restore it.")
    )

    await restart.run()

    assert restart.shelf.last.meeting.ended_at == restart.shelf.last.meeting.started_at
    assert "The journal is damaged" in caplog.text


@pytest.mark.parametrize(
    ("ended", "followed"),
    [pytest.param(MINUTE, 1, id="a minute ago"), pytest.param(timedelta(days=2), 0, id="days ago")],
)
async def test_meetings_that_had_ended(ended: timedelta, followed: int) -> None:
    """Those of today are followed to their notes; older ones, and none, are recorded again."""
    restart = Restart(people=2, ended=ended)

    await restart.run()

    assert len(restart.studio.followed) == followed
    assert restart.studio.launched == []


async def test_a_defect_stops_only_its_meeting(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong with one meeting is logged, and its audio stays."""
    restart = Restart(people=2)
    restart.studio = cast(Any, SimpleNamespace())

    await restart.run()

    assert "its audio is on disk" in caplog.text


@pytest.mark.integration
async def test_goes_on_while_discord_refuses_edits(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """A Discord whose REST interface answers with errors delays no resumed recording."""
    await answer_to(discord, ana, "start")
    await discord.wait_for_bot_voice(timeout_s=20)
    await ana.speak(frames(1, 50))
    discord.fail("PATCH /channels/{channel_id}/messages/{message_id}", status=500, times=200)

    await recorder.end(signal.SIGKILL)
    recorder.start()
    await discord.wait_until(
        lambda: "Recorder ready" in recorder.log("recorder").split("Recorder started")[-1],
        timeout_s=60,
        what="the recorder",
    )

    await discord.wait_until(
        lambda: "Recording resumed" in recorder.log("recorder"), timeout_s=15, what="the continued meeting"
    )
    assert "could not be edited" not in recorder.log("recorder")
