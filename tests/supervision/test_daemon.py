"""A supervisord in a folder of its own; `test_restarts` runs it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from standup.errors import ServiceMissing
from standup.settings import load
from standup.supervision import daemon as daemons
from standup.supervision.daemon import CONFIG, Daemon, configuration
from standup.supervision.programs import FLOWER_PORT


def settings_in(folder: Path) -> daemons.Settings:
    return load(None, data_dir=folder / "data", log_dir=folder / "logs", flower_password="a-password-here")


def test_only_flowers_command_differs(tmp_path: Path) -> None:
    """Everything that decides over starts, stops and signals is what an operator runs."""
    real, made = CONFIG.read_text().splitlines(), configuration(settings_in(tmp_path)).splitlines()
    different = [(one, other) for one, other in zip(real, made, strict=True) if one != other]
    ((usual, changed),) = different

    assert usual.endswith("standup run flower")
    assert "standup.supervision.launch" in changed
    assert f"--port={FLOWER_PORT}" not in shlex.split(changed.removeprefix("command="))


def test_the_password_stands_in_no_file(tmp_path: Path) -> None:
    """Flower gets it by environment."""
    assert "a-password-here" not in configuration(settings_in(tmp_path))


def test_it_needs_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the configuration beside the package, the message says where to run it."""
    monkeypatch.setattr(daemons, "CONFIG", tmp_path / "supervisord.conf")
    with pytest.raises(ServiceMissing, match="from a checkout"):
        Daemon(tmp_path, settings_in(tmp_path)).start()


def test_nothing_answers_before_the_start(tmp_path: Path) -> None:
    """A supervisord that does not answer has no program that runs."""
    made = Daemon(tmp_path, settings_in(tmp_path))
    assert made.processes() == ()
    assert not made.is_running()
    made.stop()
