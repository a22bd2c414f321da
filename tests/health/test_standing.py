"""How the bot stands with Discord has its grade, and whoever reads it knows what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.health import standing
from standup.health.check import Check, Grade

GOOD, DOUBTFUL, BAD = Grade.GOOD, Grade.DOUBTFUL, Grade.BAD


@pytest.mark.parametrize(
    ("check", "grade"),
    [
        pytest.param(standing.token(200), GOOD, id="token"),
        pytest.param(standing.token(401), BAD, id="token refused"),
        pytest.param(standing.token(429), DOUBTFUL, id="Discord limits us"),
        pytest.param(standing.token(503), BAD, id="Discord is down"),
        pytest.param(standing.session_starts(0, 1000), BAD, id="no session start left"),
        pytest.param(standing.session_starts(19, 1000), DOUBTFUL, id="few session starts"),
        pytest.param(standing.session_starts(20, 1000), GOOD, id="session starts"),
        pytest.param(standing.clock(4.9), GOOD, id="clock"),
        pytest.param(standing.clock(-6), DOUBTFUL, id="clock behind"),
        pytest.param(standing.clock(301), BAD, id="clock wrong"),
        pytest.param(standing.intents((), ()), GOOD, id="no intent needed"),
        pytest.param(standing.intents(["members"], ["presence"]), BAD, id="an intent is missing"),
        pytest.param(standing.intents(["members"], ["members"]), GOOD, id="intents"),
        pytest.param(standing.permissions(1, ["Connect"]), BAD, id="a permission is missing"),
        pytest.param(standing.permissions(1, ["Send Messages"], stops=False), DOUBTFUL, id="only for alerts"),
        pytest.param(standing.permissions(1, []), GOOD, id="permissions"),
        pytest.param(standing.live_thread(1, ["Create Public Threads"]), DOUBTFUL, id="no live thread"),
        pytest.param(standing.live_thread(1, []), GOOD, id="live thread"),
    ],
)
def test_grade(check: Check, grade: Grade) -> None:
    """Each answer has its grade at both sides of its limit."""
    assert grade is check.grade


@given(st.floats(-1e6, 1e6))
def test_clock_is_judged_alike_in_both_directions(skew_s: float) -> None:
    """Being ahead is as bad as being behind."""
    assert standing.clock(skew_s).grade is standing.clock(-skew_s).grade


def test_missing_permissions_are_named() -> None:
    """The operator reads which permission to grant in which channel."""
    check = standing.permissions(42, ["View Channel", "Connect"])
    assert ("channel 42", "View Channel and Connect not granted") == (check.name, check.finding)
