"""Which turns are read together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from standup.summarize.passages import Passage, passages


def test_all_fit() -> None:
    """What fits is read at once."""
    assert (Passage(0, 3, 0, 3),) == passages([3, 3, 3], 9)


def test_borders_lie_inside_the_overlap() -> None:
    """A turn is read for its own sake where it has turns around it."""
    assert (Passage(0, 6, 0, 5), Passage(4, 9, 5, 9)) == passages([1] * 9, 6)


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(10, 50))
def test_every_turn_once(sizes: list[int], room: int) -> None:
    """Every turn is read for its own sake once, in order, in a passage that shows it and has room for all it shows."""
    made = passages(sizes, room)

    assert list(range(len(sizes))) == [place for one in made for place in range(one.begin, one.end)]
    assert all(one.first <= one.begin <= one.end <= one.last for one in made)
    assert all(sum(sizes[one.first : one.last]) <= room or one.last - one.first == 1 for one in made)
    assert len(made) <= max(1, len(sizes))
