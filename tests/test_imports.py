"""Audio files that become a meeting."""

from __future__ import annotations

import wave
from array import array
from datetime import datetime, timezone
from math import pi, sin
from pathlib import Path

import pytest

from standup import imports
from standup.archive import Archive
from standup.errors import InputRefused
from standup.pipeline import Stage, StageState
from tests.empty_archives import migrated

NOW = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = "20261123T095800Z-1f0c9a2b"
RATE_HZ = 16_000


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path)))
    return made


def wav(path: Path, *parts: tuple[float, float]) -> Path:
    """Write a mono WAV of (seconds, loudness 0 to 1) parts of a 200 Hz tone."""
    samples = array("h")
    for seconds, loudness in parts:
        count = int(seconds * RATE_HZ)
        samples.extend(int(20_000 * loudness * sin(2 * pi * 200 * one / RATE_HZ)) for one in range(count))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


def test_sound_becomes_utterances_on_one_clock(archive: Archive, tmp_path: Path) -> None:
    """Two files start together; each stretch of sound is an utterance of its speaker."""
    files = {
        "Ana": wav(tmp_path / "a.wav", (1.0, 1), (1.0, 0), (1.0, 1)),
        "Ben": wav(tmp_path / "b.wav", (1.2, 0), (0.5, 1)),
    }
    meeting = imports.bring_in(archive, files, MEETING, NOW)
    spans = [(one.speaker, round(one.start_ms, -2), round(one.end_ms, -2)) for one in _utterances(archive)]
    assert spans == [("s1", 0, 1000), ("s2", 1200, 1700), ("s1", 2000, 3000)]
    assert meeting.duration_ms == 3000


def test_only_what_comes_after_capture_is_left(archive: Archive, tmp_path: Path) -> None:
    """An imported meeting waits for transcription."""
    imports.bring_in(archive, {"Ana": wav(tmp_path / "a.wav", (1.0, 1))}, MEETING, NOW)
    states = {one.stage: one.state for one in archive.statuses(MEETING)}
    assert states[Stage.CAPTURE] is StageState.DONE
    assert states[Stage.TRANSCRIBE] is StageState.TODO


def test_names_stay_out_of_paths(archive: Archive, tmp_path: Path) -> None:
    """A speaker's name, whatever it is, is no part of a file's name."""
    imports.bring_in(archive, {"../Ana": wav(tmp_path / "a.wav", (1.0, 1))}, MEETING, NOW)
    assert archive.tracks(MEETING)[0].path == "tracks/s1.ogg"
    assert archive.transcript(MEETING).participants[0].name == "../Ana"


def test_silence_has_no_utterances(archive: Archive, tmp_path: Path) -> None:
    """A file of silence is a meeting in which nobody spoke."""
    imports.bring_in(archive, {"Ana": wav(tmp_path / "a.wav", (1.0, 0))}, MEETING, NOW)
    assert _utterances(archive) == ()


@pytest.mark.parametrize(
    "content", [b"", b"this is no audio", b"RIFF\x24\x00\x00\x00WAVEfmt "], ids=["empty", "foreign", "cut"]
)
def test_what_is_no_audio_is_refused_before_anything_is_stored(
    archive: Archive, tmp_path: Path, content: bytes
) -> None:
    """One bad file among good ones: it is named, and nothing was imported."""
    bad = tmp_path / "bad.wav"
    bad.write_bytes(content)
    with pytest.raises(InputRefused, match=r"bad\.wav"):
        imports.bring_in(archive, {"Ana": wav(tmp_path / "a.wav", (1.0, 1)), "Ben": bad}, MEETING, NOW)
    assert archive.meetings() == ()


def _utterances(archive: Archive) -> tuple:  # type: ignore[type-arg]
    return archive.transcript(MEETING).utterances


def test_a_file_that_is_cut_short_is_refused(archive: Archive, tmp_path: Path) -> None:
    """A recording that holds less than its header declares is named, with both lengths."""
    whole = wav(tmp_path / "a.wav", (3.0, 1)).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(InputRefused, match=r"cut\.wav is cut short: it holds 1\.0 s of the 3\.0 s"):
        imports.bring_in(archive, {"Ana": tmp_path / "cut.wav"}, MEETING, NOW)
    assert archive.meetings() == ()
