"""The meeting clock: a wall clock that is stepped never moves it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from standup.bot.meeting_clock import MeetingClock
from tests.bot.doubles import SteppedClock

STARTED = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)


@pytest.mark.parametrize("step", [timedelta(hours=-5), timedelta(hours=5)], ids=["back", "ahead"])
def test_a_stepped_wall_clock(step: timedelta) -> None:
    """Only time that really passes counts, wherever the wall clock is set."""
    clock = SteppedClock(STARTED + timedelta(minutes=1))
    meeting_clock = MeetingClock(STARTED, clock.clock)

    clock.step(step)
    clock.advance(timedelta(seconds=30))

    assert meeting_clock.elapsed_ms == 90_000
    assert meeting_clock.now == STARTED + timedelta(seconds=90)


def test_a_start_ahead_of_the_wall_clock() -> None:
    """A meeting resumed on a machine whose clock was set back goes on from its start."""
    clock = SteppedClock(STARTED - timedelta(hours=1))
    meeting_clock = MeetingClock(STARTED, clock.clock)

    clock.advance(timedelta(seconds=1))

    assert meeting_clock.elapsed_ms == 1_000
