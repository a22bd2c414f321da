"""The summary: its JSON form and summary.md."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from standup.errors import InputRefused
from standup.meeting import Participant
from standup.summary import Item, Kind, Summary, author, parse, people, serialize, summary_markdown
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


def test_summary_markdown() -> None:
    """summary.md has people in speaking order, decisions, owners, due words, times and its author."""
    started_at = datetime(2026, 11, 23, 10, 58, tzinfo=timezone(timedelta(hours=1)))
    expected = """\
# Standup 2026-11-23 09:58 UTC

## Ben\\*

**Done**

- Finished \\[the\\] login page [0:05]

## Ana

**Blockers**

- Blocked [1:23]

## Decisions

- Use Postgres [1:30]

## Action items

- **Ana:** Send Ben the logs — by Friday [1:23]
- **no owner yet:** Order laptops

---

Written by: extractive, no language model. Speech model: tiny.en.
"""
    assert expected == summary_markdown(SUMMARY, TRANSCRIPT, started_at=started_at, speech_model="tiny.en")


def test_a_speaker_without_items_is_still_there() -> None:
    """Somebody who spoke and of whom nothing was recognised is named with that."""
    made = summary_markdown(Summary((), "rules"), TRANSCRIPT)
    assert "## Ana\n\nNo done, next or blocker was recognised." in made


def test_nobody_spoke() -> None:
    """A meeting without words says so."""
    empty = Transcript(TRANSCRIPT.meeting_id, TRANSCRIPT.participants, ())
    assert "\n\nNobody spoke.\n\n" in summary_markdown(Summary((), "rules"), empty)


def test_a_status_of_nobody_in_particular_is_not_lost() -> None:
    """A done without a person is listed for everybody."""
    made = summary_markdown(Summary((Item(Kind.DONE, "Released 2.0", ("u1",)),), "rules"), TRANSCRIPT)
    assert "## Everybody\n\n**Done**\n\n- Released 2.0 [0:05]" in made


def test_the_last_line_names_a_language_model() -> None:
    """A summary that a model wrote ends with the model's name."""
    made = summary_markdown(Summary((), "llama3.1:8b"), TRANSCRIPT)
    assert "Written by: llama3.1:8b." == made.splitlines()[-1]


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
