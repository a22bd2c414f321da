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


def test_what_was_kept_is_no_part_of_a_gap() -> None:
    """Packets that still arrive after the connection was thought lost move the beginning of the gap."""
    log = GapLog()
    log.begin(10_000)

    log.heard(12_000)
    log.heard(11_000)
    log.end(20_000)

    assert log.closed == [Gap(12_000, 20_000)]


def test_nothing_is_heard_between_gaps() -> None:
    """Without a gap there is nothing to move."""
    log = GapLog()

    log.heard(5)

    assert log.since_ms is None


def test_a_gap_that_goes_on_is_known() -> None:
    """Who asks while the bot does not hear is told of that, too."""
    log = GapLog([Gap(0, 10)])
    before = log.until(50)
    log.begin(60)

    assert (before, log.until(80)) == ((Gap(0, 10),), (Gap(0, 10), Gap(60, 80)))


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        pytest.param(Gap(10_500, 20_000), [Gap(0, 20_000)], id="goes on"),
        pytest.param(Gap(15_000, 20_000), [Gap(0, 10_000), Gap(15_000, 20_000)], id="another"),
        pytest.param(Gap(5_000, 6_000), [Gap(0, 10_000), Gap(5_000, 6_000)], id="a clock that was set back"),
    ],
)
def test_a_restart_within_a_gap(gap: Gap, expected: list[Gap]) -> None:
    """The time without a recorder makes the gap before it longer, where nothing was heard between."""
    log = GapLog([Gap(0, 10_000)])

    log.add(gap)

    assert log.closed == expected
