"""Notes on occurrences: there again after a restart, blank for another day, harmless when broken."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from standup.bot.schedule_notes import KEPT_DAYS, Note, ScheduleNotes, nonce
from tests.bot.schedule_doubles import DAILY, DUE, DUE_S


async def test_notes_survive_a_restart(tmp_path: Path) -> None:
    """What was noted is known to the next run."""
    path = tmp_path / "schedules" / "notes.json"
    await ScheduleNotes(path).keep(DAILY, Note(DUE_S, messages={"3": 77}))
    await ScheduleNotes(path).settle(DAILY, DUE)

    assert ScheduleNotes(path).of(DAILY, DUE) == Note(DUE_S, True, {"3": 77})


async def test_another_day_is_blank(tmp_path: Path) -> None:
    """A note speaks of its own occurrence alone."""
    notes = ScheduleNotes(tmp_path / "notes.json")
    await notes.settle(DAILY, DUE)

    assert notes.of(DAILY, DUE + timedelta(days=1)) == Note(DUE_S + 86_400)


@pytest.mark.parametrize("text", ["", "[]", '{"2": {}}', '{"2": 1}', "\x00"])
def test_a_broken_file_counts_as_none(tmp_path: Path, text: str) -> None:
    """Whatever stands in the file, the program starts."""
    path = tmp_path / "notes.json"
    path.write_text(text)

    assert ScheduleNotes(path).of(DAILY, DUE) == Note(DUE_S)


async def test_a_disk_that_refuses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """This run knows what could not be written, and the log says why it was not."""
    (tmp_path / "file").touch()
    notes = ScheduleNotes(tmp_path / "file" / "notes.json")
    await notes.settle(DAILY, DUE)

    assert notes.of(DAILY, DUE).is_settled
    assert "could not be noted" in caplog.text


async def test_old_notes_go(tmp_path: Path) -> None:
    """The file keeps no schedules that have long gone."""
    path = tmp_path / "notes.json"
    notes = ScheduleNotes(path)
    other = dataclasses.replace(DAILY, voice_channel_id="7")
    await notes.settle(DAILY, DUE)
    await notes.settle(other, DUE + timedelta(days=KEPT_DAYS + 1))

    assert not ScheduleNotes(path).of(DAILY, DUE).is_settled


def test_nonces() -> None:
    """Each kind of message about each occurrence has its own name, short enough for Discord."""
    names = {nonce(kind, DAILY, due_s) for kind in ("refused", "no-go") for due_s in (1, 2)}
    assert len(names) == 4
    assert all(len(one) <= 25 for one in names)
