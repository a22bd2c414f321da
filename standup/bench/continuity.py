"""Relations to the day before, as a writer of notes finds them, and as they are found between the gold items. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from standup.bench.scoring import Relation, Tally, score_continuity
from standup.bench.standups import Standup
from standup.summarize.continuity import connect
from standup.summary import Item, Summary

GOLD = "gold"


def relations(before: Summary, today: Summary, standup: Standup) -> tuple[Relation, ...]:
    """Return what the notes *before* and *today*'s come to; *standup* is today's."""
    found = connect(before, today, standup.transcript)
    return tuple(Relation(one.became.value, one.yesterday, one.today) for one in found)


def between_gold(standups: Iterable[Standup]) -> Tally | None:
    """Score the relations between the gold items of every two consecutive days; None where there are no such days.

    What the summarizer misses cannot be related: this shows the relations without its mistakes.
    """
    known = {one.id: one for one in standups}
    days = [one for one in known.values() if one.previous in known]
    tallies = [
        score_continuity(one.continuity, relations(gold_notes(known[one.previous]), gold_notes(one), one))
        for one in days
    ]
    return sum(tallies, Tally()) if tallies else None


def gold_notes(standup: Standup) -> Summary:
    """Return the gold of *standup* as notes, each item in the words of its phrases."""
    items = (Item(one.kind, " ".join(one.phrases), one.evidence, one.person) for one in standup.gold)
    return Summary(tuple(items), GOLD)
