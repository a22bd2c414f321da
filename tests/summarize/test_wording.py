"""Readable wording that changes no meaning."""

from __future__ import annotations

import pytest

from standup.summarize.wording import LONGEST_CHARACTERS, clean, phrase
from standup.summary import Kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("um I, uh, fixed the the login", "I fixed the login", id="noises and stutters"),
        pytest.param(
            "so I was, I was on the churn model the churn model",
            "so I was on the churn model",
            id="said again",
        ),
        pytest.param(
            "bit by bit by Friday, no, no, two, two", "bit by bit by Friday, no, no, two, two", id="no slip"
        ),
        pytest.param("the page, uh, it works", "the page, it works", id="a pause stays"),
        pytest.param("I, you know, fixed it", "I fixed it", id="aside"),
        pytest.param("go with the first, by the way", "go with the first", id="by the way"),
        pytest.param("do you know what happened", "do you know what happened", id="a real question"),
        pytest.param("the ER diagram is 5 mm wide", "the ER diagram is 5 mm wide", id="not noises"),
        pytest.param("ticket 55 55 and A-1 A-1", "ticket 55 55 and A-1 A-1", id="numbers stay verbatim"),
        pytest.param("I\u2019m done", "I'm done", id="apostrophe"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    """Noises go, words and numbers stay."""
    assert expected == clean(text)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        pytest.param("Yesterday I finished the login", Kind.DONE, "Finished the login", id="done"),
        pytest.param("I had three interviews", Kind.DONE, "Had three interviews", id="had is the verb"),
        pytest.param("Today I'm going to write tests", Kind.NEXT, "Write tests", id="next"),
        pytest.param("I write the newsletter", Kind.NEXT, "Write the newsletter", id="plain present"),
        pytest.param("I then test it", Kind.NEXT, "Test it", id="plain present, and when"),
        pytest.param("I don't touch it", Kind.NEXT, "I don't touch it", id="a no"),
        pytest.param("I also wanted to go", Kind.NEXT, "I also wanted to go", id="no plain present"),
        pytest.param("Me, I debugged the leak", Kind.DONE, "Debugged the leak", id="me"),
        pytest.param("two boards are dead, so", Kind.BLOCKER, "Two boards are dead", id="so"),
        pytest.param(
            "Let's move it to Thursday, is that okay for everybody?",
            Kind.DECISION,
            "Move it to Thursday",
            id="tag",
        ),
        pytest.param("We said no boss fight, right?", Kind.DECISION, "We said no boss fight", id="right?"),
        pytest.param(
            "deploy on Friday, right after the freeze",
            Kind.NEXT,
            "Deploy on Friday, right after the freeze",
            id="no tag",
        ),
        pytest.param("go with aluminium, okay with you all", Kind.DECISION, "Go with aluminium", id="okay"),
        pytest.param(
            "What I'm going to do next is to order wheels", Kind.NEXT, "Order wheels", id="a long way round"
        ),
        pytest.param(
            "Apart from that, horoscopes are out", Kind.DONE, "Horoscopes are out", id="what it is apart from"
        ),
        pytest.param(
            "blocked, he told me", Kind.BLOCKER, "Blocked, he told me", id="a capital before a comma"
        ),
        pytest.param("we will ship it", Kind.NEXT, "We will ship it", id="we stays"),
        pytest.param("Next release planning", Kind.NEXT, "Next release planning", id="next is an adjective"),
        pytest.param(
            "my blocker is that I don't have access", Kind.BLOCKER, "Don't have access", id="blocker"
        ),
        pytest.param("iOS still crashes", Kind.BLOCKER, "iOS still crashes", id="identifier keeps its case"),
        pytest.param("go with v2", Kind.DECISION, "Go with v2", id="decision"),
        pytest.param(
            "I finished the login page and", Kind.DONE, "Finished the login page", id="what goes on"
        ),
        pytest.param("I sent the notes. Next", Kind.DONE, "Sent the notes", id="the next label"),
        pytest.param("I'll decide what comes next", Kind.NEXT, "Decide what comes next", id="next is said"),
        pytest.param(
            "Action item check the logs", Kind.ACTION, "Check the logs", id="a label as it is heard"
        ),
        pytest.param("okay so", Kind.DONE, "", id="nothing left"),
    ],
)
def test_phrase(text: str, kind: Kind, expected: str) -> None:
    """An item loses its lead-in and keeps its words."""
    assert expected == phrase(text, kind)


def test_a_long_item_ends_at_a_word() -> None:
    """Beyond the limit the item stops between words."""
    short = phrase("word " * 200, Kind.DONE)
    assert (True, True) == (len(short) <= LONGEST_CHARACTERS + 2, short.endswith("word …"))
