"""Tell speech from other sounds with Silero VAD, which comes with faster-whisper.

Discord's own gate passes keyboards and breath; Whisper invents words for them. https://github.com/snakers4/silero-vad
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps

from standup.transcribe import SAMPLES_PER_MS

if TYPE_CHECKING:
    from standup.transcribe import Pcm

_PAD_MS = 100  # the detector needs a moment of silence to see speech begin
_FIRST_MS = 500  # almost everybody who speaks has begun by then, and listening on would cost twice as much
_OPTIONS = VadOptions(min_speech_duration_ms=0, min_silence_duration_ms=100, speech_pad_ms=0)


def is_speech(pcm: Pcm, least_ms: int) -> bool:
    """Return whether at least *least_ms* of *pcm* are speech; its beginning is looked at first."""
    first = pcm[: _FIRST_MS * SAMPLES_PER_MS]
    return speech_ms(first) >= least_ms or (len(first) < len(pcm) and speech_ms(pcm) >= least_ms)


def speech_ms(pcm: Pcm) -> int:
    """Return how many milliseconds of *pcm* are speech."""
    padded = np.pad(pcm, _PAD_MS * SAMPLES_PER_MS)
    found = get_speech_timestamps(padded, _OPTIONS)
    return int(sum(one["end"] - one["start"] for one in found)) // SAMPLES_PER_MS
