"""The measure of relations to the day before."""

from __future__ import annotations

import json
from typing import Any

from standup.bench.continuity import between_gold
from standup.bench.standups import Standup, parse
from standup.bench.summarize import by_summarizer, describe, measure
from standup.cli import scores
from standup.summarize import choose


def two_days() -> list[Standup]:
    """A blocker, and the same on the next day."""
    return parse(
        {name: json.dumps(document) for name, document in (("01-one", _day()), ("02-two", _second()))}
    )


def _day() -> dict[str, Any]:
    text = "I am blocked by the licence of the compiler."
    return {
        "style": "day",
        "source": "written",
        "meeting": {"id": "s"},
        "participants": [{"id": "p1", "name": "Ann"}],
        "utterances": [{"id": "u1", "speaker": "p1", "start_ms": 0, "end_ms": 9, "text": text}],
        "gold": [{"person": "p1", "kind": "blocker", "phrases": ["licence"], "evidence": ["u1"]}],
    }


def _second() -> dict[str, Any]:
    relation = {"relation": "still_blocked", "yesterday": 0, "today": 0}
    return _day() | {"previous": "01-one", "continuity": [relation]}


def test_notes_are_related_to_those_of_the_day_before() -> None:
    """A summarizer's second day is scored against the gold relations."""
    figures = measure("dev", two_days(), by_summarizer(choose()), ())
    assert figures.continuity is not None
    assert (figures.continuity.right, figures.continuity.f1) == (1, 1.0)


def test_a_first_day_has_no_relations() -> None:
    """Without a day before nothing is measured, with gold items or without."""
    figures = measure("dev", two_days()[:1], by_summarizer(choose()), ())
    assert (figures.continuity, figures.continuity_of_gold) == (None, None)
    assert describe(figures)["continuity_of_gold"] is None


def test_relations_between_gold_items() -> None:
    """They are measured without a summarizer's mistakes."""
    found = between_gold(two_days())
    assert found is not None
    assert (found.right, found.missed, found.wrong) == (1, 0, 0)


def test_both_lines_are_printed() -> None:
    """The table shows the relations of the notes and of the gold."""
    shown = scores.table(measure("dev", two_days(), by_summarizer(choose()), ()))
    assert ["day before", "day before, gold items"] == list(shown.columns[0].cells)[-2:]
