"""Putting items of several readings together."""

from __future__ import annotations

import pytest

from standup.summarize.merging import merged
from standup.summary import Item, Kind
from tests.summarize.test_parts import transcript

SAID = transcript(*(f"thing {number}" for number in range(6)))


@pytest.mark.parametrize(
    ("first", "second", "number"),
    [
        pytest.param(
            Item(Kind.DONE, "Fixed the login", ("u1",), "770"),
            Item(Kind.DONE, "Login fixed.", ("u3",), "770"),
            1,
            id="the same words",
        ),
        pytest.param(
            Item(Kind.DONE, "Fixed the login", ("u1",), "770"),
            Item(Kind.DONE, "Fixed the login page", ("u1",), "770"),
            1,
            id="most words, same moment",
        ),
        pytest.param(
            Item(Kind.DONE, "Fixed the login", ("u1",), "770"),
            Item(Kind.DONE, "Fixed the login page", ("u2",), "770"),
            2,
            id="another moment",
        ),
        pytest.param(
            Item(Kind.DONE, "Fixed the login", ("u1",), "770"),
            Item(Kind.DONE, "Fixed the login", ("u1",), "771"),
            2,
            id="another person",
        ),
        pytest.param(
            Item(Kind.DONE, "Fixed the login", ("u1",), "770"),
            Item(Kind.NEXT, "Fixed the login", ("u1",), "770"),
            2,
            id="another kind",
        ),
        pytest.param(
            Item(Kind.DONE, "Fixed PROJ-1", ("u1",), "770"),
            Item(Kind.DONE, "Fixed PROJ-2", ("u1",), "770"),
            2,
            id="another figure",
        ),
    ],
)
def test_what_is_one_item(first: Item, second: Item, number: int) -> None:
    """Two items are one when kind, person and figures agree, and the words do or most words and an utterance."""
    made = merged([first, second], SAID)
    assert number == len(made)
    assert {one for item in made for one in item.evidence} == {*first.evidence, *second.evidence}


def test_order_is_that_of_the_meeting() -> None:
    """Items come in the order in which they were said, whoever found them."""
    items = [
        Item(Kind.DONE, f"{word} thing", (f"u{place}",))
        for place, word in ((4, "Last"), (0, "First"), (2, "Middle"))
    ]
    assert ["First thing", "Middle thing", "Last thing"] == [one.text for one in merged(items, SAID)]
