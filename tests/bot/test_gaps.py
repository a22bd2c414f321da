"""Gaps have an order, and only one goes on at a time."""

from __future__ import annotations

import pytest

from standup.bot.gaps import GapLog
from standup.meeting import Gap


def test_a_gap_has_an_order() -> None:
    """A gap that ends before it begins cannot exist."""
    with pytest.raises(ValueError, match="ends after"):
        Gap(2, 1)


def test_one_gap_at_a_time() -> None:
    """A gap that goes on is not begun again, and ends once."""
    log = GapLog()

    answers = [log.begin(10), log.begin(20), log.end(30), log.end(40)]

    assert answers == [True, False, True, False]
    assert log.closed == [Gap(10, 30)]


def test_a_gap_that_began_before_the_meeting() -> None:
    """What was lost before the meeting's start is not part of it."""
    log = GapLog()
    log.begin(-500)

    log.end(100)

    assert log.closed == [Gap(0, 100)]
