"""Find stretches of sound in a recording by how loud each of its moments is. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STEP_MS = 20
"""One loudness stands for this long."""
PAUSE_MS = 400
"""Sound that is quiet for as long becomes two stretches."""
BELOW_AVERAGE_DB = 16.0
"""What is so much quieter than the average counts as quiet; transcription verifies the rest."""
LEAST_MS = 100
"""Shorter stretches are left out."""


def stretches(levels: Sequence[float], duration_ms: int) -> list[tuple[int, int]]:
    """Return the stretches of sound as (start, end) in ms, in order and apart by ``PAUSE_MS`` or more.

    *levels*: root mean square amplitude of each ``STEP_MS`` in any unit, the last step may be shorter; *duration_ms*:
    length of the whole. Sound that never pauses is one stretch, silence is none.
    """
    powers = np.square(np.asarray(levels, dtype=np.float64))
    if not powers.any():
        return []
    steps = PAUSE_MS // STEP_MS
    limit = powers.mean() * 10 ** (-BELOW_AVERAGE_DB / 10)
    is_loud = np.ones(len(powers), dtype=bool)
    if len(powers) >= steps:
        begins_pause = np.convolve(powers, np.full(steps, 1 / steps), "valid") <= limit
        is_loud = np.convolve(begins_pause, np.ones(steps), "full") == 0
    edges = STEP_MS * np.flatnonzero(np.diff(is_loud, prepend=False, append=False))
    spans = ((int(start), min(int(end), duration_ms)) for start, end in edges.reshape(-1, 2))
    return [(start, end) for start, end in spans if end - start >= LEAST_MS]
