"""Which meetings have been kept for long enough, at a given moment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.meeting import MeetingState
from standup.retention import DAY_MS, Deed, Retention

NOW_MS = 1_800_000_000_000
DONE, PARKED = MeetingState.DONE, MeetingState.PARKED
PROCESSING, RECORDING = MeetingState.PROCESSING, MeetingState.RECORDING
SOUND, MEETING = Deed.SOUND, Deed.MEETING


def due(kept: Retention, state: MeetingState, ended_at_ms: int | None) -> list[Deed]:
    """Return what is due for a meeting now, in the order in which it is done."""
    return [one.deed for one in kept.rules(NOW_MS) if one.covers(state, ended_at_ms)]


@pytest.mark.parametrize(
    ("audio_days", "text_days", "state", "age_days", "expected"),
    [
        pytest.param(0, 0, DONE, 9_999, [], id="kept for ever"),
        pytest.param(30, 0, DONE, 29, [], id="young enough"),
        pytest.param(30, 0, DONE, 30, [SOUND], id="sound, to the millisecond"),
        pytest.param(0, 90, DONE, 90, [MEETING], id="all of it"),
        pytest.param(30, 90, DONE, 90, [MEETING, SOUND], id="both: the whole goes first"),
        pytest.param(30, 90, DONE, 31, [SOUND], id="the words stay longer"),
        pytest.param(90, 30, DONE, 31, [MEETING], id="the sound goes with the words"),
        pytest.param(30, 0, PARKED, 9_999, [], id="parked: a retry needs its sound"),
        pytest.param(30, 90, PARKED, 90, [MEETING], id="parked: until all of it goes"),
        pytest.param(1, 1, PROCESSING, 9_999, [], id="being worked on"),
        pytest.param(1, 1, RECORDING, 9_999, [], id="being recorded"),
        pytest.param(1, 1, DONE, -1, [], id="ended in the future: a clock was wrong"),
    ],
)
def test_due(
    audio_days: int, text_days: int, state: MeetingState, age_days: int, expected: list[Deed]
) -> None:
    """Age since the end, the state and the two settings decide what goes."""
    assert due(Retention(audio_days, text_days), state, NOW_MS - age_days * DAY_MS) == expected


def test_what_has_no_end_has_no_age() -> None:
    """A meeting whose end nobody knows is never due."""
    assert due(Retention(1, 1), DONE, None) == []


DAYS = st.integers(0, 40_000)


@given(audio=DAYS, text=DAYS, age_ms=st.integers(0, 40_000 * DAY_MS), state=st.sampled_from(MeetingState))
def test_what_is_due_stays_due(audio: int, text: int, age_ms: int, state: MeetingState) -> None:
    """A deed is due exactly when its days are set and over, and only grows older; nothing else is touched."""
    found = due(Retention(audio, text), state, NOW_MS - age_ms)
    wanted = [
        deed
        for deed, days, states in ((MEETING, text, {DONE, PARKED}), (SOUND, audio, {DONE}))
        if days and age_ms >= days * DAY_MS and state in states
    ]
    assert found == wanted
    assert set(found) <= set(due(Retention(audio, text), state, NOW_MS - age_ms - DAY_MS))
