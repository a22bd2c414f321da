"""An allowance lets through a burst, then a steady rate, and counts what it refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.bot.allowance import Allowance


def test_burst_then_rate() -> None:
    """After the burst one line comes per interval."""
    allowance = Allowance(burst=2, per_s=1.0)

    granted = [allowance.grants(now_ms) for now_ms in (0, 0, 0, 500, 1000, 1001)]

    assert granted == [True, True, False, False, True, False]


def test_refused_lines_are_counted_once() -> None:
    """Settling gives the number since the last time."""
    allowance = Allowance(burst=1, per_s=1.0)
    for _ in range(4):
        allowance.grants(0)

    assert (allowance.settle(), allowance.settle()) == (3, 0)


@given(st.lists(st.integers(0, 200), max_size=300))
def test_never_more_than_burst_and_rate(steps_ms: list[int]) -> None:
    """Over any stretch no more is granted than the burst and the rate allow."""
    allowance = Allowance(burst=5, per_s=10.0)
    now_ms = granted = 0
    for step_ms in steps_ms:
        now_ms += step_ms
        granted += allowance.grants(now_ms)

    assert granted <= 5 + now_ms / 100
    assert granted + allowance.refused == len(steps_ms)


def test_an_allowance_grants_something() -> None:
    """One that could never grant anything cannot be made."""
    with pytest.raises(ValueError, match="grants something"):
        Allowance(burst=0, per_s=1.0)
