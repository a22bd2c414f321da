"""Clauses and their evidence."""

from __future__ import annotations

import pytest

from standup.meeting import Participant
from standup.summarize.clauses import Clause, clauses
from standup.transcript import Transcript, Utterance


def said(*lines: tuple[str, str, int]) -> tuple[Clause, ...]:
    """Return the clauses of lines of speaker, text and start; each lasts a second."""
    spoken = tuple(
        Utterance(f"u{place}", who, start_ms, start_ms + 1000).heard(text)
        for place, (who, text, start_ms) in enumerate(lines, start=1)
    )
    return clauses(Transcript("m", (Participant("1", "Ana"), Participant("2", "Ben")), spoken))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "I ran v2.1 today. It works!", ["I ran v2.1 today", "It works"], id="sentences, not decimals"
        ),
        pytest.param(
            "I fixed it, and today I'll rest a bit", ["I fixed it", "today I'll rest a bit"], id="joint"
        ),
        pytest.param(
            "yesterday i fixed it today i will rest",
            ["yesterday i fixed it", "today i will rest"],
            id="no marks",
        ),
        pytest.param("I found the bug that I wrote", ["I found the bug that I wrote"], id="relative clause"),
        pytest.param("I fixed the login and the logout", ["I fixed the login and the logout"], id="list"),
        pytest.param("Ben, can you look", ["Ben, can you look"], id="a name alone is no clause"),
        pytest.param("...", [], id="no words"),
    ],
)
def test_split(text: str, expected: list[str]) -> None:
    """Text is cut where a new statement begins, and only there."""
    assert expected == [one.text for one in said(("1", text, 0))]


def test_an_open_sentence_goes_on_in_the_next_utterance() -> None:
    """Both utterances are evidence of the joined sentence, also across somebody else's word."""
    found = said(("1", "I worked on", 0), ("2", "Yeah.", 1200), ("1", "the import.", 1800))
    assert [("I worked on the import", ("u1", "u3")), ("Yeah", ("u2",))] == [
        (one.text, one.evidence) for one in found
    ]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(("1", "the import.", 9000), id="long pause"),
        pytest.param(("2", "the import.", 1500), id="other speaker"),
    ],
)
def test_a_sentence_does_not_go_on(second: tuple[str, str, int]) -> None:
    """A pause or another speaker ends a sentence."""
    assert 2 == len(said(("1", "I worked on", 0), second))


def test_evidence_is_only_what_a_clause_was_said_in() -> None:
    """Of a sentence over two utterances each clause points to its own."""
    found = said(("1", "yesterday i fixed the login", 0), ("1", "today i will rest", 1200))
    assert [("u1",), ("u2",)] == [one.evidence for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Any blockers?", True, id="mark"),
        pytest.param("any blockers", True, id="no mark"),
        pytest.param("What a day.", False, id="statement"),
    ],
)
def test_questions(text: str, expected: bool) -> None:
    """A question is known by its mark or, without any mark, by its first words."""
    assert [expected] == [one.is_question for one in said(("1", text, 0))]
