"""summary.md."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from standup.continuity import Became, Relation
from standup.markdown import summary_markdown
from standup.meeting import Participant
from standup.summary import Item, Kind, Summary
from standup.template import template
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


def test_what_became_of_earlier_items() -> None:
    """They head their owner's part; a blocker that goes on says since when, in UTC."""
    started_at = datetime(2026, 11, 25, 9, 58, tzinfo=timezone.utc)
    monday = started_at - timedelta(days=2)
    relations = (
        Relation(Became.FINISHED, "The [login] page", "1", "Blocked", ("u2",)),
        Relation(Became.DROPPED, "Docs", "1"),
        Relation(Became.STILL_BLOCKED, "The keys", "1", "Blocked", ("u2",), monday),
    )
    made = summary_markdown(replace(SUMMARY, continuity=relations), TRANSCRIPT, started_at=started_at)
    assert (
        "## Ana\n\n**Last time**\n\n- ✓ The \\[login\\] page\n- ✗ Docs (not mentioned)\n\n"
        "**Blockers**\n\n- Blocked (since Mon 23 Nov, 3rd day) [1:23]"
    ) in made


def test_another_template() -> None:
    """Title, headings and order are the template's."""
    made = summary_markdown(SUMMARY, TRANSCRIPT, template=template("retrospective"))
    headings = [one for one in made.splitlines() if one.startswith("#")]
    assert [
        "# Retrospective",
        "## What was done",
        "## What got in the way",
        "## What changes",
        "## Who does it",
    ] == headings
    assert "- **Ben\\*:** Finished" in made
