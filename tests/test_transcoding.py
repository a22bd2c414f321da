"""Audio files that become tracks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import av
import pytest

from standup.errors import DiskFull, InputRefused, ServiceMissing
from standup.transcoding import transcode
from tests.test_imports import wav


def test_a_track_sounds_as_its_file(tmp_path: Path) -> None:
    """As long, as loud where it is loud, and Ogg Opus."""
    made = transcode(wav(tmp_path / "a.wav", (1.0, 1), (0.5, 0)), tmp_path / "s1.ogg")
    loud, quiet = made.levels[5:45], made.levels[55:]

    assert (made.duration_ms, len(made.levels)) == (1500, 75)
    assert all(abs(one - 20_000 / 2**0.5) < 300 for one in loud)
    assert not any(quiet)
    with av.open(str(tmp_path / "s1.ogg")) as track:
        assert track.streams.audio[0].codec_context.name == "opus"
        assert sum(frame.samples for frame in track.decode(audio=0)) / 48_000 == pytest.approx(1.5, abs=0.02)


def test_a_long_file_is_read_piece_by_piece(tmp_path: Path) -> None:
    """Whoever waits is told how far it is, and how far it goes."""
    told: list[tuple[int, int]] = []
    transcode(wav(tmp_path / "a.wav", (25.0, 1)), tmp_path / "s1.ogg", lambda *one: told.append(one))

    assert told == [(10_000, 25_000), (20_000, 25_000), (25_000, 25_000)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("a.aac", ("-c:a", "aac"), id="raw AAC"),
        pytest.param(
            "a.mp3", ("-c:a", "libmp3lame", "-q:a", "5", "-write_xing", "0"), id="MP3 without a table"
        ),
    ],
)
def test_a_guessed_length_is_none(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    """Where ffprobe guesses a length from a quiet beginning, a whole file is not taken for one that was cut short."""
    plain, packed = wav(tmp_path / "a.wav", (20.0, 0), (5.0, 1)), tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-i", plain, *options, packed], check=True, timeout=60)
    told: list[int] = []
    made = transcode(packed, tmp_path / "s1.ogg", lambda _, declared_ms: told.append(declared_ms))

    assert made.duration_ms == pytest.approx(25_000, abs=200)
    assert set(told) == {0}


def test_without_ffmpeg_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceMissing, match=r"run \./setup\.sh"):
        transcode(wav(tmp_path / "a.wav", (1.0, 1)), tmp_path / "s1.ogg")


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """What does not fit is no fault of the file."""
    target = tmp_path / "s1.ogg"
    target.symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="The disk is full"):
        transcode(wav(tmp_path / "a.wav", (1.0, 1)), target)


def test_nobody_waits_for_ffmpeg_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that makes nothing of a file is ended, and the file is named."""
    silent = tmp_path / "ffmpeg"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    (tmp_path / "sleep").symlink_to(shutil.which("sleep") or "")
    (tmp_path / "ffprobe").symlink_to(shutil.which("ffprobe") or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputRefused, match=r"ffmpeg has made nothing of .*a\.wav"):
        transcode(wav(tmp_path / "a.wav", (1.0, 1)), tmp_path / "s1.ogg", patience_s=0.1)
