"""Windows of several meetings in one batch: which of them are read next."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from standup.transcribe import Hints, Reading
from standup.transcribe.sharing import Call, Share, give_back, take

ENGLISH = Hints("en")


def share() -> Share:
    """Return the share of another meeting; the engine is never asked here."""
    return Share(cast("Any", None))


def call(whose: Share, count: int, hints: Hints = ENGLISH) -> Call:
    """Return a call for *count* windows."""
    return Call(whose, [np.zeros(1, dtype=np.float32)] * count, [hints] * count)


def owners(seats: Sequence[Any], calls: Sequence[Call]) -> list[tuple[int, int]]:
    """Return whose windows those are: number of the call, place in it."""
    return [(calls.index(one.call), one.place) for one in seats]


def test_a_batch_is_filled_up_with_what_others_wait_with() -> None:
    """My windows come first, then those of the others in the order they came, as far as there is room."""
    calls = [call(share(), 2) for _ in range(3)]
    assert owners(take(calls[1], calls, 5), calls) == [(1, 0), (1, 1), (0, 0), (0, 1), (2, 0)]
    assert owners(take(calls[2], calls, 5), calls) == [(2, 1)]


def test_windows_of_the_same_meeting_are_not_added() -> None:
    """What a meeting's threads send stays as they sent it."""
    mine = share()
    calls = [call(mine, 2), call(mine, 2)]
    assert owners(take(calls[0], calls, 8), calls) == [(0, 0), (0, 1)]


def test_only_what_is_alike_is_added() -> None:
    """One language, one beam, and a prompt for all or for none; which prompt does not matter."""
    unlike = [Hints("de", "Ana."), Hints("en", "Ana.", is_careful=True), Hints("en")]
    calls = [call(share(), 1, one) for one in (Hints("en", "Ana."), *unlike, Hints("en", "Bo."))]
    assert owners(take(calls[0], calls, 8), calls) == [(0, 0), (4, 0)]


def test_after_a_failure_nothing_is_added() -> None:
    """Whoever reads alone takes nobody along."""
    calls = [call(share(), 1), call(share(), 1)]
    calls[0].is_alone = True
    assert owners(take(calls[0], calls, 8), calls) == [(0, 0)]


def test_what_another_reads_is_not_taken_again() -> None:
    """A call all of whose windows are being read has nothing to do but to wait, and takes nobody else's."""
    calls = [call(share(), 1), call(share(), 1)]
    take(calls[0], calls, 8)
    assert take(calls[1], calls, 8) == []


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.integers(1, 6),
    st.lists(st.booleans(), max_size=9),
    st.randoms(use_true_random=False),
)
def test_every_window_is_read_once(sizes: list[int], width: int, fails: list[bool], chance: Random) -> None:
    """Whoever takes and whatever fails meanwhile, all calls are answered, and no window is read twice."""
    calls = [call(share(), size) for size in sizes]
    while waiting := [one for one in calls if one.waiting]:
        seats = take(chance.choice(waiting), calls, width)
        assert 1 <= len(seats) <= width
        if fails and fails.pop():
            give_back(seats)
            continue
        for one in seats:
            assert one.place not in one.call.readings
            one.call.readings[one.place] = Reading(())
    assert all(one.is_answered for one in calls)


def test_what_is_given_back_waits_in_its_order() -> None:
    """A batch that failed is taken again as it was."""
    calls = [call(share(), 4)]
    seats = take(calls[0], calls, 3)
    give_back(reversed(seats))
    assert take(calls[0], calls, 3) == seats
