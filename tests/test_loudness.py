"""Stretches of sound."""

from __future__ import annotations

from itertools import chain, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydub import AudioSegment
from pydub.silence import detect_nonsilent

from standup.loudness import BELOW_AVERAGE_DB, LEAST_MS, PAUSE_MS, STEP_MS, stretches

RATE_HZ = 1000
MOMENTS = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from([0, 40, 900, 20_000])), min_size=1, max_size=12
)


def levels(*parts: tuple[int, int]) -> list[int]:
    """Return the loudness of parts of (steps, loudness)."""
    return list(chain.from_iterable([loudness] * steps for steps, loudness in parts))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(50, 500)], [(0, 1000)]),
        ([(50, 0)], []),
        ([(10, 500), (20, 0), (10, 500)], [(0, 200), (600, 800)]),
        ([(10, 500), (19, 0), (10, 500)], [(0, 780)]),
        ([(10, 500), (50, 0), (4, 500), (50, 0)], [(0, 200)]),
        ([(10, 500), (50, 20)], [(0, 200)]),
        ([(10, 500), (50, 100)], [(0, 1200)]),
        ([(5, 500)], [(0, 100)]),
    ],
    ids=[
        "no pause",
        "silence",
        "a pause",
        "shorter than a pause",
        "shorter than speech",
        "quiet",
        "not quiet enough",
        "short",
    ],
)
def test_sound_is_parted_by_pauses(parts: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    """A pause is quiet for its whole length, far below the average."""
    heard = levels(*parts)
    assert stretches(heard, STEP_MS * len(heard)) == expected


def test_a_stretch_ends_with_the_sound() -> None:
    """The last step may be shorter than the others."""
    assert stretches(levels((10, 500)), 190) == [(0, 190)]


@given(MOMENTS)
def test_pydub_finds_the_same(parts: list[tuple[int, int]]) -> None:
    """What pydub finds in the sound itself, where its rounding to whole amplitudes makes no difference."""
    steps = levels(*parts)
    assume(any(steps))
    samples = b"".join(loudness.to_bytes(2, "little") * (RATE_HZ * STEP_MS // 1000) for loudness in steps)
    sound = AudioSegment(samples, sample_width=2, frame_rate=RATE_HZ, channels=1)
    limits_db = (sound.dBFS - BELOW_AVERAGE_DB + error_db for error_db in (-0.3, 0.3))
    lower, higher = (detect_nonsilent(sound, PAUSE_MS, limit_db, STEP_MS) for limit_db in limits_db)
    assume(lower == higher)

    assert stretches(steps, len(sound)) == [(start, end) for start, end in lower if end - start >= LEAST_MS]


@given(MOMENTS)
def test_stretches_are_in_order_and_apart(parts: list[tuple[int, int]]) -> None:
    """None overlaps or touches another, and all lie within the sound."""
    heard = levels(*parts)
    found = stretches(heard, STEP_MS * len(heard))

    assert all(0 <= start < end <= STEP_MS * len(heard) for start, end in found)
    assert all(later - earlier >= PAUSE_MS for (_, earlier), (later, _) in pairwise(found))
