"""Schedules in the archive, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import dataclasses
import logging
from datetime import datetime, time, timezone

import pytest

from standup.archive import Archive
from standup.schedule import Schedule

NOW = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
DAILY = Schedule("1", "2", "3", frozenset({0, 2, 6}), time(9, 30), "Europe/Berlin", NOW)
OTHER = dataclasses.replace(DAILY, voice_channel_id="4", at=time(23, 5), zone="UTC")


def test_kept_schedules_come_back(archive: Archive) -> None:
    """What was kept comes back as it was, by voice channel."""
    archive.schedules.keep(OTHER)
    archive.schedules.keep(DAILY)

    assert archive.schedules.all() == (DAILY, OTHER)


def test_one_schedule_a_channel(archive: Archive) -> None:
    """A second schedule of a voice channel takes the place of the first."""
    changed = dataclasses.replace(DAILY, text_channel_id="5", days=frozenset({4}))
    archive.schedules.keep(DAILY)
    archive.schedules.keep(changed)

    assert archive.schedules.all() == (changed,)


def test_removal(archive: Archive) -> None:
    """A removed schedule is gone, the others stay; removing it again does nothing."""
    archive.schedules.keep(DAILY)
    archive.schedules.keep(OTHER)
    archive.schedules.remove("2")
    archive.schedules.remove("2")

    assert archive.schedules.all() == (OTHER,)


def test_an_unreadable_schedule_hides_no_other(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    """A row whose time zone is not known here is left out, and logged once however often one reads."""
    archive.schedules.keep(DAILY)
    archive.schedules.keep(OTHER)
    with archive._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE schedules SET zone = 'Nowhere/Atall' WHERE voice_channel_id = '2'")

    assert [archive.schedules.all() for _ in range(2)] == [(OTHER,), (OTHER,)]
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 1
