"""The life of a recording: what ends it, what its notice says, and what is on disk in the end."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import discord
import pytest

from standup.bot import message as message_module
from standup.bot import recording as recording_module
from standup.bot.endings import Ending, Limits
from standup.capture.writer import JournalHealth, JournalState
from standup.errors import AudioCaptureError
from standup.meeting import Gap, MeetingState
from tests.bot.doubles import Stage, eventually, refusal


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "ROUND_S", 0.001)
    monkeypatch.setattr(recording_module, "TRY_AGAIN_S", 0.0)
    monkeypatch.setattr(message_module, "EDIT_EVERY_S", 0.0)


def _asked(stage: Stage) -> None:
    stage.recording.stop(Ending.ASKED)


def _removed(stage: Stage) -> None:
    stage.line.ending = Ending.REMOVED


def _emptied(stage: Stage) -> None:
    stage.line.people = frozenset()


def _deaf_for_good(stage: Stage) -> None:
    stage.line.deaf_ms = 10_000
    stage.line.rejoin_cures = False


def _notice_forbidden(stage: Stage) -> None:
    stage.text.edit_error = stage.text.send_error = refusal(discord.Forbidden, 403)


def _too_long(stage: Stage) -> None:
    manifest = stage.recording.manifest
    long_ago = datetime.now(timezone.utc) - timedelta(hours=2)
    stage.recording.manifest = dataclasses.replace(
        manifest, meeting=dataclasses.replace(manifest.meeting, started_at=long_ago)
    )


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        pytest.param(_asked, Ending.ASKED, id="asked"),
        pytest.param(_removed, Ending.REMOVED, id="removed"),
        pytest.param(_emptied, Ending.EMPTY, id="everybody left"),
        pytest.param(_deaf_for_good, Ending.DEAF, id="deaf"),
        pytest.param(_notice_forbidden, Ending.NO_NOTICE, id="no notice"),
        pytest.param(_too_long, Ending.TOO_LONG, id="too long"),
    ],
)
async def test_endings(cause: Callable[[Stage], None], expected: Ending) -> None:
    """Each cause ends the recording with its own reason."""
    stage = Stage(limits=Limits(empty_grace_ms=5, longest_ms=3_600_000))

    cause(stage)

    assert await asyncio.wait_for(stage.recording.run(), 5) is expected


async def test_begin_makes_the_meeting_known() -> None:
    """Once joined, the manifest is on disk with everybody who is there."""
    stage = Stage()

    await stage.recording.begin()

    assert [one.name for one in stage.kept.last.participants] == ["User 5"]
    assert stage.kept.last.meeting.state is MeetingState.RECORDING


async def test_a_join_that_fails_leaves_nothing_held() -> None:
    """When the channel cannot be joined, the journal is closed and no manifest was written."""
    stage = Stage()
    stage.line.join_error = AudioCaptureError("no way in")

    with pytest.raises(AudioCaptureError, match="no way in"):
        await stage.recording.begin()

    assert stage.journal.is_closed
    assert stage.kept.all == []


async def test_close_hands_the_meeting_over() -> None:
    """In the end the seat is given up, the journal closed, and the manifest says when it ended."""
    stage = Stage()

    await stage.recording.close(Ending.ASKED)

    assert stage.line.has_left
    assert stage.journal.is_closed
    assert stage.kept.last.meeting.state is MeetingState.PROCESSING
    assert stage.kept.last.meeting.ended_at is not None
    assert stage.recording.is_closed.is_set()


async def test_close_insists_on_the_disk() -> None:
    """A disk that refuses the last manifest is tried until it takes it."""
    stage = Stage(refusals=3)

    await stage.recording.close(Ending.ASKED)

    assert len(stage.kept.all) == 1


async def test_release_leaves_the_meeting_unfinished() -> None:
    """A suspended recording closes its journal and has no end, so that it can be resumed."""
    stage = Stage()
    await stage.recording.begin()

    await stage.recording.release()

    assert stage.journal.is_closed
    assert stage.kept.last.meeting.ended_at is None


async def test_newcomers_are_participants() -> None:
    """Somebody who joins later, or is only heard, is in the manifest."""
    stage = Stage()
    await stage.recording.begin()
    running = asyncio.create_task(stage.recording.run())

    stage.line.people = frozenset({5, 6})
    await eventually(lambda: len(stage.kept.last.participants) == 2, "the newcomer")
    stage.recording.stop(Ending.ASKED)
    await running

    assert [one.id for one in stage.kept.last.participants] == ["5", "6"]


async def test_deafness_is_told_healed_and_marked() -> None:
    """A bot that lost its hearing says so, rejoins, and lists the gap."""
    stage = Stage()
    running = asyncio.create_task(stage.recording.run())
    shown: list[str] = []
    cure, stage.line.rejoin_cures = stage.line.rejoin, True

    async def watched() -> bool:
        await eventually(lambda: "cannot hear" in stage.text.contents[1001], "the deaf notice")
        shown.append(stage.text.contents[1001])
        return await cure()

    stage.line.rejoin = watched  # type: ignore[method-assign]
    stage.line.deaf_ms = 10_000
    await eventually(lambda: bool(stage.recording.gaps.closed), "the gap")
    stage.recording.stop(Ending.ASKED)
    await running

    assert len(shown) == 1
    assert len(stage.recording.gaps.closed) == 1
    assert "Not heard" in stage.recording.notice().cards[0].description


async def test_discord_py_is_left_to_its_own_reconnect() -> None:
    """While discord.py restores the connection nobody rejoins, and the notice says that nothing is heard."""
    stage = Stage()
    stage.line.deaf_ms, stage.line.is_recovering = 500, True
    running = asyncio.create_task(stage.recording.run())

    await eventually(lambda: "cannot hear" in stage.text.contents[1001], "the deaf notice")
    stage.recording.stop(Ending.ASKED)
    await running

    assert stage.line.rejoins == 0
    assert stage.recording.is_deaf


async def test_a_deleted_notice_comes_back() -> None:
    """The message is posted again, and the manifest names the new one."""
    stage = Stage()
    stage.text.contents.clear()
    running = asyncio.create_task(stage.recording.run())

    await eventually(lambda: bool(stage.text.contents), "the new message")
    (message_id,) = stage.text.contents
    await eventually(lambda: stage.kept.last.message_id == str(message_id), "the manifest")
    stage.recording.stop(Ending.ASKED)

    assert await running is Ending.ASKED


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        pytest.param(JournalHealth(JournalState.WRITING, 5, 0, 0), False, id="all well"),
        pytest.param(JournalHealth(JournalState.DISK_FULL, 5, 9, 0), True, id="disk full"),
        pytest.param(JournalHealth(JournalState.FAILING, 5, 9, 0), True, id="disk failing"),
        pytest.param(JournalHealth(JournalState.WRITING, 5, 0, 1), True, id="packets dropped"),
    ],
)
async def test_a_degraded_journal_is_told(health: JournalHealth, expected: bool) -> None:
    """The notice never claims that every packet is kept when it is not."""
    stage = Stage()

    stage.journal.health = health

    told = stage.recording.notice().cards[0].description
    assert stage.recording.is_degraded is expected
    assert ("every packet is kept" in told) is not expected


async def test_a_defect_in_a_round_does_not_end_the_meeting(caplog: pytest.LogCaptureFixture) -> None:
    """A round that raises is logged; the recording goes on."""
    stage = Stage()
    stage.line.people = None  # type: ignore[assignment]
    running = asyncio.create_task(stage.recording.run())

    await eventually(lambda: "A round of the recording failed" in caplog.text, "the log line")
    stage.recording.stop(Ending.ASKED)

    assert await running is Ending.ASKED


async def test_a_halt_is_no_ending() -> None:
    """A recording that is halted for a restart stops running and has not ended."""
    stage = Stage()
    running = asyncio.create_task(stage.recording.run())

    stage.recording.halt()

    assert await asyncio.wait_for(running, 5) is None


async def test_the_first_reason_counts() -> None:
    """A recording has one ending."""
    stage = Stage()

    stage.recording.stop(Ending.EMPTY)
    stage.recording.stop(Ending.ASKED)

    assert stage.recording.ending is Ending.EMPTY


async def test_stop_interrupts_rejoining() -> None:
    """Whoever stops the recording does not wait for a rejoin."""
    stage = Stage()
    stage.line.deaf_ms = 10_000
    rejoining = asyncio.Event()

    async def forever() -> bool:
        rejoining.set()
        await asyncio.Event().wait()
        return True

    stage.line.rejoin = forever  # type: ignore[method-assign]
    running = asyncio.create_task(stage.recording.run())
    await asyncio.wait_for(rejoining.wait(), 5)

    stage.recording.stop(Ending.ASKED)

    assert await asyncio.wait_for(running, 5) is Ending.ASKED


async def test_resume_marks_the_gap() -> None:
    """A resumed meeting says from when to when no recorder ran."""
    stage = Stage()

    await stage.recording.resume(Gap(1_000, 2_000))

    assert stage.recording.gaps.closed == [Gap(1_000, 2_000)]


async def test_a_resume_that_fails_releases_everything() -> None:
    """When rejoining fails for good, the journal is closed and the caller is told."""
    stage = Stage()
    stage.line.rejoin_cures = False

    with pytest.raises(AudioCaptureError, match="rejoin"):
        await stage.recording.resume(Gap(0, 1))

    assert stage.journal.is_closed
