"""All recordings of a process: one per guild, suspended as a whole, ended one by one."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from standup.archive.manifest import Manifest
from standup.bot import message as message_module
from standup.bot import progress
from standup.bot import recording as recording_module
from standup.bot.endings import Ending, Limits
from standup.bot.live_thread import LiveThreads
from standup.bot.message import MeetingMessage
from standup.bot.recording import Recording
from standup.bot.shelf import Shelf
from standup.bot.studio import Studio
from standup.errors import AudioCaptureError, ChannelForbidden
from standup.meeting import Meeting
from standup.pipeline import StageStatus
from tests.bot.doubles import GUILD, VOICE, Stage, TextDouble, eventually, refusal


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "ROUND_S", 0.001)
    monkeypatch.setattr(progress, "ROUND_S", 0.001)
    monkeypatch.setattr(message_module, "EDIT_EVERY_S", 0.0)


class ShelfDouble:
    """Remembers what was discarded."""

    def __init__(self) -> None:
        self.discarded: list[str] = []

    async def discard_empty(self, meeting_id: str) -> None:
        self.discarded.append(meeting_id)


class IdleStages:
    """A dispatcher that never gets to the meeting."""

    def stages(self, meeting_id: str) -> tuple[StageStatus, ...]:
        return ()

    def forget(self, meeting_id: str) -> None: ...

    def repeat_notify(self, meeting_id: str) -> None: ...


class LiveDouble:
    """Live threads that note what they are told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.error: Exception | None = None

    async def follow(self, meeting: Meeting, message: MeetingMessage, ended: asyncio.Event) -> None:
        self.told.append(f"follow {message.message_id}")
        if self.error is not None:
            raise self.error
        await ended.wait()
        self.told.append("ended")

    async def finish(self, meeting: Meeting, message: MeetingMessage) -> None:
        self.told.append(f"finish {message.message_id}")


class StagedStudio(Studio):
    """A studio whose recordings have doubles for a voice connection and a journal."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.shelf_double = ShelfDouble()
        self.live_double = LiveDouble()
        limits = Limits(empty_grace_ms=30_000, longest_ms=3_600_000)
        live = cast(LiveThreads, self.live_double)
        super().__init__(cast(Any, None), cast(Shelf, self.shelf_double), IdleStages(), limits, live)

    async def equip(self, manifest: Manifest, message: MeetingMessage, guild: discord.Guild) -> Recording:
        old = self.stage.recording.equipment
        self.stage.recording.equipment = dataclasses.replace(old, message=message)
        self.stage.recording.manifest = manifest
        return self.stage.recording


CHANNEL = cast(discord.VoiceChannel, SimpleNamespace(id=VOICE, name="daily", guild=SimpleNamespace(id=GUILD)))


@pytest.fixture
def text() -> TextDouble:
    return TextDouble()


@pytest.fixture
async def studio() -> StagedStudio:
    return StagedStudio()


async def test_begin_and_stop(studio: StagedStudio, text: TextDouble) -> None:
    """A recording stands from begin until it is closed, and is then followed; it knows its channel by name."""
    recording = await studio.begin(CHANNEL, text, "Ana")
    during = studio.recording_in(GUILD)

    recording.stop(Ending.ASKED)
    await asyncio.wait_for(recording.is_closed.wait(), 5)
    await eventually(lambda: "has ended" in next(iter(text.contents.values())), "the progress")
    await studio.suspend()

    assert during is recording
    assert recording.meeting.voice_channel_name == "daily"
    assert studio.recording_in(GUILD) is None


async def test_a_look_reaches_the_recording(studio: StagedStudio, text: TextDouble) -> None:
    """News of who is in a voice channel are looked at by the recording of that server, and by none elsewhere."""
    recording = await studio.begin(CHANNEL, text, "Ana")
    studio.stage.audience.blind = frozenset({6})

    studio.look(GUILD + 1)
    before = studio.stage.audience.unsighted
    studio.look(GUILD)
    after = studio.stage.audience.unsighted
    recording.stop(Ending.ASKED)
    await asyncio.wait_for(recording.is_closed.wait(), 5)
    await studio.suspend()

    assert (before, after) == (frozenset(), {6})


async def test_the_notice_comes_first(studio: StagedStudio, text: TextDouble) -> None:
    """Without the notice nothing is joined and nothing is reserved."""
    text.send_error = refusal(discord.Forbidden, 403)

    with pytest.raises(ChannelForbidden):
        await studio.begin(CHANNEL, text, "Ana")

    assert studio.stage.kept.all == []
    assert not studio.is_busy(GUILD)


async def test_a_failed_join_is_told_and_cleared(studio: StagedStudio, text: TextDouble) -> None:
    """When joining fails the notice says that nothing was recorded, and the guild is free again."""
    studio.stage.line.join_error = AudioCaptureError("UDP is blocked.")

    with pytest.raises(AudioCaptureError, match="UDP"):
        await studio.begin(CHANNEL, text, "Ana")

    (content,) = text.contents.values()
    assert "Nothing was recorded" in content
    assert len(studio.shelf_double.discarded) == 1
    assert not studio.is_busy(GUILD)


async def test_a_recording_that_is_unwanted_before_it_began(studio: StagedStudio, text: TextDouble) -> None:
    """Who stops a recording that is still joining has it end as soon as it runs."""
    wishes: list[bool] = []

    async def join() -> None:
        assert studio.recording_in(GUILD) is None
        wishes.append(studio.stop_once_begun(GUILD))

    studio.stage.line.join = join  # type: ignore[method-assign]

    recording = await studio.begin(CHANNEL, text, "Ana")
    await asyncio.wait_for(recording.is_closed.wait(), 5)
    await studio.suspend()

    assert wishes == [True]
    assert recording.ending is Ending.ASKED


async def test_there_is_nothing_to_stop(studio: StagedStudio, text: TextDouble) -> None:
    """Only a recording that is being prepared can be unwanted, and the wish does not outlive it."""
    before = studio.stop_once_begun(GUILD)
    with suppress(KeyError), studio.reserved(GUILD):
        during = studio.stop_once_begun(GUILD)
        raise KeyError

    recording = await studio.begin(CHANNEL, text, "Ana")
    await eventually(lambda: studio.stage.line.keepalives > 0, "a round")
    ending = recording.ending
    await studio.suspend()

    assert (before, during) == (False, True)
    assert ending is None


async def test_one_recording_per_guild(studio: StagedStudio, text: TextDouble) -> None:
    """A second start in the guild is refused, also while the first is still beginning."""
    with studio.reserved(GUILD), pytest.raises(AudioCaptureError, match="already"):
        await studio.begin(CHANNEL, text, "Ana")


async def test_suspend_leaves_the_meeting_unfinished(studio: StagedStudio, text: TextDouble) -> None:
    """A restart closes the journal and says so; the meeting has no end."""
    await studio.begin(CHANNEL, text, "Ana")

    await studio.suspend()

    (content,) = text.contents.values()
    assert studio.stage.journal.is_closed
    assert studio.stage.kept.last.meeting.ended_at is None
    assert "restarted" in content
    assert studio.is_busy(GUILD)


async def test_suspend_lets_an_ending_finish(studio: StagedStudio, text: TextDouble) -> None:
    """A recording that was stopped just before the restart ends; it is not resumed."""
    recording = await studio.begin(CHANNEL, text, "Ana")
    recording.stop(Ending.ASKED)

    await studio.suspend()

    assert studio.stage.kept.last.meeting.ended_at is not None


async def test_the_live_thread_goes_beside(studio: StagedStudio, text: TextDouble) -> None:
    """The live thread knows the message and the end of a recording, and of one that an earlier run ended."""
    recording = await studio.begin(CHANNEL, text, "Ana")
    await eventually(lambda: studio.live_double.told != [], "the live thread")
    recording.stop(Ending.ASKED)
    await eventually(lambda: "ended" in studio.live_double.told, "its end")
    studio.follow(recording.meeting, recording.equipment.message, lambda notice: notice)
    await eventually(lambda: len(studio.live_double.told) == 3, "another end")
    await studio.suspend()

    assert studio.live_double.told == ["follow 1001", "ended", "finish 1001"]


async def test_a_live_thread_that_fails(studio: StagedStudio, text: TextDouble) -> None:
    """A defect in the live thread costs the recording nothing."""
    studio.live_double.error = RuntimeError("defect")
    recording = await studio.begin(CHANNEL, text, "Ana")
    await eventually(lambda: studio.stage.line.keepalives > 0, "a round")
    recording.stop(Ending.ASKED)
    await asyncio.wait_for(recording.is_closed.wait(), 5)
    await studio.suspend()

    assert recording.ending is Ending.ASKED


async def test_a_live_thread_holds_no_restart_up(studio: StagedStudio, text: TextDouble) -> None:
    """Suspending ends what goes on beside the recordings too."""
    await studio.begin(CHANNEL, text, "Ana")
    await eventually(lambda: studio.live_double.told != [], "the live thread")
    await asyncio.wait_for(studio.suspend(), 5)
    assert studio._tasks == {}


async def test_quieted_people_are_not_expected(studio: StagedStudio, text: TextDouble) -> None:
    """News about muted people reach the listener of their guild, and no other."""
    await studio.begin(CHANNEL, text, "Ana")

    studio.quieted(GUILD, 5)
    studio.quieted(GUILD + 1, 5)

    assert studio.stage.listener.deaf_ms is None
    await studio.suspend()
