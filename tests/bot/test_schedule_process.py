"""Schedules with the real programs beside the loopback Discord: set by command, begun at their time, checked before."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from standup.archive import Archive
from standup.schedule import EVERY_DAY, Schedule
from standup.simulator.participant import Participant
from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord
from tests.bot.programs import WAIT_S, Frames, MakeProgram, Program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

#: The programs' schedules run by a clock that the test sets forward, by the seconds that stand in a file.
CLOCK = """
from datetime import datetime, timedelta, timezone
from pathlib import Path
from standup.bot import schedule_checks, schedule_desk, schedule_starts
def clock():
    return datetime.now(timezone.utc) + timedelta(seconds=float(Path({file!r}).read_text()))
schedule_starts.ROUND_S = schedule_checks.ROUND_S = 0.2
for one in (schedule_starts.ScheduledStarts, schedule_desk.ScheduleDesk, schedule_checks.Preflight):
    one.__init__.__kwdefaults__["clock"] = clock
schedule_checks.Preflight.__init__.__kwdefaults__["again_s"] = 0.5
"""


class Hands:
    """The hands of the programs' clock."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set_forward(timedelta(0))
        self.before = CLOCK.format(file=str(file))

    def set_forward(self, by: timedelta) -> None:
        """Have the programs believe that it is so much later."""
        scratch = self._file.with_suffix(".new")
        scratch.write_text(str(by.total_seconds()))
        scratch.replace(self._file)


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    return Hands(tmp_path / "clock")


@pytest.fixture
def due() -> datetime:
    """A whole minute, four to five minutes ahead: near enough to be checked, and far enough for a busy machine."""
    return datetime.now(timezone.utc).replace(second=0, microsecond=0) + timedelta(minutes=5)


@pytest.fixture
async def recorder(discord: LoopbackDiscord, program: MakeProgram, hands: Hands) -> Program:
    running = program("voice_recorder", discord, before=hands.before)
    running.start()
    await discord.wait_until(lambda: "Recorder ready" in running.log("recorder"), WAIT_S, "the recorder")
    return running


async def answer(discord: LoopbackDiscord, member: Participant, subcommand: str, **options: Any) -> str:
    """Call `/standup subcommand` with *options* and return what the bot says."""
    call = await discord.invoke(member, "standup", subcommand, options=options)
    await discord.wait_until(lambda: bool(call.message and call.message.content), WAIT_S, "the answer")
    assert call.message is not None
    return call.message.content


async def schedule(discord: LoopbackDiscord, due: datetime) -> str:
    """Have a lead schedule the voice channel for *due*, every day."""
    lead = await discord.enter("Lea")
    discord.world.promote(lead.user_id)
    options = {"time": f"{due:%H:%M}", "days": "daily", "timezone": "UTC"}
    return await answer(discord, lead, "schedule", channel=discord.voice_channel_id, **options)


def reach(hands: Hands, due: datetime) -> None:
    hands.set_forward(due - datetime.now(timezone.utc) + timedelta(seconds=1))


async def test_a_scheduled_meeting_is_recorded_once(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, hands: Hands, due: datetime, frames: Frames
) -> None:
    """What `/standup schedule` sets begins at its time; stopped by hand, it is begun by no restart."""
    told = await schedule(discord, due)
    status = await answer(discord, ana, "status")
    before = recorder.manifests()
    reach(hands, due)
    await discord.wait_for_bot_voice(timeout_s=WAIT_S)
    await recorder.hear(discord, ana, frames(1, 20))
    await answer(discord, ana, "stop")
    await recorder.end()
    (recorder.data_dir / "schedules" / "recorder.json").unlink()
    recorder.start()
    await discord.wait_until(
        lambda: "is being held, or was" in recorder.log("recorder"), timeout_s=WAIT_S, what="the look back"
    )

    when = f"<t:{int(due.timestamp())}:F>"
    assert f"<#{discord.voice_channel_id}> every day at {due:%H:%M} (UTC)" in told
    assert when in told
    assert when in status
    assert before == []
    assert recorder.manifest().meeting.ended_at is not None
    assert len(recorder.payloads(ana.user_id)) == 20
    assert discord.violations == []


async def test_the_first_arrival_begins_it(
    discord: LoopbackDiscord, recorder: Program, hands: Hands, due: datetime
) -> None:
    """With nobody there at the time, the recorder waits, and begins with the first who comes."""
    await schedule(discord, due)
    reach(hands, due + timedelta(minutes=10))
    ben = await discord.enter("Ben")
    empty = recorder.manifests()

    begun = asyncio.create_task(
        discord.wait_for_message(
            discord.text_channel_id, lambda one: "Started by the schedule" in one.content, timeout_s=WAIT_S
        )
    )
    await ben.join_voice()
    await begun
    await discord.wait_for_bot_voice(timeout_s=WAIT_S)

    assert empty == []


async def test_a_refusal_is_told_once(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, hands: Hands, due: datetime
) -> None:
    """What stands in the way is said in the text channel in one message; once it is mended, the meeting begins."""
    await schedule(discord, due)
    discord.deny(discord.voice_channel_id, Permission.CONNECT)
    await answer(discord, ana, "status")  # what the gateway sent before has been seen by then
    reach(hands, due)
    await discord.wait_for_message(
        discord.text_channel_id, lambda one: "**Connect**" in one.content, timeout_s=WAIT_S
    )
    await recorder.end()
    recorder.start()
    await discord.wait_until(lambda: recorder.log("recorder").count("Recorder ready") == 2, WAIT_S, "it")
    discord.restore(discord.voice_channel_id)
    await discord.wait_for_bot_voice(timeout_s=WAIT_S)

    told = [one.content for one in discord.messages(discord.text_channel_id)]
    assert len([one for one in told if "is not being recorded" in one]) == 1


async def test_unschedule(discord: LoopbackDiscord, recorder: Program, due: datetime) -> None:
    """A schedule that is taken back is in no status, and gone from the archive."""
    await schedule(discord, due)
    lead = next(one for one in discord.participants.values() if one.name == "Lea")
    told = await answer(discord, lead, "unschedule", channel=discord.voice_channel_id)
    status = await answer(discord, lead, "status")
    archive = Archive(f"sqlite:///{recorder.data_dir / 'standup.sqlite3'}", str(recorder.data_dir))
    left = archive.schedules.all()
    archive.close()

    assert told.startswith("I no longer record")
    assert "Next standup" not in status
    assert left == ()


async def test_only_leads_schedule(discord: LoopbackDiscord, recorder: Program, ana: Participant) -> None:
    """Without Manage Server the command changes nothing; nonsense is answered by a sentence."""
    options = {"time": "10:00", "days": "daily", "timezone": "UTC"}
    refused = await answer(discord, ana, "schedule", **options)
    discord.world.promote(ana.user_id)
    nonsense = await answer(discord, ana, "schedule", **{**options, "time": "25:61"})
    offered = await discord.complete(ana, "standup", "schedule", "timezone", "berl")

    assert "**Manage Server**" in refused
    assert "no time of day" in nonsense
    assert offered == ("Europe/Berlin",)


async def test_go_and_no_go(
    discord: LoopbackDiscord, program: MakeProgram, hands: Hands, due: datetime, tmp_path: Path
) -> None:
    """Before the time the monitor says in one message what would stop the meeting, and later that it is mended."""
    keep(tmp_path, discord, due)
    discord.deny(discord.voice_channel_id, Permission.CONNECT)
    monitor = program("event_monitor", discord, before=hands.before)
    monitor.start()
    first = await discord.wait_for_message(
        discord.text_channel_id, lambda one: "No-go" in one.content, timeout_s=WAIT_S
    )
    await monitor.end()
    recorder = program("voice_recorder", discord, before=hands.before)
    recorder.start()
    discord.restore(discord.voice_channel_id)
    monitor.start()
    last = await discord.wait_for_message(
        discord.text_channel_id, lambda one: "Go for the standup" in one.content, timeout_s=WAIT_S
    )

    assert f"<t:{int(due.timestamp())}:t>" in first.content
    assert "**recorder**: check `supervisorctl status recorder`" in first.content
    assert f"<#{discord.voice_channel_id}>: Connect not granted; grant it" in first.content
    assert last.id == first.id
    assert len(discord.messages(discord.text_channel_id)) == 1


async def test_nothing_is_said_when_all_is_well(
    discord: LoopbackDiscord, program: MakeProgram, hands: Hands, due: datetime, recorder: Program
) -> None:
    """A standup against which nothing stands is not spoken of."""
    await schedule(discord, due)
    monitor = program("event_monitor", discord, before=hands.before)
    monitor.start()
    noted = monitor.data_dir / "schedules" / "monitor.json"
    await discord.wait_until(lambda: noted.exists() and "true" in noted.read_text(), WAIT_S, "the check")

    assert discord.messages(discord.text_channel_id) == ()


def keep(folder: Path, discord: LoopbackDiscord, due: datetime) -> None:
    """Put a schedule into the archive that the programs will open."""
    data_dir = folder / "data"
    archive = Archive(f"sqlite:///{data_dir / 'standup.sqlite3'}", str(data_dir))
    archive.migrate()
    since = datetime.now(timezone.utc)
    ids = (str(discord.guild_id), str(discord.voice_channel_id), str(discord.text_channel_id))
    archive.schedules.keep(Schedule(*ids, EVERY_DAY, due.time(), "UTC", since))
    archive.close()
