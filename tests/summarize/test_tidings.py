"""What the words of a day say of a matter of the day before."""

from __future__ import annotations

import pytest

from standup.continuity import Became
from standup.meeting import Participant
from standup.summarize.likeness import matter
from standup.summarize.tidings import Tidings
from standup.transcript import Transcript, Utterance

PEOPLE = (Participant("1", "Ana"), Participant("2", "Ben"))


def said(*turns: tuple[str, str]) -> Tidings:
    """The tidings of a meeting of these turns, ids u1, u2 …"""
    spoken = (
        Utterance(f"u{place}", speaker, place * 1000, place * 1000 + 900).heard(text)
        for place, (speaker, text) in enumerate(turns, 1)
    )
    return Tidings(Transcript("m", PEOPLE, tuple(spoken)))


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        pytest.param(
            [("1", "The staging keys came last night.")], (Became.UNBLOCKED, ("u1",)), id="they came"
        ),
        pytest.param(
            [("1", "The staging keys haven't come.")], (Became.STILL_BLOCKED, ("u1",)), id="not yet"
        ),
        pytest.param(
            [("1", "About the staging keys. I'm still waiting.")],
            (Became.STILL_BLOCKED, ("u1",)),
            id="sequel",
        ),
        pytest.param(
            [("1", "The staging keys are no longer in my way.")], (Became.UNBLOCKED, ("u1",)), id="no longer"
        ),
        pytest.param(
            [("2", "Ana, did you get the staging keys?"), ("1", "I did.")],
            (Became.UNBLOCKED, ("u1", "u2")),
            id="asked, and they are there",
        ),
        pytest.param(
            [("2", "Ana, did you get the staging keys?"), ("1", "Not yet.")],
            (Became.STILL_BLOCKED, ("u1", "u2")),
            id="asked, and they are not",
        ),
        pytest.param([("2", "Ana, did you get the staging keys?")], None, id="asked, and no answer"),
        pytest.param([("1", "The staging keys, oh dear.")], None, id="no verdict"),
        pytest.param([("1", "I got a new laptop.")], None, id="something else is solved"),
        pytest.param(
            [("2", "I found my keys under the sofa.")], None, id="too little of it, by somebody else"
        ),
        pytest.param([], None, id="silence"),
    ],
)
def test_of_blocker(turns: list[tuple[str, str]], expected: object) -> None:
    """A blocker is gone or stays as the words say, and without words on it nothing is said."""
    assert expected == said(*turns).of_blocker(matter("Waiting for the staging keys"), "1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("The Solaris port I'm not going to do after all.", ("u1",), id="not going to"),
        pytest.param("We dropped the Solaris port.", ("u1",), id="dropped"),
        pytest.param("The Solaris port won't happen.", ("u1",), id="won't"),
        pytest.param("The Solaris port goes on.", (), id="it goes on"),
        pytest.param("I dropped my cup.", (), id="something else"),
    ],
)
def test_given_up(text: str, expected: tuple[str, ...]) -> None:
    """A plan is given up where its owner says so of it."""
    assert expected == said(("1", text)).given_up(matter("Solaris port"), "1")


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        pytest.param(("1", "The slides look good."), True, id="a word of the owner"),
        pytest.param(("2", "The slides look good."), False, id="a word of somebody else"),
        pytest.param(("2", "How are the slides for the safety board?"), True, id="most of it"),
        pytest.param(("1", "Good morning."), False, id="other words"),
    ],
)
def test_mentions(turn: tuple[str, str], expected: bool) -> None:
    """One word of its owner is enough to have spoken of a plan."""
    assert expected == said(turn).mentions(matter("Slides for the safety board, meets Friday"), "1")


def test_presence() -> None:
    """Whoever spoke is there, and so is the group."""
    tidings = said(("1", "Good morning."))
    assert [True, False, True] == [tidings.is_present(one) for one in ("1", "2", None)]
