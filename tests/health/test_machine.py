"""What the doctor measures on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.health import machine
from standup.health.check import Grade


def test_this_machine_runs_the_tests() -> None:
    """Interpreter and DAVE library, without which no test would run, are found well."""
    assert [Grade.GOOD] * 2 == [machine.python().grade, machine.dave().grade]


def test_ffmpeg_on_an_empty_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where PATH has no ffmpeg, that is told."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not installed" in machine.ffmpeg().finding


def test_ffmpeg_by_its_own_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The version is the one that ffmpeg names."""
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'ffmpeg version 7.1-x Copyright'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert "7.1-x" == machine.ffmpeg().finding


def test_a_folder_that_is_still_to_be_made(tmp_path: Path) -> None:
    """The disk below the nearest folder that exists is measured, and nothing is made."""
    found = machine.disk(tmp_path / "a" / "b")
    assert "GiB free" in found.finding
    assert [] == list(tmp_path.iterdir())


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    """Where a file stands instead of the folder, nothing can be written."""
    (tmp_path / "data").touch()
    assert Grade.BAD is machine.disk(tmp_path / "data").grade


def test_a_model_larger_than_the_machine() -> None:
    """Memory is judged against the model that is to be loaded."""
    assert Grade.BAD is machine.memory(1 << 60).grade


def test_the_processor_is_named() -> None:
    """With the CPU wanted, no GPU is asked for."""
    assert "CPU" in machine.device("cpu").finding
