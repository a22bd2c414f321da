"""Contenders in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.bench.contenders import Contender, Job, compete
from standup.bench.ways import WAYS, command_path
from standup.errors import ServiceMissing, StandupError
from standup.settings import WhisperSettings
from standup.transcribe.models import resolve
from standup.transcript import Utterance


def test_every_contender_has_a_way() -> None:
    """None can be asked for in vain."""
    assert set(WAYS) == set(Contender)


def test_a_missing_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without whisper-ctranslate2 there is no benchmark, and the message says what to run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(ServiceMissing, match=r"whisper-ctranslate2 is not installed; run `\./setup\.sh`"):
        command_path()


@pytest.mark.integration
def test_a_contender_that_fails_is_named(tmp_path: Path) -> None:
    """Not its traceback is shown, but who it was and the last that it said."""
    missing = tmp_path / "missing.ogg"
    choice = resolve(WhisperSettings(model="tiny.en", device="cpu", language="en"))
    job = Job(choice, 1, {"a": missing}, (Utterance("u0", "a", 0, 1000),), missing, 30.0)
    with pytest.raises(StandupError, match=r"The contender `tuned` failed with status 1: .*missing\.ogg"):
        compete(Contender.TUNED, job)
