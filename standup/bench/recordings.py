"""Rehearsals of real recordings: each is a speaker, and they speak one after the other until the time is filled.

A folder holds ``NAME.wav`` and beside it ``NAME.txt`` with all that is said in it. Which words fall into which
utterance is not known, so these are scored by speaker.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from faster_whisper.audio import decode_audio
from faster_whisper.vad import VadOptions, get_speech_timestamps

from standup.bench.rehearsal import PAUSE_MS, Rehearsal, Tapes
from standup.errors import InputRefused
from standup.transcribe import SAMPLES_PER_MS
from standup.transcript import Utterance

# The pause that ends an utterance, and what Discord's clients send around one.
_CUTS = VadOptions(min_silence_duration_ms=300, speech_pad_ms=80)


@dataclass(frozen=True, slots=True)
class Recording:
    """One speaker."""

    name: str
    text: str
    """All that is said."""
    pcm: bytes
    """16-bit, mono, 16 kHz."""
    spans_ms: tuple[tuple[int, int], ...]
    """Where the speech is, cut at pauses."""


def replay(source: Path, folder: Path, minutes: float) -> Rehearsal:
    """Make the tracks of a meeting of about *minutes* in *folder*, of the recordings in *source*, the last one whole.

    Raises InputRefused when there are none or one cannot be read, and ServiceMissing without ffmpeg.
    """
    tapes = Tapes()
    utterances: list[Utterance] = []
    times: Counter[str] = Counter()
    recordings = read(source)
    at_ms = PAUSE_MS
    for one in cycle(recordings):
        if at_ms >= minutes * 60_000:
            break
        for start_ms, end_ms in one.spans_ms:
            spoken = Utterance(f"u{len(utterances):04}", one.name, at_ms + start_ms, at_ms + end_ms)
            utterances.append(spoken)
        times[one.name] += 1
        at_ms = tapes.lay(one.name, at_ms, one.pcm) + PAUSE_MS
    words = {one.name: " ".join([one.text] * times[one.name]) for one in recordings if times[one.name]}
    return Rehearsal(tapes.write(folder), tuple(utterances), words)


def read(source: Path) -> list[Recording]:
    """Return the recordings of a folder, by name; raise InputRefused when there are none or one cannot be read."""
    found = [_read(path) for path in sorted(source.glob("*.wav"))]
    if not found:
        raise InputRefused(f"{source} holds no recordings; put NAME.wav and NAME.txt there.")
    return found


def _read(path: Path) -> Recording:
    try:
        text = path.with_suffix(".txt").read_text("utf-8")
        samples = decode_audio(str(path))
    except (OSError, ValueError, IndexError) as cause:
        raise InputRefused(
            f"{path.name} or its text {path.stem}.txt cannot be read; mend both or take them out of the folder."
        ) from cause
    spans_ms = tuple(
        (one["start"] // SAMPLES_PER_MS, one["end"] // SAMPLES_PER_MS)
        for one in get_speech_timestamps(samples, _CUTS)
    )
    if not spans_ms:
        raise InputRefused(f"Nobody speaks in {path.name}; take it out of the folder.")
    return Recording(path.stem, text, (samples * 32_767).astype(np.int16).tobytes(), spans_ms)
