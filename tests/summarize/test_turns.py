"""Utterances joined to turns, and long ones cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.meeting import Participant
from standup.summarize.turns import CONTINUES_WITHIN_MS, LONGEST_CHARACTERS, turns
from standup.transcript import Transcript, Utterance

PEOPLE = (Participant("1", "Ana"), Participant("2", "Ben"))


def said(*lines: tuple[str, str], pause_ms: int = 500) -> Transcript:
    """Return a transcript of (speaker, text), each a second long."""
    each_ms = 1000 + pause_ms
    spoken = [
        Utterance(f"u{place}", who, place * each_ms, place * each_ms + 1000).heard(text)
        for place, (who, text) in enumerate(lines)
    ]
    return Transcript("m", PEOPLE, tuple(spoken))


@pytest.mark.parametrize(
    ("transcript", "expected"),
    [
        pytest.param(said(("1", "I worked on"), ("1", "the import.")), ["I worked on the import."], id="cut"),
        pytest.param(
            said(("1", "It's out."), ("1", "So to the tests.")), ["It's out. So to the tests."], id="a breath"
        ),
        pytest.param(
            said(("1", "I worked on"), ("2", "the import.")), ["I worked on", "the import."], id="two people"
        ),
        pytest.param(
            said(("1", "I worked on"), ("1", "the import."), pause_ms=CONTINUES_WITHIN_MS + 1),
            ["I worked on", "the import."],
            id="a long pause",
        ),
        pytest.param(said(), [], id="nobody spoke"),
    ],
)
def test_turns(transcript: Transcript, expected: list[str]) -> None:
    """Utterances are joined where one person goes on."""
    assert expected == [one.text for one in turns(transcript)]


@given(st.lists(st.text("ab .?", min_size=1, max_size=1500), max_size=4))
def test_nothing_is_lost(texts: list[str]) -> None:
    """Every character that is no space is in exactly one turn, no turn is too long, and each says where it is from."""
    transcript = said(*(("1", text) for text in texts))
    made = turns(transcript)

    assert "".join(one.text for one in transcript.spoken).replace(" ", "") == "".join(
        one.text.replace(" ", "") for one in made
    )
    assert all(0 < len(one.text) <= LONGEST_CHARACTERS for one in made)
    assert all(one.evidence(0, len(one.text)) for one in made)


def test_evidence() -> None:
    """A stretch cites the utterances that it touches, and no other."""
    (turn,) = turns(said(("1", "I worked on"), ("1", "the import")))

    assert (("u0",), ("u1",), ("u0", "u1")) == (
        turn.evidence(0, 11),
        turn.evidence(12, 15),
        turn.evidence(9, 14),
    )
