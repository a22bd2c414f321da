"""Voices: flite, ffmpeg and libopus, as far as they are installed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from discord.opus import Decoder

from standup.simulator import speech
from standup.simulator.errors import SpeechUnavailable
from standup.simulator.speech import VOICES, Voice, encode, synthesize

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")


@pytest.mark.integration
@needs_flite
@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_speaks(voice: str) -> None:
    """Every voice gives Opus frames of 20 ms that decode to something loud."""
    frames = synthesize("Good morning everyone.", voice)
    decoder: Any = Decoder()  # type: ignore[no-untyped-call]
    pcm = b"".join(decoder.decode(frame, fec=False) for frame in frames)

    assert 30 < len(frames) < 200
    assert len(pcm) == len(frames) * 960 * 4
    assert max(memoryview(pcm).cast("h")) > 3000


@pytest.mark.integration
@needs_flite
def test_pitch_keeps_the_tempo() -> None:
    """A shifted voice speaks about as long as the one it comes from."""
    plain, shifted = (len(synthesize("Good morning everyone.", voice)) for voice in ("slt", "slt-high"))

    assert shifted == pytest.approx(plain, rel=0.1)


def test_last_frame_is_filled_up() -> None:
    """A frame and a bit become two frames."""
    assert len(encode(bytes(3840 + 4))) == 2
    assert encode(b"") == []


def test_missing_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing flite is named with the command that installs it, and the words are not."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SpeechUnavailable, match="apt-get install flite") as caught:
        synthesize("a secret", "slt")
    assert "secret" not in str(caught.value)


def test_failing_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program that fails is named with its status, and the words are not."""
    program = tmp_path / "flite"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    with pytest.raises(SpeechUnavailable, match="flite failed with status 3") as caught:
        synthesize("a secret", "slt")
    assert "secret" not in str(caught.value)


def test_hanging_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program that does not end is given up."""
    program = tmp_path / "flite"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(speech, "PROGRAM_TIMEOUT_S", 0.05)

    with pytest.raises(SpeechUnavailable, match="did not finish"):
        synthesize("a secret", "slt")


def test_refused_pitch() -> None:
    """A voice is shifted by an octave at most."""
    with pytest.raises(ValueError, match=r"0\.5 to 2\.0"):
        Voice("slt", 3.0)
