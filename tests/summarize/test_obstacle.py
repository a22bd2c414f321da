"""Blockers that two sentences tell."""

from __future__ import annotations

import pytest

from standup.summarize.marks import Label, Mark
from standup.summarize.obstacle import joined
from standup.summarize.turns import Turn

BLOCKER, NEXT = Label.BLOCKER, Label.NEXT


def told(
    *marks: tuple[Label, str], between: str = " ", others: tuple[bool, ...] = ()
) -> list[tuple[Label, str]]:
    """Return label and words of what becomes of *marks*, which stand side by side in one turn."""
    text = between.join(words for _, words in marks)
    made = []
    for (label, words), is_others in zip(marks, others or (False,) * len(marks), strict=True):
        start = text.index(words)
        made.append(Mark(0, start, start + len(words), label, is_others, 0.9))
    return [(one.label, text[one.start : one.end]) for one in joined(made, [Turn("1", ((text, "u0"),))])]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            "I'm stuck with the maps.", "The licence has not been signed.", id="stands still, and why"
        ),
        pytest.param("The glucose hasn't come.", "They say it is being repaired.", id="goes on about it"),
        pytest.param("The lab is on hold.", "Nobody has the key.", id="on hold"),
    ],
)
def test_one_thing_in_the_way(first: str, second: str) -> None:
    """Two neighbours become one, from the first's beginning to the second's end."""
    assert told((BLOCKER, first), (BLOCKER, second)) == [(BLOCKER, f"{first} {second}")]


def test_who_stands_still_has_no_plan() -> None:
    """What was taken for a next is part of the blocker that explains it."""
    first, second = "I'm at a standstill with the export.", "The agency changed their font."
    assert told((NEXT, first), (BLOCKER, second)) == [(BLOCKER, f"{first} {second}")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((BLOCKER, "The printer is broken."), (BLOCKER, "The VPN is down."), id="two things"),
        pytest.param(
            (BLOCKER, "I'm stuck because legal is silent."),
            (BLOCKER, "The VPN is down."),
            id="knows why already",
        ),
        pytest.param((NEXT, "I'm on the export."), (BLOCKER, "The font is missing."), id="a plan"),
        pytest.param(
            (BLOCKER, "I'm stuck with the maps."), (NEXT, "I'm doing the tests."), id="not the reason"
        ),
    ],
)
def test_two_items(first: tuple[Label, str], second: tuple[Label, str]) -> None:
    """What only stands side by side stays apart."""
    assert told(first, second) == [first, second]


def test_of_two_people() -> None:
    """Another's blocker is not the speaker's."""
    marks = (BLOCKER, "I'm stuck."), (BLOCKER, "Ben's laptop is gone.")
    assert told(*marks, others=(False, True)) == list(marks)


def test_with_words_between() -> None:
    """What is said between two blockers parts them; a mere "and" does not."""
    marks = (BLOCKER, "I'm stuck with the maps"), (BLOCKER, "the licence is missing")
    assert told(*marks, between=", as I told you on Monday: ") == list(marks)
    assert len(told(*marks, between=", and ")) == 1
