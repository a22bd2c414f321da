"""How much of a window Whisper hears, how much of that it is shown, and how much it may say to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.transcribe import Hints
from standup.transcribe.context import frames, heard_frames, positions, shown_frames, token_limit

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


@pytest.mark.parametrize(("number", "expected"), [(0, 0), (1, 1), (2, 1), (3000, 1500)])
def test_the_encoder_halves_frames(number: int, expected: int) -> None:
    """A last frame without another still makes a position."""
    assert positions(number) == expected


@pytest.mark.parametrize(
    ("longest_frames", "hints", "is_cut", "expected"),
    [
        pytest.param(1200, Hints("en"), True, 1300, id="a second of silence"),
        pytest.param(1200, Hints("en"), False, 1500, id="three where it is heard and shown alike"),
        pytest.param(2950, Hints("en"), True, 3000, id="no more than the model knows"),
        pytest.param(200, CAREFUL, True, 3000, id="all of it for a careful reading"),
    ],
)
def test_little_silence_is_shown(longest_frames: int, hints: Hints, is_cut: bool, expected: int) -> None:
    """Every token costs as much as is shown; what cannot be cut is shown as it was heard."""
    assert shown_frames(longest_frames, hints, is_cut=is_cut) == expected


@pytest.mark.parametrize(
    ("speech_frames", "shown", "expected"),
    [
        pytest.param(1200, 1300, 1400, id="the longest of a batch"),
        pytest.param(300, 1300, 1300, id="a short one hears what the others are shown"),
        pytest.param(2900, 3000, 3000, id="no more than the model knows"),
    ],
)
def test_silence_is_heard_behind_the_speech(speech_frames: int, shown: int, expected: int) -> None:
    """Less than two seconds make real voices loop; more costs time."""
    assert heard_frames(speech_frames, shown) == expected


@given(st.lists(st.integers(1, 3000), min_size=1), st.booleans(), st.booleans())
def test_windows_fit_together(speech: list[int], is_careful: bool, is_cut: bool) -> None:
    """What is shown was heard of each, and windows that cannot be cut are heard at one length."""
    shown = shown_frames(max(speech), Hints("en", is_careful=is_careful), is_cut=is_cut)
    heard = {heard_frames(one, shown) for one in speech}
    assert min(heard) >= shown
    assert is_cut or heard == {shown}


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
