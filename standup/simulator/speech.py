"""Give people voices: text becomes real Opus frames.

flite speaks, ffmpeg resamples and shifts the pitch, libopus encodes; none of them needs a network or a model download.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from discord.opus import Encoder, OpusNotLoaded

from .errors import SpeechUnavailable

PROGRAM_TIMEOUT_S = 60.0
FRAME_BYTES = Encoder.FRAME_SIZE
SAMPLE_RATE_HZ = Encoder.SAMPLING_RATE
BITRATE_KBIT = 64


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of flite, with its pitch shifted or not."""

    flite: str
    """slt, rms, awb or kal16."""
    pitch: float = 1.0
    """Above 1 is higher; the tempo stays."""

    def __post_init__(self) -> None:
        if not 0.5 <= self.pitch <= 2.0:
            raise ValueError(f"A voice is shifted by 0.5 to 2.0, not by {self.pitch}.")


#: Eight people who can be told apart.
VOICES = {
    "slt": Voice("slt"),
    "rms": Voice("rms"),
    "awb": Voice("awb"),
    "kal16": Voice("kal16"),
    "slt-high": Voice("slt", 1.12),
    "slt-low": Voice("slt", 0.9),
    "rms-high": Voice("rms", 1.1),
    "rms-low": Voice("rms", 0.92),
}


def synthesize(text: str, voice: str) -> list[bytes]:
    """Speak *text* in one of VOICES and return Opus frames: 48 kHz, stereo, 20 ms each.

    The last frame is filled up with silence. Blocks for about a tenth of the speech's own length.
    Raises KeyError for a voice that is not in VOICES, SpeechUnavailable when a program or libopus is missing or fails.
    """
    chosen = VOICES[voice]
    with tempfile.TemporaryDirectory(prefix="standup-speech-") as folder:
        wav = Path(folder) / "speech.wav"
        _run(["flite", "-voice", chosen.flite, "-t", text, "-o", str(wav)])
        pcm = _run(
            ["ffmpeg", "-nostdin", "-v", "error", "-i", str(wav), *_filters(chosen), "-f", "s16le", "-"]
        )
    return encode(pcm)


def encode(pcm: bytes) -> list[bytes]:
    """Encode *pcm* (int16, stereo, 48 kHz) as Opus frames of 20 ms; the last one is filled up with silence.

    Raises SpeechUnavailable when libopus is missing.
    """
    try:
        encoder = Encoder(application="voip", bitrate=BITRATE_KBIT)
    except OpusNotLoaded as cause:
        raise SpeechUnavailable from cause
    starts = range(0, len(pcm), FRAME_BYTES)
    pieces = (pcm[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for start in starts)
    return [encoder.encode(piece, Encoder.SAMPLES_PER_FRAME) for piece in pieces]


def _filters(voice: Voice) -> list[str]:
    format_options = ["-ar", str(SAMPLE_RATE_HZ), "-ac", "2"]
    if voice.pitch == 1.0:
        return format_options
    # asetrate changes pitch and tempo together; atempo takes the tempo back.
    chain = f"aresample={SAMPLE_RATE_HZ},asetrate={round(SAMPLE_RATE_HZ * voice.pitch)},atempo={1 / voice.pitch:.5f}"
    return ["-af", chain, *format_options]


def _run(command: list[str]) -> bytes:
    # The words spoken are in the command: no error may quote it.
    program = command[0]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PROGRAM_TIMEOUT_S, check=False)
    except FileNotFoundError as cause:
        sentence = f"The program {program} is not installed; run `apt-get install flite ffmpeg libopus0`."
        raise SpeechUnavailable(sentence) from cause
    except subprocess.TimeoutExpired:
        sentence = f"The program {program} did not finish within {PROGRAM_TIMEOUT_S:g} s; try a shorter text."
        raise SpeechUnavailable(sentence) from None
    if done.returncode:
        raise SpeechUnavailable(f"The program {program} failed with status {done.returncode}; reinstall it.")
    return done.stdout
