"""The list of schedules: read in a thread, kept while the database is away."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from typing import cast

import pytest

from standup.archive import ScheduleBook
from standup.bot import schedule_list
from standup.bot.schedule_list import ScheduleList
from standup.errors import ArchiveUnreachable
from standup.schedule import Schedule
from tests.bot.doubles import GUILD, VOICE, eventually
from tests.bot.schedule_doubles import DAILY, DUE


class BookDouble:
    """An archive's schedules; away or slow as it is told."""

    def __init__(self, *schedules: Schedule) -> None:
        self.kept = {one.voice_channel_id: one for one in schedules}
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.reads = 0

    def all(self) -> tuple[Schedule, ...]:
        self.reads += 1
        found = tuple(self.kept.values())
        assert self.gate.wait(10)
        self._answer()
        return found

    def keep(self, schedule: Schedule) -> None:
        self._answer()
        self.kept[schedule.voice_channel_id] = schedule

    def remove(self, voice_channel_id: str) -> None:
        self._answer()
        self.kept.pop(voice_channel_id, None)

    def _answer(self) -> None:
        if self.error is not None:
            raise self.error


def over(book: BookDouble) -> ScheduleList:
    return ScheduleList(cast(ScheduleBook, book), read_every_s=0)


@pytest.mark.parametrize("error", [ArchiveUnreachable(), RuntimeError("a driver's")])
async def test_a_database_that_is_away(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """What was read stays known, and the trouble is logged once."""
    book = BookDouble(DAILY)
    known = over(book)
    await known.read()
    book.error = error
    await known.read()
    await known.read()

    assert known.all == (DAILY,)
    assert caplog.text.count("could not be read") == 1


async def test_a_database_that_hangs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However often one reads, one thread at most waits; its answer counts when it comes."""
    monkeypatch.setattr(schedule_list, "ANSWER_S", 0.01)
    book = BookDouble(DAILY)
    book.gate.clear()
    known = over(book)
    await known.read()
    await known.read()
    reads = book.reads
    book.gate.set()
    monkeypatch.setattr(schedule_list, "ANSWER_S", 10.0)
    await known.read()

    assert reads == 1
    assert "no answer" in caplog.text
    assert known.all == (DAILY,)


async def test_changes_are_known_at_once() -> None:
    """What a command stores or removes is in force without another reading."""
    book = BookDouble()
    known = over(book)
    await known.keep(DAILY)
    found = known.of(VOICE)
    await known.remove(DAILY)

    assert found == DAILY
    assert known.of(VOICE) is None
    assert book.kept == {}


async def test_a_refused_change_changes_nothing() -> None:
    """What could not be stored is not in force."""
    book = BookDouble()
    book.error = ArchiveUnreachable()
    known = over(book)

    with pytest.raises(ArchiveUnreachable):
        await known.keep(DAILY)
    assert known.all == ()


async def test_an_old_reading_takes_nothing_back() -> None:
    """A reading that began before a command stored its schedule does not make it unknown."""
    book = BookDouble()
    book.gate.clear()
    known = over(book)
    reading = asyncio.create_task(known.read())
    await eventually(lambda: book.reads == 1, "the reading")
    await known.keep(DAILY)
    book.gate.set()
    await reading

    assert known.of(VOICE) == DAILY


async def test_upcoming() -> None:
    """A guild's own schedules, the next one first."""
    later = dataclasses.replace(DAILY, voice_channel_id="7", at=DAILY.at.replace(hour=12))
    foreign = dataclasses.replace(DAILY, voice_channel_id="8", guild_id="99")
    known = over(BookDouble(later, foreign, DAILY))
    await known.read()

    assert known.upcoming(GUILD, DUE.replace(hour=9)) == (DAILY, later)
    assert known.upcoming(GUILD, DUE.replace(hour=11)) == (later, DAILY)
