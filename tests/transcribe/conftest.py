"""Tracks with known speech, tracks made of tones, and an engine that plays by a script."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from standup.transcribe import Hints, LanguageGuess, Reading, Word
from standup.transcript import Utterance

DATA = Path(__file__).parent / "data"

Pcm = npt.NDArray[np.float32]


@pytest.fixture
def data() -> Path:
    """The folder of recorded tracks; its make.py says how they came about."""
    return DATA


@pytest.fixture
def tracks() -> dict[str, Path]:
    """Four voices, one track each."""
    return {voice: DATA / f"{voice}.ogg" for voice in ("slt", "rms", "awb", "kal16")}


@pytest.fixture
def spoken() -> tuple[Utterance, ...]:
    """What the four voices say, with its text."""
    listed = json.loads((DATA / "standup.json").read_text(encoding="utf-8"))
    return tuple(
        Utterance(one["id"], one["speaker"], one["start_ms"], one["end_ms"]).heard(one["text"])
        for one in listed
    )


@pytest.fixture
def pending(spoken: tuple[Utterance, ...]) -> tuple[Utterance, ...]:
    """The same utterances before anybody transcribed them."""
    return tuple(Utterance(one.id, one.speaker, one.start_ms, one.end_ms) for one in spoken)


def _tones(path: Path, sounding_ms: Sequence[tuple[int, int]], length_ms: int) -> Path:
    """Write an Ogg Opus track that is silent but for a 440 Hz tone in the given stretches."""
    time_s = np.arange(length_ms * 48) / 48_000
    pcm = np.zeros((1, length_ms * 48), dtype=np.float32)
    for start_ms, end_ms in sounding_ms:
        stretch = slice(start_ms * 48, end_ms * 48)
        pcm[0, stretch] = 0.5 * np.sin(2 * np.pi * 440 * time_s[stretch])
    return _encoded(path, pcm[0])


def _encoded(path: Path, pcm: Pcm) -> Path:
    """Write mono samples at 48 kHz as an Ogg Opus track."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        for at in range(0, len(pcm), 960):
            frame = av.AudioFrame.from_ndarray(pcm[None, at : at + 960], format="flt", layout="mono")
            frame.sample_rate, frame.pts = 48_000, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def encoded() -> Callable[[Path, Pcm], Path]:
    """Write an Ogg Opus track of mono samples at 48 kHz: path, samples."""
    return _encoded


@pytest.fixture
def tones() -> Callable[[Path, Sequence[tuple[int, int]], int], Path]:
    """Write an Ogg Opus track of tones: path, sounding stretches in ms, length in ms."""
    return _tones


@dataclass
class ScriptedEngine:
    """Hears the word ``soundN`` in the N-th sound of a window, unless its script says otherwise."""

    script: Callable[[Pcm, Hints], Reading] | None = None
    guess: LanguageGuess = field(default_factory=lambda: LanguageGuess("en", 0.9))
    label: str = "scripted"
    sole_language: str | None = None
    lanes: int = 2
    batch_windows: int = 4
    asked: list[tuple[int, Hints]] = field(default_factory=list)
    """The number of windows and the hints of every call of `read`, in the order they came."""

    def detect_language(self, pcm: Pcm) -> LanguageGuess:
        """Return the guess it was made with."""
        return self.guess

    def read(self, windows: Sequence[Pcm], hints: Sequence[Hints]) -> list[Reading]:
        """Return what the script says."""
        self.asked += [(len(windows), one) for one in hints[:1]]
        return [(self.script or _sounds)(pcm, one) for pcm, one in zip(windows, hints, strict=True)]


def _sounds(pcm: Pcm, hints: Hints) -> Reading:
    sounding = np.flatnonzero(np.abs(pcm) > 0.01) / 16_000
    groups = np.split(sounding, np.flatnonzero(np.diff(sounding) > 0.45) + 1)
    return Reading(
        tuple(
            Word(f" sound{number}", group[0], group[-1]) for number, group in enumerate(groups) if len(group)
        )
    )


@pytest.fixture
def scripted() -> type[ScriptedEngine]:
    """The class of engines that play by a script."""
    return ScriptedEngine
