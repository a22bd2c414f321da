"""The monitor: every channel event as one line of ids, and a watch over the recorder."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import signal
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord as discord_py
import pytest

from standup import logs
from standup.archive import manifest as manifests
from standup.archive.manifest import Manifest
from standup.bot import event_monitor, presence
from standup.bot.event_monitor import LINES_AT_ONCE, EventLog, Monitor, RecorderWatch
from standup.meeting import Meeting
from standup.settings import load
from standup.simulator.participant import Participant
from standup.simulator.payloads import serialize_guild_create, serialize_user, serialize_voice_state
from standup.simulator.server import LoopbackDiscord
from standup.simulator.world import VOICE_CHANNEL, VoiceState, World
from tests.bot.doubles import eventually
from tests.bot.programs import WAIT_S, Ask, Frames, MakeProgram, Program

STARTED = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = Meeting("20261123T095800Z-1f0c9a2b", "1", "2", "3", STARTED)


def test_lines_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """A flood of events fills no disk: the burst is logged, the rest counted."""
    caplog.set_level(logs.EVENT)
    events = EventLog()

    for number in range(10 * LINES_AT_ONCE):
        events.write("Message #%d", number)

    assert LINES_AT_ONCE <= len(caplog.records) <= LINES_AT_ONCE + 20


class SeatedBot:
    """A bot that sits in *channel_id* of every guild, or nowhere."""

    def __init__(self, channel_id: int | None) -> None:
        self.channel_id = channel_id

    def get_guild(self, guild_id: int) -> Any:
        voice = SimpleNamespace(channel=SimpleNamespace(id=self.channel_id)) if self.channel_id else None
        return SimpleNamespace(me=SimpleNamespace(voice=voice))


def watch_over(bot: SeatedBot, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> RecorderWatch:
    monkeypatch.setattr(presence, "ABSENT_AFTER_MS", 0)
    return RecorderWatch(cast(discord_py.Client, bot), data_dir)


@pytest.mark.parametrize(
    ("channel_id", "errors"),
    [
        pytest.param(2, 0, id="in its place"),
        pytest.param(9, 1, id="elsewhere"),
        pytest.param(None, 1, id="nowhere"),
    ],
)
async def test_watch(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    channel_id: int | None,
    errors: int,
) -> None:
    """A meeting that is being recorded without the recorder in its channel is one ERROR, however often one looks."""
    manifests.write(tmp_path, Manifest(MEETING))
    watch = watch_over(SeatedBot(channel_id), tmp_path, monkeypatch)

    for _ in range(3):
        await watch.look()

    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == errors


async def test_watch_ends_with_the_meeting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A meeting that has ended needs no recorder."""
    ended = dataclasses.replace(MEETING, ended_at=STARTED)
    manifests.write(tmp_path, Manifest(ended))
    watch = watch_over(SeatedBot(None), tmp_path, monkeypatch)

    await watch.look()

    assert caplog.records == []


class RestlessBot(SeatedBot):
    """A bot that fails when it is first asked, and tells when it is asked again."""

    def __init__(self) -> None:
        super().__init__(None)
        self.asked = 0
        self.is_asked_again = asyncio.Event()

    def get_guild(self, guild_id: int) -> Any:
        self.asked += 1
        if self.asked == 1:
            raise ValueError("the first look fails")
        self.is_asked_again.set()
        return super().get_guild(guild_id)


async def test_a_look_that_fails_does_not_end_the_watch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong once is logged, and the recorder is looked after again."""
    monkeypatch.setattr(event_monitor, "WATCH_S", 0)
    manifests.write(tmp_path, Manifest(MEETING))
    bot = RestlessBot()
    watching = asyncio.create_task(watch_over(bot, tmp_path, monkeypatch).run())

    await asyncio.wait_for(bot.is_asked_again.wait(), 30)

    watching.cancel()
    assert "Looking after the recorder failed" in caplog.text


def _at(channel_id: int | None) -> Any:
    return SimpleNamespace(channel=SimpleNamespace(id=channel_id) if channel_id else None)


THING = SimpleNamespace(id=7, message_id=7, channel_id=8, user_id=9, channel=SimpleNamespace(id=8), user=None)
MEMBER = SimpleNamespace(id=9)


@pytest.mark.parametrize(
    ("handler", "arguments", "expected"),
    [
        pytest.param("on_message", [THING], ["Message #7 channel=8"], id="message"),
        pytest.param("on_raw_message_edit", [THING], ["Message edited #7 channel=8"], id="edit"),
        pytest.param("on_raw_message_delete", [THING], ["Message deleted #7 channel=8"], id="deletion"),
        pytest.param("on_raw_reaction_add", [THING], ["Reaction message=7 user=9"], id="reaction"),
        pytest.param(
            "on_voice_state_update", [MEMBER, _at(None), _at(8)], ["Voice join user=9 channel=8"], id="join"
        ),
        pytest.param(
            "on_voice_state_update", [MEMBER, _at(8), _at(None)], ["Voice leave user=9 channel=8"], id="leave"
        ),
        pytest.param(
            "on_voice_state_update",
            [MEMBER, _at(8), _at(6)],
            ["Voice leave user=9 channel=8", "Voice join user=9 channel=6"],
            id="move",
        ),
        pytest.param("on_voice_state_update", [MEMBER, _at(8), _at(8)], [], id="mute"),
        pytest.param("on_guild_channel_create", [THING], ["Channel created #7"], id="new channel"),
        pytest.param("on_guild_channel_update", [THING, THING], ["Channel changed #7"], id="changed channel"),
        pytest.param("on_guild_channel_delete", [THING], ["Channel deleted #7"], id="deleted channel"),
        pytest.param("on_thread_create", [THING], ["Thread created #7"], id="thread"),
        pytest.param("on_scheduled_event_create", [THING], ["Scheduled event #7"], id="scheduled event"),
        pytest.param("on_shard_connect", [3], ["Gateway connected shard=3"], id="connect"),
        pytest.param("on_shard_disconnect", [3], ["Gateway disconnected shard=3"], id="disconnect"),
        pytest.param("on_shard_resumed", [3], ["Gateway resumed shard=3"], id="resume"),
    ],
)
async def test_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, handler: str, arguments: list[Any], expected: list[str]
) -> None:
    """Each event is its line of ids at level EVENT."""
    caplog.set_level(logs.EVENT)

    await getattr(Monitor(load(None, data_dir=tmp_path)), handler)(*arguments)

    assert [one.getMessage() for one in caplog.records] == expected
    assert {one.levelno for one in caplog.records} <= {logs.EVENT}


async def test_commands_are_the_recorders(tmp_path: Path) -> None:
    """The monitor lets no command through, because the recorder's session gets it too."""
    interaction = cast(Any, None)

    assert await Monitor(load(None, data_dir=tmp_path)).tree.interaction_check(interaction) is False


async def test_ready_begins_the_watches_once(tmp_path: Path) -> None:
    """A new gateway session does not begin a second set of watches; suspending ends the first."""
    monitor = Monitor(load(None, data_dir=tmp_path))

    await monitor.on_ready()
    first = tuple(monitor._tasks)
    await monitor.on_ready()
    await monitor.suspend()

    assert tuple(monitor._tasks) == first
    assert all(one.done() for one in first)


async def test_who_comes_and_goes_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody's events that come together, as they do to a busy monitor, are each logged as they were."""
    caplog.set_level(logs.EVENT)
    world = World(STARTED)
    ana = world.add_user("Ana", STARTED)
    here, there = world.voice_channel_id, world.add_channel("Elsewhere", VOICE_CHANNEL, STARTED).id

    async with Monitor(load(None, data_dir=tmp_path)) as monitor:
        connection = cast(Any, monitor._connection)
        connection.user = connection.store_user(serialize_user(world.users[world.bot_id]))
        connection._add_guild_from_data(serialize_guild_create(world))
        for channel_id in (here, there, None):
            state = VoiceState(ana.id, channel_id, "session")
            connection.parse_voice_state_update(serialize_voice_state(world, state))
        await eventually(lambda: len(caplog.records) >= 4, "the fourth line")

    assert [one.getMessage() for one in caplog.records if one.levelno == logs.EVENT] == [
        f"Voice join user={ana.id} channel={here}",
        f"Voice leave user={ana.id} channel={here}",
        f"Voice join user={ana.id} channel={there}",
        f"Voice leave user={ana.id} channel={there}",
    ]


@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_events_become_lines_without_content(discord: LoopbackDiscord, program: MakeProgram) -> None:
    """Messages and comings and goings are logged by id; what was written and who wrote it is not.

    The monitor gets all of it together, as it does on a machine that is too busy to let it run in between.
    """
    monitor = program("event_monitor", discord)
    monitor.start()
    await discord.wait_until(
        lambda: "EVENT Ready" in monitor.log("monitor"), timeout_s=WAIT_S, what="the monitor"
    )
    ana = await discord.enter("Ana")

    monitor.processes[-1].send_signal(signal.SIGSTOP)
    message = ana.write("the secret plan")
    await ana.join_voice()
    await ana.leave_voice()
    monitor.processes[-1].send_signal(signal.SIGCONT)

    voice = f"user={ana.user_id} channel={discord.voice_channel_id}"
    expected = (f"EVENT Message #{message.id} ", f"EVENT Voice join {voice}", f"EVENT Voice leave {voice}")
    await discord.wait_until(
        lambda: all(line in monitor.log("monitor") for line in expected), timeout_s=WAIT_S, what="the lines"
    )
    assert "secret" not in monitor.log("monitor")
    assert "Ana" not in monitor.log("monitor")
    assert await monitor.end() == 0


@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_beside_the_recorder(
    discord: LoopbackDiscord,
    program: MakeProgram,
    recorder: Program,
    ana: Participant,
    frames: Frames,
    answer_to: Ask,
) -> None:
    """With both programs connected, the recorder answers commands and the monitor keeps out of it."""
    monitor = program("event_monitor", discord)
    monitor.start()
    await discord.wait_until(
        lambda: "EVENT Ready" in monitor.log("monitor"), timeout_s=WAIT_S, what="the monitor"
    )

    await answer_to(discord, ana, "start")
    await discord.wait_for_bot_voice(timeout_s=WAIT_S)
    await recorder.hear(discord, ana, frames(1, 20))
    await answer_to(discord, ana, "stop")

    expected = (
        "EVENT Interaction #",
        f"Voice join user={discord.bot_id}",
        f"Voice leave user={discord.bot_id}",
    )
    await discord.wait_until(
        lambda: all(line in monitor.log("monitor") for line in expected), timeout_s=WAIT_S, what="the lines"
    )
    assert len(recorder.payloads(ana.user_id)) == 20
    assert " ERROR " not in monitor.log("monitor")
    assert discord.violations == []
