"""How much of a window Whisper hears, and how much it may say to it."""

from __future__ import annotations

import pytest

from standup.transcribe import Hints
from standup.transcribe.context import context_frames, frames, token_limit

CAREFUL = Hints("en", is_careful=True)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(0, 0, id="nothing"),
        pytest.param(159, 0, id="less than one"),
        pytest.param(16_000, 100, id="a second"),
    ],
)
def test_frames_are_hundredths_of_a_second(samples: int, expected: int) -> None:
    """Sixteen thousand samples are a second."""
    assert frames(samples) == expected


@pytest.mark.parametrize(
    ("longest_frames", "hints", "expected"),
    [
        pytest.param(1200, Hints("en"), 1500, id="three seconds of silence"),
        pytest.param(2900, Hints("en"), 3000, id="no more than the model knows"),
        pytest.param(200, CAREFUL, 3000, id="all of it for a careful reading"),
    ],
)
def test_silence_follows_the_speech(longest_frames: int, hints: Hints, expected: int) -> None:
    """Less would make real voices loop; more costs time."""
    assert context_frames(longest_frames, hints) == expected


@pytest.mark.parametrize(
    ("longest_frames", "hints", "expected"),
    [
        pytest.param(100, Hints("en"), 14, id="a second of English"),
        pytest.param(1500, Hints("en"), 98, id="a whole window"),
        pytest.param(100, Hints("ja"), 224, id="another script"),
        pytest.param(100, CAREFUL, 224, id="a careful reading"),
    ],
)
def test_the_token_limit_follows_the_length(longest_frames: int, hints: Hints, expected: int) -> None:
    """English cannot say more than six tokens a second; a loop is cut there."""
    assert token_limit(longest_frames, hints) == expected
