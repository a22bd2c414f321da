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
_OPTIONS = VadOptions(min_speech_duration_ms=0, min_silence_duration_ms=100, speech_pad_ms=0)


def speech_ms(pcm: Pcm) -> int:
    """Return how many milliseconds of *pcm* are speech."""
    padded = np.pad(pcm, _PAD_MS * SAMPLES_PER_MS)
    found = get_speech_timestamps(padded, _OPTIONS)
    return int(sum(one["end"] - one["start"] for one in found)) // SAMPLES_PER_MS
