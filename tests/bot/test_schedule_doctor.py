"""`standup doctor` as the monitor asks it: a child process with a time limit, and the recorder's sign of life."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from standup.bot import pulse, schedule_doctor
from standup.bot.schedule_doctor import SILENT, Doctor, parse
from standup.bot.schedule_wording import Trouble
from standup.settings import load


def test_failed_checks_alone_count() -> None:
    """A warning stops no meeting."""
    good = '{"name": "a", "result": "ok", "finding": "f", "next_step": ""}'
    doubtful = '{"name": "b", "result": "warning", "finding": "f", "next_step": "n"}'
    bad = '{"name": "c", "result": "failed", "finding": "f", "next_step": "n"}'
    report = f'{{"go": false, "checks": [{good}, {doubtful}, {bad}]}}'.encode()

    assert parse(report) == (Trouble("c", "f", "n"),)


@pytest.mark.parametrize("told", [b"", b"Traceback", b"[]", b'{"checks": [{}]}', b'{"checks": 1}'])
def test_no_report(told: bytes) -> None:
    """Whatever else is printed is no report."""
    with pytest.raises(ValueError, match="no report"):
        parse(told)


@pytest.mark.parametrize(
    ("age_s", "names"),
    [(None, ["recorder"]), (pulse.SILENT_AFTER_S + 5, ["recorder"]), (0.0, [])],
)
async def test_the_recorder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_s: float | None, names: list[str]
) -> None:
    """A recorder that gave no sign of life lately is missed."""

    async def well(_: Doctor, __: object) -> tuple[Trouble, ...]:
        return ()

    monkeypatch.setattr(Doctor, "_examine", well)
    if age_s is not None:
        pulse.beat(tmp_path)
        then = (tmp_path / pulse.NAME).stat().st_mtime - age_s
        os.utime(tmp_path / pulse.NAME, (then, then))

    assert [one.name for one in await Doctor(load(None, data_dir=tmp_path))(())] == names


@pytest.mark.integration
async def test_a_real_examination(tmp_path: Path) -> None:
    """The real doctor is asked with the monitor's own settings: a model that is not there fails its check."""
    pulse.beat(tmp_path)
    settings = load(None, data_dir=tmp_path, whisper_model=str(tmp_path / "nothing"))

    names = [one.name for one in await Doctor(settings)(["7"])]

    assert "model" in names
    assert "token" in names
    assert "doctor" not in names


@pytest.mark.integration
async def test_a_doctor_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not answer in time is ended, and that is told."""
    monkeypatch.setattr(schedule_doctor, "ANSWER_S", 0.01)
    pulse.beat(tmp_path)

    assert await Doctor(load(None, data_dir=tmp_path))(()) == (SILENT,)
