"""A yes that the weights did not see."""

from __future__ import annotations

import pytest

from standup.summarize.marks import Label, Mark
from standup.summarize.promise import with_promises
from standup.summarize.turns import Turn

REQUEST = "Would you redo these curves for me?"


def taken(*answers: tuple[str, str], marks: tuple[Mark, ...] = ()) -> list[tuple[int, str]]:
    """Return turn and words of each yes that is found behind a request of speaker 1."""
    said = [("1", REQUEST), *answers]
    turns = [Turn(who, ((text, f"u{place}"),)) for place, (who, text) in enumerate(said)]
    asked = Mark(0, 0, len(REQUEST), Label.ACTION, True, 0.9)
    found = with_promises((asked, *marks), turns)
    assert list(found) == sorted(found, key=lambda one: (one.turn, one.start))
    return [
        (one.turn, turns[one.turn].text[one.start : one.end])
        for one in found
        if one.label is Label.ASSENT and one not in marks
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("With the outliers, yes, I'll do that, it's only a flag.", "I'll do that"),
        ("Will do.", "Will do"),
        ("Leave it with me.", "Leave it with me"),
        ("Not a problem. On it.", "On it"),
    ],
)
def test_somebody_takes_it(answer: str, words: str) -> None:
    """Outright words are a yes."""
    assert taken(("2", answer)) == [(1, words)]


@pytest.mark.parametrize(
    "answer",
    [
        "I can do that if somebody gives me the counts.",
        "I can't, on it goes all week.",
        "I will not do that.",
        "Shall I? I can do that?",
        "What a week.",
    ],
)
def test_nobody_takes_it(answer: str) -> None:
    """A condition, a denial and a question are none."""
    assert taken(("2", answer)) == []


def test_the_second_answer_counts_the_third_does_not() -> None:
    """Whoever takes it does so at once, or after one other turn."""
    assert taken(("2", "Hm."), ("3", "I'll do it.")) == [(2, "I'll do it")]
    assert taken(("2", "Hm."), ("3", "Well."), ("2", "I'll do it.")) == []


def test_who_asked_takes_nothing() -> None:
    """The asker's own words are no answer."""
    assert taken(("1", "Or I'll do it."), ("2", "Hm.")) == []


def test_an_answer_that_was_seen_is_enough() -> None:
    """Nothing is added where the weights marked an answer."""
    yes = Mark(1, 0, 4, Label.ASSENT, False, 0.9)
    assert taken(("2", "Sure, will do."), ("3", "I'll do it."), marks=(yes,)) == []
