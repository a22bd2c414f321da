"""Transcribe: tracks and utterances in, the same utterances with their words out.

This module is the contract between the stage (`stage`) and a speech engine (`whisper` is one): an engine turns
batches of short windows of PCM into readings. Packing, guards and the way back to utterances belong to the
stage, so another engine is one file. Importing this package loads no model and no numerical library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pcm = npt.NDArray[np.float32]
    """Mono samples in [-1, 1] at ``SAMPLE_RATE_HZ``, shape (samples,)."""

__all__ = ["SAMPLES_PER_MS", "SAMPLE_RATE_HZ", "Engine", "Hints", "LanguageGuess", "Reading", "Word"]

SAMPLE_RATE_HZ = 16_000
SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its place in the window it was heard in."""

    text: str
    """As it is written, led by a space where the language parts words by spaces."""
    start_s: float
    end_s: float
    probability: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.start_s <= self.end_s:
            raise ValueError("word times must satisfy 0 <= start <= end")


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine made of one window."""

    words: tuple[Word, ...]
    """In the order they were said."""
    avg_logprob: float = 0.0
    """Mean log probability per token; below -1 the engine was guessing."""
    no_speech_prob: float = 0.0
    """The engine's own belief, 0 to 1, that nobody spoke."""
    is_cut: bool = False
    """Whether the engine stopped at its length limit rather than at the end of speech."""
    model: str = ""
    """The label of the engine that made it."""

    @property
    def text(self) -> str:
        """The words as one line."""
        return "".join(word.text for word in self.words).strip()


@dataclass(frozen=True, slots=True)
class Hints:
    """How a window is to be read."""

    language: str
    """Two-letter code."""
    prompt: str = field(default="", repr=False)
    """Names and terms that may occur; private, never logged."""
    is_careful: bool = False
    """Whether the engine takes its slowest and surest way; asked for when a quick reading looks wrong."""


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """The language heard, and how sure the engine is, 0 to 1."""

    language: str
    probability: float


class Engine(Protocol):
    """A speech engine; it may load its model on first use, and answers calls from several threads."""

    @property
    def label(self) -> str:
        """The model's name, as the notes tell it."""

    @property
    def sole_language(self) -> str | None:
        """The one language the model knows, or None when it knows many."""

    @property
    def lanes(self) -> int:
        """How many calls of `read` may usefully run at once."""

    @property
    def batch_windows(self) -> int:
        """The most windows one call of `read` should carry."""

    def detect_language(self, pcm: Pcm) -> LanguageGuess:
        """Return the language spoken in *pcm*, at most 29 s."""

    def read(self, windows: Sequence[Pcm], hints: Sequence[Hints]) -> list[Reading]:
        """Return one reading per window, in order; a window lasts at most 29 s.

        *hints*: one per window; those of a call differ in their prompts at most, and all or none have one.
        Raises ModelLoadError when the model cannot be loaded, OutOfMemory when the device is too small, and
        TranscribeError when the engine fails otherwise.
        """
