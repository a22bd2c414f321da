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
    ("alive_min", "packet_min", "now_min", "people", "expected"),
    [
        pytest.param(5, 5, 6, 2, Continue(), id="fresh, people there"),
        pytest.param(5, 5, 6, 0, End(STARTED + 5 * MINUTE), id="nobody there"),
        pytest.param(5, 5, 15, 2, End(STARTED + 5 * MINUTE), id="too old"),
        pytest.param(40, 5, 41, 2, Continue(), id="quiet for long, people there"),
        pytest.param(40, 5, 41, 0, End(STARTED + 5 * MINUTE), id="quiet for long, nobody there"),
        pytest.param(40, None, 41, 1, Continue(), id="nothing heard yet, alive"),
        pytest.param(None, None, 1, 1, Continue(), id="nothing known"),
        pytest.param(None, None, 11, 1, End(STARTED), id="nothing known, too old"),
        pytest.param(-1, -1, 0, 0, End(STARTED), id="clock set back"),
    ],
)
def test_decide(
    alive_min: int | None, packet_min: int | None, now_min: int, people: int, expected: Continue | End
) -> None:
    """How long the recorder has been gone and the people in the channel decide; an end is at the last packet."""
    found = decide(
        started_at=STARTED,
        last_packet_at=_at(packet_min),
        last_alive_at=_at(alive_min),
        now=STARTED + now_min * MINUTE,
        people=people,
    )

    assert found == expected


def _at(minutes: int | None) -> datetime | None:
    return None if minutes is None else STARTED + minutes * MINUTE


@given(
    last_s=st.none() | st.integers(-10_000, 10_000),
    alive_s=st.none() | st.integers(-10_000, 10_000),
    now_s=st.integers(-10_000, 20_000),
    people=st.integers(0, 5),
)
def test_a_meeting_never_ends_before_it_began(
    last_s: int | None, alive_s: int | None, now_s: int, people: int
) -> None:
    """Whatever the clocks say, an end lies at or after the start, and an old meeting is never continued."""
    last_at = None if last_s is None else STARTED + timedelta(seconds=last_s)
    alive_at = None if alive_s is None else STARTED + timedelta(seconds=alive_s)
    now = STARTED + timedelta(seconds=now_s)

    found = decide(started_at=STARTED, last_packet_at=last_at, last_alive_at=alive_at, now=now, people=people)

    if isinstance(found, End):
        assert found.at >= STARTED
    else:
        assert people > 0
        assert now - max(last_at or STARTED, alive_at or STARTED, STARTED) < CONTINUE_WITHIN
