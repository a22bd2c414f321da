"""The life of a recording: what ends it, what its notice says, and what is on disk in the end."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import cast

import discord
import pytest

from standup.archive.manifest import Manifest
from standup.bot import liveness, notice_board
from standup.bot import message as message_module
from standup.bot import recording as recording_module
from standup.bot.attendance import NAMES_AT_ONCE
from standup.bot.endings import Ending, Limits
from standup.bot.gaps import GapLog
from standup.bot.meeting_clock import MeetingClock
from standup.capture.keys import Keys
from standup.capture.writer import JournalHealth, JournalState
from standup.errors import AudioCaptureError
from standup.meeting import Gap, MeetingState
from tests.bot.doubles import OWN, Stage, SteppedClock, eventually, refusal


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "ROUND_S", 0.001)
    monkeypatch.setattr(notice_board, "ROUND_S", 0.001)
    monkeypatch.setattr(recording_module, "TRY_AGAIN_S", 0.0)
    monkeypatch.setattr(message_module, "EDIT_EVERY_S", 0.0)


def _asked(stage: Stage) -> None:
    stage.recording.stop(Ending.ASKED)


def _removed(stage: Stage) -> None:
    stage.line.ending = Ending.REMOVED


def _emptied(stage: Stage) -> None:
    stage.line.people = frozenset()


def _only_the_hidden_stay(stage: Stage) -> None:
    stage.audience.blind = stage.line.people


def _deaf_for_good(stage: Stage) -> None:
    stage.line.deaf_ms = 10_000
    stage.line.rejoin_cures = False


def _notice_forbidden(stage: Stage) -> None:
    stage.text.edit_error = stage.text.send_error = refusal(discord.Forbidden, 403)


def _too_long(stage: Stage) -> None:
    _set_clock(stage, MeetingClock(stage.recording.meeting.started_at - timedelta(hours=2)))


def _set_clock(stage: Stage, clock: MeetingClock) -> None:
    stage.recording.equipment = dataclasses.replace(stage.recording.equipment, clock=clock)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        pytest.param(_asked, Ending.ASKED, id="asked"),
        pytest.param(_removed, Ending.REMOVED, id="removed"),
        pytest.param(_emptied, Ending.EMPTY, id="everybody left"),
        pytest.param(
            _only_the_hidden_stay, Ending.EMPTY, id="only people without sight of the notice are left"
        ),
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


async def test_the_manifest_is_on_disk_before_joining() -> None:
    """A recorder that is killed while it joins has left its notice in a manifest, not yet for the archive."""
    stage = Stage()
    before: list[Manifest] = []

    async def join() -> None:
        before.extend(stage.kept.all)

    stage.line.join = join  # type: ignore[method-assign]

    await stage.recording.begin()

    assert [(one.message_id, one.adopted) for one in before] == [("1001", True)]
    assert not stage.kept.last.adopted


async def test_a_join_that_fails_leaves_nothing_held() -> None:
    """When the channel cannot be joined, the journal is closed and the archive has not been told of the meeting."""
    stage = Stage()
    stage.line.join_error = AudioCaptureError("no way in")

    with pytest.raises(AudioCaptureError, match="no way in"):
        await stage.recording.begin()

    assert stage.journal.is_closed
    assert [one.adopted for one in stage.kept.all] == [True]


async def test_names_are_looked_up_side_by_side() -> None:
    """Slow answers for many people cost the time of one, and no more than a bounded number is asked for at once."""
    asked = 0
    all_asked = asyncio.Event()

    async def slow_name(user_id: int) -> str:
        nonlocal asked
        asked += 1
        if asked == NAMES_AT_ONCE:
            all_asked.set()
        await asyncio.wait_for(all_asked.wait(), 5)
        return "Somebody"

    stage = Stage(names=slow_name)
    stage.line.people = frozenset(range(100, 100 + NAMES_AT_ONCE + 1))

    await stage.recording.begin()

    assert asked == NAMES_AT_ONCE
    assert len(stage.kept.last.participants) == NAMES_AT_ONCE


@pytest.mark.parametrize("step", [timedelta(hours=-5), timedelta(hours=5)], ids=["back", "ahead"])
async def test_a_stepped_wall_clock_ends_nothing(step: timedelta) -> None:
    """Whatever the wall clock is set to, the meeting goes on and has the length that really passed."""
    stage = Stage()
    machine = SteppedClock(stage.recording.meeting.started_at)
    _set_clock(stage, MeetingClock(stage.recording.meeting.started_at, machine.clock))
    running = asyncio.create_task(stage.recording.run())
    await eventually(lambda: stage.line.keepalives > 0, "a round")

    machine.step(step)
    machine.advance(timedelta(seconds=90))
    keepalives = stage.line.keepalives
    await eventually(lambda: stage.line.keepalives > keepalives, "later rounds")
    stage.recording.stop(Ending.ASKED)
    await running
    await stage.recording.close(Ending.ASKED)

    assert stage.recording.ending is Ending.ASKED
    assert stage.kept.last.meeting.duration_ms == 90_000


async def test_a_quiet_recording_shows_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest is stored now and then although nothing changes, so that a restart knows when this run ended."""
    monkeypatch.setattr(recording_module, "ALIVE_ROUNDS", 3)
    stage = Stage()
    await stage.recording.begin()
    known = len(stage.kept.all)
    running = asyncio.create_task(stage.recording.run())

    await eventually(lambda: len(stage.kept.all) >= known + 2, "two signs of life")
    stage.recording.stop(Ending.ASKED)
    await running

    assert stage.kept.last == stage.kept.all[known - 1]


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


async def test_a_gap_outlives_the_recorder() -> None:
    """A recorder that is restarted while it hears nothing leaves on disk since when; the next makes one gap of it."""
    stage = Stage()
    await stage.recording.begin()
    stage.recording.gaps.begin(0)

    await stage.recording.release()

    (gap,) = stage.kept.last.meeting.gaps
    assert gap.from_ms == 0
    next_one = GapLog(stage.kept.last.meeting.gaps)
    next_one.add(Gap(gap.until_ms + 100, gap.until_ms + 5_000))
    assert next_one.closed == [Gap(0, gap.until_ms + 5_000)]


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        pytest.param(timedelta(minutes=49, seconds=17), "49:10", id="young"),
        pytest.param(timedelta(minutes=58, seconds=17), "55:00", id="old"),
    ],
)
async def test_the_clock_of_an_old_notice_is_slow(at: timedelta, shown: str) -> None:
    """Discord counts the edits of old messages, and those that are left are for news."""
    stage = Stage()
    clock = MeetingClock(datetime.now(timezone.utc) - at)
    stage.recording.equipment = dataclasses.replace(stage.recording.equipment, clock=clock)

    assert shown in stage.recording.notice().cards[0].description


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


async def test_who_cannot_see_the_notice_is_counted_and_not_named() -> None:
    """Somebody without sight of the notice is a number in it and in the manifest, and no participant, until they see
    it; then the number in the notice falls, and the one for the notes stays."""
    stage = Stage()
    await stage.recording.begin()
    running = asyncio.create_task(stage.recording.run())

    def told() -> str:
        shown = stage.message.shown
        return shown.cards[0].description if shown is not None else ""

    stage.audience.blind, stage.line.people = frozenset({6}), frozenset({5, 6})
    await eventually(lambda: "1 person in the voice channel" in told(), "the number")
    await eventually(lambda: stage.kept.last.meeting.unsighted_people == 1, "the manifest")
    during = [one.id for one in stage.kept.last.participants]
    stage.audience.blind = frozenset()
    await eventually(lambda: "in the voice channel" not in told(), "the notice without it")
    await eventually(lambda: len(stage.kept.last.participants) == 2, "the participant")
    stage.recording.stop(Ending.ASKED)
    await running
    await stage.recording.close(Ending.ASKED)

    assert during == ["5"]
    assert stage.kept.last.meeting.unsighted_people == 1


async def test_nobody_is_recorded_before_the_first_look() -> None:
    """Who may be kept is known before the channel is joined."""
    stage = Stage()
    looks: list[int] = []

    async def join() -> None:
        looks.append(stage.audience.looks)

    stage.line.join = join  # type: ignore[method-assign]

    await stage.recording.begin()

    assert looks == [1]


@pytest.mark.parametrize("way", ["begin", "resume"])
async def test_sight_that_is_lost_while_the_bot_joins(way: str) -> None:
    """Joining takes seconds: who lost sight meanwhile, or whose roles Discord told meanwhile, is no participant."""
    stage = Stage()

    async def joins() -> bool:
        stage.audience.blind = stage.line.people
        return True

    stage.line.join = stage.line.rejoin = joins  # type: ignore[method-assign, assignment]

    await (stage.recording.begin() if way == "begin" else stage.recording.resume(Gap(0, 1)))

    assert stage.recording.manifest.participants == ()
    assert stage.recording.meeting.unsighted_people == 1


async def test_roles_of_strangers_are_asked_for_at_once() -> None:
    """What is known of somebody who has come may be old, so Discord is asked before the next round."""
    stage = Stage()
    stage.recording.look()
    before = stage.audience.refreshes

    stage.audience.has_strangers = True
    stage.recording.look()

    assert (before, stage.audience.refreshes) == (0, 1)


async def test_who_came_in_the_last_moment_counts_too() -> None:
    """Somebody without sight of the notice who was looked at after the last round is in what the notes say."""
    stage = Stage()
    await stage.recording.begin()

    stage.audience.blind = frozenset({6})
    stage.recording.look()
    await stage.recording.close(Ending.ASKED)

    assert stage.kept.last.meeting.unsighted_people == 1


async def test_a_restart_forgets_no_number() -> None:
    """What was counted before a restart stands, whether the same people are found again or nobody."""
    stage = Stage()
    stage.recording.manifest = dataclasses.replace(
        stage.recording.manifest,
        meeting=dataclasses.replace(stage.recording.meeting, unsighted_people=2),
    )
    stage.audience.blind = frozenset({6})

    await stage.recording.resume(Gap(0, 1))
    await stage.recording.close(Ending.ASKED)

    assert stage.kept.last.meeting.unsighted_people == 2


async def test_who_loses_sight_is_no_proof_of_deafness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speech that was announced by somebody who may no longer be kept is not waited for."""
    monkeypatch.setattr(liveness, "DEAF_AFTER_MS", 0)
    stage = Stage()
    stage.listener.connected(cast(Keys, None), OWN)
    stage.listener.voice_event({"op": 5, "d": {"user_id": "6", "ssrc": 1, "speaking": 1}})
    before = stage.listener.deaf_ms

    stage.audience.blind = frozenset({6})
    stage.recording.look()

    assert (before, stage.listener.deaf_ms) == (0, None)


async def test_roles_are_asked_for_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord does not tell of roles by itself, so the rounds ask."""
    monkeypatch.setattr(recording_module, "ROLES_ROUNDS", 3)
    stage = Stage()
    running = asyncio.create_task(stage.recording.run())

    await eventually(lambda: stage.audience.refreshes == 2, "the second question")
    rounds = stage.audience.looks
    stage.recording.stop(Ending.ASKED)
    await running

    assert rounds >= 4


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


async def test_a_deafened_bot_says_so_and_stays() -> None:
    """A bot that a moderator deafened names that as the cause, and does not rejoin for it."""
    stage = Stage()
    stage.line.deaf_ms, stage.line.is_deafened = 500, True
    running = asyncio.create_task(stage.recording.run())

    await eventually(lambda: "have been deafened" in stage.text.contents[1001], "the notice")
    is_deaf = stage.recording.is_deaf
    stage.line.deaf_ms, stage.line.is_deafened = None, False
    await eventually(lambda: "is being recorded" in stage.text.contents[1001], "the notice of recording")
    stage.recording.stop(Ending.ASKED)
    await running

    assert is_deaf
    assert stage.line.rejoins == 0
    assert len(stage.recording.gaps.closed) == 1


def _left(stage: Stage) -> None:
    stage.line.people = frozenset()


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        pytest.param(_left, Ending.EMPTY, id="everybody left"),
        pytest.param(_removed, Ending.REMOVED, id="removed"),
        pytest.param(_too_long, Ending.TOO_LONG, id="too long"),
    ],
)
async def test_a_recording_ends_while_it_rejoins(cause: Callable[[Stage], None], expected: Ending) -> None:
    """Whatever ends a recording ends it also during a rejoin, which is given up then."""
    stage = Stage(limits=Limits(empty_grace_ms=5, longest_ms=3_600_000))
    rejoining, given_up = _never_rejoins(stage)
    running = asyncio.create_task(stage.recording.run())
    await asyncio.wait_for(rejoining.wait(), 5)

    cause(stage)

    assert await asyncio.wait_for(running, 5) is expected
    assert given_up.is_set()


def _never_rejoins(stage: Stage) -> tuple[asyncio.Event, asyncio.Event]:
    """Have rejoining last for ever; return what tells that it began and that it was given up."""
    begun, given_up = asyncio.Event(), asyncio.Event()
    stage.line.deaf_ms = 10_000

    async def forever() -> bool:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return True

    stage.line.rejoin = forever  # type: ignore[method-assign]
    return begun, given_up


async def test_an_outage_of_the_gateway_empties_nothing() -> None:
    """While nobody can tell who is in the channel, the recording is not ended for want of people."""
    stage = Stage(limits=Limits(empty_grace_ms=1, longest_ms=3_600_000))
    stage.line.people, stage.line.sees_people = frozenset(), False
    running = asyncio.create_task(stage.recording.run())

    await eventually(lambda: stage.line.keepalives > 2, "some rounds")
    stage.recording.stop(Ending.ASKED)

    assert await running is Ending.ASKED


async def test_a_rejoin_that_has_nowhere_to_go_names_the_cause() -> None:
    """A channel that is gone ends the recording as removed, not as deaf."""
    stage = Stage()
    stage.line.deaf_ms = 10_000

    async def gone() -> bool:
        stage.line.ending = Ending.REMOVED
        return False

    stage.line.rejoin = gone  # type: ignore[method-assign]

    assert await asyncio.wait_for(stage.recording.run(), 5) is Ending.REMOVED


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


async def test_a_defect_in_the_notice_is_no_end_of_it(caplog: pytest.LogCaptureFixture) -> None:
    """A notice that could not be shown for a defect is shown the next time: what is recorded is shown."""
    stage = Stage()
    stage.text.edit_error = RuntimeError("a defect")
    running = asyncio.create_task(stage.recording.run())
    await eventually(lambda: "The notice could not be shown" in caplog.text, "the log line")

    stage.text.edit_error = None
    stage.text.contents.clear()
    await eventually(lambda: bool(stage.text.contents), "the new message")
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
    rejoining, given_up = _never_rejoins(stage)
    running = asyncio.create_task(stage.recording.run())
    await asyncio.wait_for(rejoining.wait(), 5)

    stage.recording.stop(Ending.ASKED)

    assert await asyncio.wait_for(running, 5) is Ending.ASKED
    assert given_up.is_set()


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
