"""The summary: its JSON form."""

from __future__ import annotations

import json

import pytest

from standup.errors import InputRefused
from standup.meeting import Participant
from standup.summary import Item, Kind, Summary, author, parse, people, serialize
from standup.transcript import Transcript, Utterance

TRANSCRIPT = Transcript(
    "20261123T095800Z-1f0c9a2b",
    (Participant("1", "Ana"), Participant("2", "Ben*"), Participant("3", "Cy")),
    (
        Utterance("u1", "2", 5_000, 6_000).heard("I finished [the] login page."),
        Utterance("u2", "1", 83_000, 84_000).heard("I am blocked. I'll send Ben the logs by Friday."),
        Utterance("u3", "1", 90_000, 91_000).heard("We decided to use Postgres."),
    ),
)
SUMMARY = Summary(
    (
        Item(Kind.DONE, "Finished [the] login page", ("u1",), "2"),
        Item(Kind.BLOCKER, "Blocked", ("u2",), "1"),
        Item(Kind.DECISION, "Use Postgres", ("u3",)),
        Item(Kind.ACTION, "Send Ben the logs", ("u2",), "1", "by Friday"),
        Item(Kind.ACTION, "Order laptops", ("gone",)),
    ),
    "rules",
)


@pytest.mark.parametrize(
    ("summarizer", "told"),
    [
        pytest.param("rules", "extractive, no language model", id="rules"),
        pytest.param(
            "rules (the language model did not answer)",
            "extractive, the language model did not answer",
            id="rules in its place",
        ),
        pytest.param("llama3.1:8b (left out 2 that nobody said)", None, id="a model with a remark"),
    ],
)
def test_author(summarizer: str, told: str | None) -> None:
    """Readers are told who wrote the notes, and why it was the rules when a model was meant to."""
    assert (told or summarizer) == author(Summary((), summarizer))


def test_people_are_those_who_spoke_or_own_something() -> None:
    """A silent owner follows the speakers; a silent bystander is not among them."""
    owned = Summary((Item(Kind.ACTION, "Order laptops", ("u1",), "3"),), "rules")
    assert [("2", "1", "3"), ("2", "1")] == [people(owned, TRANSCRIPT), people(SUMMARY, TRANSCRIPT)]


def test_json_round_trip() -> None:
    """A summary survives its JSON form."""
    assert SUMMARY == parse(json.dumps(serialize(SUMMARY)))


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("nonsense", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param(
            '{"items": [{"kind": "wish", "text": "x", "evidence": ["u1"], "person": null}]}',
            id="unknown kind",
        ),
        pytest.param(
            '{"items": [{"kind": "done", "text": "x", "evidence": [], "person": null}]}', id="no evidence"
        ),
        pytest.param('{"items": [{"kind": "done"}]}', id="missing field"),
    ],
)
def test_foreign_json_is_refused(document: str) -> None:
    """A document that is no summary raises InputRefused."""
    with pytest.raises(InputRefused):
        parse(document)
