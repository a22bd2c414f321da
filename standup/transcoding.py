"""Make Ogg Opus tracks of audio files, as they stream through ffmpeg.

ffmpeg writes the track and tells us in the same pass how it sounds, so that a file of any length takes as little memory
as a short one: read as a whole, three hours of stereo are two gigabytes.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import tempfile
import wave
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from standup.errors import DiskFull, InputRefused, ServiceMissing
from standup.loudness import STEP_MS

BITRATE = "48k"
EFFORT = "5"
"""Of libopus, whose default of 10 takes five times as long."""
RATE_HZ = 16_000
_SAMPLE_BYTES = 2
_BYTES_PER_MS = RATE_HZ * _SAMPLE_BYTES // 1000
_CHUNK_BYTES = 10_000 * _BYTES_PER_MS
CUT_MS, CUT_SHARE = 200, 0.02
"""What an encoder's padding may account for; a file that lacks more than its header declares was cut short."""

PROBE_S = 60.0
"""What ffprobe may take to look at a file's head."""

OnRead = Callable[[int, int], None]
"""Told how many milliseconds of the file are read, and how many it declares; 0 where it declares nothing."""


@dataclass(frozen=True, slots=True)
class Transcoded:
    """What is known of a file that became a track."""

    duration_ms: int
    levels: Sequence[int]
    """Root mean square amplitude of each ``STEP_MS``, of 32768 at the most."""


def transcode(path: Path, target: Path, on_read: OnRead | None = None, patience_s: float = 120) -> Transcoded:
    """Write the sound of *path* to *target* as Ogg Opus, and return how it sounds.

    Raises InputRefused, naming the file, when it is missing, empty, no audio, or shorter than its own header says (cut
    short), or when ffmpeg makes nothing of it for *patience_s*; ServiceMissing without ffmpeg; DiskFull.
    """
    if not path.is_file():
        raise InputRefused(f"{path} is not a file; nothing was imported.")
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        raise ServiceMissing("ffmpeg is not installed; run ./setup.sh or `apt-get install ffmpeg`.")
    declared_ms = _declared_ms(path)
    heard_bytes, levels = 0, array("i")
    for chunk in _pcm(path, target, patience_s):
        heard_bytes += len(chunk)
        levels.extend(_levels(chunk))
        if on_read is not None:
            on_read(heard_bytes // _BYTES_PER_MS, round(declared_ms))
    duration_ms = heard_bytes // _BYTES_PER_MS
    if not duration_ms:
        raise InputRefused(f"{path} holds no sound; nothing was imported.")
    if declared_ms - duration_ms > max(CUT_MS, declared_ms * CUT_SHARE):
        raise InputRefused(
            f"{path} is cut short: it holds {duration_ms / 1000:.1f} s of the {declared_ms / 1000:.1f} s that it "
            "declares; nothing was imported."
        )
    return Transcoded(duration_ms, levels)


def _pcm(path: Path, target: Path, patience_s: float) -> Iterator[bytes]:
    """Have ffmpeg write *target*, and yield the sound in chunks of 16-bit mono PCM, all but the last of one length."""
    sound = ["-map", "0:a:0", "-vn"]
    track = [
        *sound,
        "-c:a",
        "libopus",
        "-b:a",
        BITRATE,
        "-compression_level",
        EFFORT,
        "-f",
        "ogg",
        str(target),
    ]
    heard = [*sound, "-ac", "1", "-ar", str(RATE_HZ), "-f", "s16le", "pipe:1"]
    argv = ["ffmpeg", "-nostdin", "-y", "-v", "error", "-i", f"file:{path}", *track, *heard]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as ffmpeg,
    ):
        try:
            yield from _chunks(ffmpeg, path, patience_s)
            status = ffmpeg.wait(patience_s)
        finally:
            ffmpeg.kill()
        said.seek(0)
        if b"No space left" in said.read():
            raise DiskFull("The disk is full; free some space and import the files again.")
        if status:
            raise InputRefused(f"ffmpeg finds no audio in {path}; nothing was imported. Is it whole?")


def _chunks(ffmpeg: subprocess.Popen[bytes], path: Path, patience_s: float) -> Iterator[bytes]:
    """Yield what ffmpeg writes, in chunks of ``_CHUNK_BYTES``."""
    assert ffmpeg.stdout is not None
    pending = bytearray()
    while select.select([ffmpeg.stdout], [], [], patience_s)[0]:
        more = os.read(ffmpeg.stdout.fileno(), _CHUNK_BYTES)
        pending += more
        if not more:
            yield bytes(pending)
            return
        while len(pending) >= _CHUNK_BYTES:
            yield bytes(pending[:_CHUNK_BYTES])
            del pending[:_CHUNK_BYTES]
    raise InputRefused(
        f"ffmpeg has made nothing of {path} for {patience_s:.0f} s; nothing was imported. Convert it to WAV yourself."
    )


def _levels(chunk: bytes) -> Iterator[int]:
    """Yield the loudness of each ``STEP_MS`` of 16-bit mono PCM."""
    from pydub import AudioSegment

    sound = AudioSegment(chunk, sample_width=_SAMPLE_BYTES, frame_rate=RATE_HZ, channels=1)
    return (step.rms for step in sound[::STEP_MS])


def _declared_ms(path: Path) -> float:
    """Return how long the file's header says it is; 0 when it does not say, or is no header.

    Of raw AAC, and of MP3 without a table, ffprobe guesses the length from the first seconds, and says so.
    """
    argv = ["ffprobe", "-v", "warning", "-show_entries", "format=duration", "-of", "csv=p=0", f"file:{path}"]
    try:
        told = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=PROBE_S)
        declared_s = 0.0 if "Estimating duration" in told.stderr else float(told.stdout)
    except (ValueError, subprocess.TimeoutExpired):
        declared_s = 0.0
    return max(declared_s * 1000, _wave_ms(path))


def _wave_ms(path: Path) -> float:
    """Return the length that a WAV header declares, which ffprobe corrects by the file's size; 0 for others."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() * 1000 / file.getframerate()
    except (wave.Error, EOFError):
        return 0
