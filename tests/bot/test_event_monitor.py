"""The monitor: every channel event as one line of ids, and a watch over the recorder."""

from __future__ import annotations

import dataclasses
import logging
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord as discord_py
import pytest

from standup import logs
from standup.archive import manifest as manifests
from standup.archive.manifest import Manifest
from standup.bot import presence
from standup.bot.event_monitor import LINES_AT_ONCE, EventLog, RecorderWatch
from standup.meeting import Meeting
from standup.simulator.server import LoopbackDiscord

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


@pytest.mark.integration
@pytest.mark.timeout(60)
async def test_events_become_lines_without_content(discord: LoopbackDiscord, program) -> None:
    """Messages and comings and goings are logged by id; what was written and who wrote it is not."""
    monitor = program("event_monitor", discord)
    monitor.start()
    await discord.wait_until(
        lambda: "EVENT Ready" in monitor.log("monitor"), timeout_s=20, what="the monitor"
    )
    ana = await discord.enter("Ana")

    message = ana.write("the secret plan")
    await ana.join_voice()
    await ana.leave_voice()

    voice = f"user={ana.user_id} channel={discord.voice_channel_id}"
    expected = (f"EVENT Message #{message.id} ", f"EVENT Voice join {voice}", f"EVENT Voice leave {voice}")
    await discord.wait_until(
        lambda: all(line in monitor.log("monitor") for line in expected), timeout_s=10, what="the lines"
    )
    assert "secret" not in monitor.log("monitor")
    assert "Ana" not in monitor.log("monitor")
    assert await monitor.end() == 0


@pytest.mark.integration
@pytest.mark.timeout(90)
async def test_beside_the_recorder(
    discord: LoopbackDiscord, program, recorder, ana, frames, answer_to
) -> None:
    """With both programs connected, the recorder answers commands and the monitor keeps out of it."""
    monitor = program("event_monitor", discord)
    monitor.start()
    await discord.wait_until(
        lambda: "EVENT Ready" in monitor.log("monitor"), timeout_s=20, what="the monitor"
    )

    await answer_to(discord, ana, "start")
    await discord.wait_for_bot_voice(timeout_s=20)
    await ana.speak(frames(1, 20))
    await answer_to(discord, ana, "stop")

    assert len(recorder.payloads(ana.user_id)) == 20
    assert "EVENT Interaction #" in monitor.log("monitor")
    assert f"Voice join user={discord.bot_id}" in monitor.log("monitor")
    assert " ERROR " not in monitor.log("monitor")
    assert discord.violations == []
