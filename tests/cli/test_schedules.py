"""`standup schedules`: what was set in Discord, for people and for scripts."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, time, timedelta, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner

from standup.archive import Archive
from standup.cli import application
from standup.schedule import Schedule
from standup.settings import load
from tests.empty_archives import migrated

DAILY = Schedule(
    "1", "2", "3", frozenset(range(7)), time(9, 30), "UTC", datetime(2026, 11, 1, tzinfo=timezone.utc)
)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.chdir(tmp_path)
    made = migrated(Archive.of(load()))
    return made


def run(*argv: str, columns: int = 200) -> str:
    result = CliRunner().invoke(application(), ["schedules", *argv], env={"COLUMNS": str(columns)})
    assert result.exit_code == 0, result.output
    return result.output


def test_none(archive: Archive) -> None:
    """Without schedules the way to one is named."""
    assert "/standup schedule" in run()
    assert json.loads(run("--json")) == []


def test_table(archive: Archive) -> None:
    """Each schedule is one row with its channels and times."""
    archive.schedules.keep(DAILY)
    row = run().splitlines()[-1]
    assert row.split()[:6] == ["2", "3", "every", "day", "09:30", "UTC"]


def test_ids_are_whole(archive: Archive) -> None:
    """A terminal of 80 columns cuts no id: one that is cut names no channel."""
    voice, text = "1234567890123456789", "1434567890123456789"
    zone = "America/Argentina/Buenos_Aires"
    archive.schedules.keep(
        dataclasses.replace(DAILY, voice_channel_id=voice, text_channel_id=text, zone=zone)
    )
    told = run(columns=80)
    assert voice in told
    assert text in told


def test_json(archive: Archive) -> None:
    """The next standup comes first, with its moment."""
    now = datetime.now(timezone.utc)
    later, sooner = now + timedelta(hours=5), now + timedelta(hours=2)
    for channel, moment in (("2", later), ("4", sooner)):
        at = time(moment.hour, moment.minute)
        archive.schedules.keep(dataclasses.replace(DAILY, voice_channel_id=channel, at=at))
    found = json.loads(run("--json"))
    assert [one["voice_channel_id"] for one in found] == ["4", "2"]
    assert datetime.fromisoformat(found[0]["next"]) == sooner.replace(second=0, microsecond=0)
