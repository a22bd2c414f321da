"""The memory profiles: what a speech engine does with when the chosen way needs too much memory.

A ladder of compute type, batch, model and device, from the chosen way down to the smallest. Which rung is in force
is kept in the archive (`standup.failures.Measure`). No model is loaded here, nothing is looked up.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from standup.failures import LOWEST_PROFILE

SMALL, TINY = "small", "tiny.en"
_SIZES = ("tiny", "base", "small", "medium", "distil-large", "large-v3-turbo", "turbo", "large")
"""Whisper's models by the memory they need; ``tiny.en`` and ``large-v3`` count as what they begin with."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How an engine runs."""

    model: str
    """A model's name or its folder."""
    device: str
    """``cpu`` or ``cuda``."""
    compute_type: str
    """CTranslate2's name of the numbers it computes with."""
    batch_windows: int
    """The most windows that are read at once."""
    lanes: int
    """How many batches run at once."""

    def __post_init__(self) -> None:
        if self.device not in ("cpu", "cuda"):
            raise ValueError("a profile runs on cpu or cuda")
        if self.batch_windows < 1 or self.lanes < 1:
            raise ValueError("a profile reads at least one window in at least one lane")

    def __str__(self) -> str:
        return f"{Path(self.model).name}, {self.device}, {self.compute_type}, batches of {self.batch_windows}"


def ladder(chosen: Profile) -> tuple[Profile, ...]:
    """Return the profiles from *chosen* down; each needs less memory than the one before.

    A rung that would change nothing is left out, and none takes a model larger than the chosen one.
    """
    rungs = [chosen]
    for step in _STEPS:
        lower = step(rungs[-1])
        if lower != rungs[-1]:
            rungs.append(lower)
    return tuple(rungs)


def _compute_in_bytes(upper: Profile) -> Profile:
    """Half the weights; the words hardly change."""
    smaller = "int8_float16" if upper.device == "cuda" else "int8"
    return dataclasses.replace(upper, compute_type=smaller)


def _read_little_at_once(upper: Profile) -> Profile:
    return dataclasses.replace(upper, batch_windows=min(2, upper.batch_windows), lanes=1)


def _take_the_small_model(upper: Profile) -> Profile:
    return _at_most(upper, SMALL)


def _leave_the_gpu(upper: Profile) -> Profile:
    if upper.device == "cpu":
        return upper
    return dataclasses.replace(upper, device="cpu", compute_type="int8")


def _take_the_bundled_model(upper: Profile) -> Profile:
    return _at_most(upper, TINY)


_STEPS = (
    _compute_in_bytes,
    _read_little_at_once,
    _take_the_small_model,
    _leave_the_gpu,
    _take_the_bundled_model,
)
assert len(_STEPS) == LOWEST_PROFILE, "the archive counts rungs as far as there are any"


def _at_most(upper: Profile, model: str) -> Profile:
    return dataclasses.replace(upper, model=model) if _size(upper.model) > _size(model) else upper


def _size(model: str) -> int:
    """Return the place of a model among the sizes; one of unknown size counts as the largest."""
    name = Path(model).name
    return next((place for place, size in enumerate(_SIZES) if name.startswith(size)), len(_SIZES))
