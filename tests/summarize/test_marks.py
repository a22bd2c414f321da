"""Likelihoods of words made into stretches."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.summarize.marks import LABELS, Label, Mark, Word, marked, whole


def word(
    place: int, likelihoods: Mapping[Label, float], *, begins: float = 0.01, is_others: float = 0.0
) -> Word:
    """Return the word at *place*, each five characters apart; what is not given is shared by the other labels."""
    rest = (1 - sum(likelihoods.values())) / (len(LABELS) - len(likelihoods))
    shares = [likelihoods.get(label, rest) for label in LABELS]
    return Word(5 * place, 5 * place + 4, shares, begins, is_others)


def even(caution: float) -> dict[Label, float]:
    """Return the same caution for every label."""
    return dict.fromkeys(LABELS, caution)


def stretches(words: list[Word], caution: float = 1.0, parting: float = 1.0) -> list[tuple[Label, int, int]]:
    """Return label, start and end of each mark."""
    return [
        (one.label, one.start, one.end) for one in marked(0, words, caution=even(caution), parting=parting)
    ]


def test_a_stretch() -> None:
    """Words that are likely of one kind are one mark, from the first to the last."""
    words = [
        word(0, {Label.NOTHING: 0.98}),
        word(1, {Label.DONE: 0.95}, begins=0.9),
        word(2, {Label.DONE: 0.95}),
        word(3, {Label.NOTHING: 0.98}),
    ]
    assert [(Label.DONE, 5, 14)] == stretches(words)


def test_a_doubtful_word_does_not_cut_a_stretch() -> None:
    """One word that looks like another kind stays with those around it."""
    words = [
        word(0, {Label.DONE: 0.95}, begins=0.9),
        word(1, {Label.NEXT: 0.5, Label.DONE: 0.4}),
        word(2, {Label.DONE: 0.95}),
    ]
    assert [(Label.DONE, 0, 14)] == stretches(words)


def test_two_items_of_one_kind() -> None:
    """An item begins where the words say so, though the one before it is of the same kind."""
    words = [word(place, {Label.DONE: 0.95}, begins=0.95 if place in (0, 2) else 0.01) for place in range(4)]
    assert [(Label.DONE, 0, 9), (Label.DONE, 10, 19)] == stretches(words)


def test_caution_leaves_out_what_is_hardly_likely() -> None:
    """The more caution, the likelier a stretch must be."""
    words = [word(0, {Label.DONE: 0.6, Label.NOTHING: 0.3}, begins=0.9)]
    assert (1, 0) == (len(stretches(words, 0.0)), len(stretches(words, 5.0)))


def test_caution_is_that_of_the_label() -> None:
    """A short yes may cost less than an item."""
    words = [word(0, {Label.ASSENT: 0.6, Label.NOTHING: 0.3}, begins=0.9)]
    made = marked(0, words, caution=even(5.0) | {Label.ASSENT: 0.0}, parting=5.0)
    assert [Label.ASSENT] == [one.label for one in made]


def test_parting_keeps_together_what_hardly_begins_anew() -> None:
    """The more parting, the likelier must be that another item begins right after one."""
    words = [word(place, {Label.DONE: 0.95}, begins=0.95 if place in (0, 2) else 0.01) for place in range(4)]
    assert (2, 1) == (len(stretches(words, parting=1.0)), len(stretches(words, parting=4.0)))


def test_whose_it_is() -> None:
    """A mark is somebody else's when most of its words say so."""
    words = [
        word(place, {Label.DONE: 0.95}, begins=0.9 if not place else 0.01, is_others=0.9)
        for place in range(2)
    ]
    assert [True] == [one.is_others for one in marked(0, words, caution=even(1.0), parting=1.0)]


@given(st.lists(st.tuples(*[st.floats(0, 1)] * (len(LABELS) + 1)), max_size=20))
def test_marks_are_apart_and_in_order(rows: list[tuple[float, ...]]) -> None:
    """Whatever the likelihoods, marks do not overlap, are in order, and say an item."""
    words = [
        Word(5 * place, 5 * place + 4, [one / (sum(row[1:]) or 1) for one in row[1:]], row[0], 0.0)
        for place, row in enumerate(rows)
    ]
    made = list(marked(0, words, caution=even(0.0), parting=0.0))

    assert all(one.end <= other.start for one, other in itertools.pairwise(made))
    assert Label.NOTHING not in [one.label for one in made]


@pytest.mark.parametrize(
    ("marked_text", "expected"),
    [
        pytest.param("I will [fix the bask]et", "fix the basket", id="to the end of a word"),
        pytest.param("I [retrai]ned that's all", "retrained", id="no further where the clause ends far away"),
        pytest.param(
            "I will [fix the basket] for the shop, then rest.", "fix the basket for the shop", id="clause"
        ),
        pytest.param("[I fixed it]. Really.", "I fixed it", id="it is whole"),
        pytest.param(
            "[Could you look first?] It's old, I think.", "Could you look first?", id="no next sentence"
        ),
        pytest.param(
            "surve[y weights, that]'s today", "survey weights, that's", id="from a word's beginning"
        ),
    ],
)
def test_whole(marked_text: str, expected: str) -> None:
    """A mark grows to whole words, and to the end of its clause where that is near."""
    start, end = marked_text.index("["), marked_text.index("]") - 1
    text = marked_text.replace("[", "").replace("]", "") + " and so on" * 10 * ("all" in marked_text)
    made = whole(Mark(0, start, end, Label.NEXT, False, 0.9), text, 0, len(text))

    assert expected == text[made.start : made.end]


def test_whole_stays_out_of_other_marks() -> None:
    """What belongs to the marks around it is left to them."""
    text = "I fixed the build and tested it."
    made = whole(Mark(0, 2, 11, Label.DONE, False, 0.9), text, 2, text.index("tested"))
    assert "fixed the" == text[made.start : made.end]
