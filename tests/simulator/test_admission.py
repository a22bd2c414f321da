"""Rate limits, with the time as an argument."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from standup.simulator.admission import Bucket


def test_window() -> None:
    """A call that finds the window full waits until the oldest has left it."""
    bucket = Bucket(2, 5.0)

    assert [bucket.take(0.0), bucket.take(1.0), bucket.take(2.0), bucket.take(5.0)] == [0.0, 0.0, 3.0, 0.0]


def test_what_is_left() -> None:
    """The bucket tells what is left and when it gets more."""
    bucket = Bucket(2, 5.0)
    assert (bucket.remaining(), bucket.reset_after_s(0.0)) == (2, 5.0)
    bucket.take(1.0)

    assert (bucket.remaining(), bucket.reset_after_s(2.0)) == (1, 4.0)


@given(st.lists(st.floats(0, 2), max_size=60))
def test_never_more_than_the_limit(pauses_s: list[float]) -> None:
    """In no window are more calls let through than the limit."""
    bucket, now_s, taken = Bucket(5, 5.0), 0.0, []
    for pause_s in pauses_s:
        now_s += pause_s
        if bucket.take(now_s) == 0:
            taken.append(now_s)

    assert all(sum(start <= one < start + 5.0 for one in taken) <= 5 for start in taken)
