"""Restarting PulseAudio, where there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.capture import sound_server

SCRIPT = """#!/bin/sh
echo "$1" >>{folder}/asked
[ "$1" != --check ] || exit 1
"""


def test_a_machine_without_pulseaudio_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the command is absent nothing is run, and False says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sound_server.restart() is False


def test_the_server_is_killed_and_then_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First --kill, then a look whether it has gone, then --start."""
    command = tmp_path / "pulseaudio"
    command.write_text(SCRIPT.format(folder=tmp_path))
    command.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert sound_server.restart() is True
    assert (tmp_path / "asked").read_text().split() == ["--kill", "--check", "--start"]
