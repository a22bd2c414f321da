"""An unfinished meeting is continued while it is fresh and somebody is there, and ended otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.bot.resumption import CONTINUE_WITHIN, Continue, End, decide

STARTED = datetime(2026, 11, 23, 9, 0, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("last_packet_at", "now", "people", "expected"),
    [
        pytest.param(STARTED + 5 * MINUTE, STARTED + 6 * MINUTE, 2, Continue(), id="fresh, people there"),
        pytest.param(
            STARTED + 5 * MINUTE, STARTED + 6 * MINUTE, 0, End(STARTED + 5 * MINUTE), id="nobody there"
        ),
        pytest.param(STARTED + 5 * MINUTE, STARTED + 15 * MINUTE, 2, End(STARTED + 5 * MINUTE), id="too old"),
        pytest.param(None, STARTED + MINUTE, 1, Continue(), id="nothing heard yet"),
        pytest.param(None, STARTED + 11 * MINUTE, 1, End(STARTED), id="nothing heard, too old"),
        pytest.param(STARTED - MINUTE, STARTED, 0, End(STARTED), id="clock set back"),
    ],
)
def test_decide(
    last_packet_at: datetime | None, now: datetime, people: int, expected: Continue | End
) -> None:
    """The age of the last packet and the people in the channel decide."""
    found = decide(started_at=STARTED, last_packet_at=last_packet_at, now=now, people=people)

    assert found == expected


@given(
    last_s=st.none() | st.integers(-10_000, 10_000),
    now_s=st.integers(-10_000, 20_000),
    people=st.integers(0, 5),
)
def test_a_meeting_never_ends_before_it_began(last_s: int | None, now_s: int, people: int) -> None:
    """Whatever the clocks say, an end lies at or after the start, and an old meeting is never continued."""
    last_at = None if last_s is None else STARTED + timedelta(seconds=last_s)
    now = STARTED + timedelta(seconds=now_s)

    found = decide(started_at=STARTED, last_packet_at=last_at, now=now, people=people)

    if isinstance(found, End):
        assert found.at >= STARTED
    else:
        assert people > 0
        assert now - max(last_at or STARTED, STARTED) < CONTINUE_WITHIN
