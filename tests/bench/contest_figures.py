"""Figures of a transcription benchmark that nobody ran, for what judges and shows them."""

from __future__ import annotations

from collections.abc import Mapping

from standup.bench.contenders import Contender
from standup.bench.transcribe import Score, TranscribeFigures


def figures(scores: Mapping[Contender, Score]) -> TranscribeFigures:
    """Return the figures of half a minute of speech on two cores."""
    return TranscribeFigures(
        "tiny.en", "cpu", "int8", 2, repetitions=3, utterances=4, speech_s=30.0, floor_s=1.0, scores=scores
    )
