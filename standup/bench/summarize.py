"""Measure the notes: every annotated standup through one summarizer, its notes scored against the gold.

Any other system can be measured on the same standups by its predictions in a JSON file (`parse_predictions`).
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from standup.bench.continuity import between_gold, relations
from standup.bench.matching import Prediction
from standup.bench.scoring import Notes, Relation, Score, Tally, score
from standup.bench.standups import Standup
from standup.bench.targets import Target, least, most
from standup.errors import InputRefused
from standup.summary import Kind, Summarizer, Summary

LEAST_F1 = 0.85
LEAST_BLOCKER_RECALL = 0.95
LEAST_ATTRIBUTION = 1.0
MOST_INVENTED = 0
MOST_DROP = 0.05
"""How much F1 may fall from the styles that the dev half has to those it has not."""

Writer = Callable[[Standup], Notes]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One standup, the notes under test and their score."""

    standup: Standup
    notes: Notes
    score: Score


@dataclass(frozen=True, slots=True)
class NotesFigures:
    """How one system does on one half of the standups."""

    half: str
    sheets: Sequence[Sheet]
    known_styles: Collection[str]
    """The styles of the dev half."""

    @property
    def overall(self) -> Tally:
        """All standups and kinds together."""
        return _total(self.sheets)

    @property
    def kinds(self) -> dict[Kind, Tally]:
        """Each kind over all standups."""
        return {kind: sum((one.score.kinds[kind] for one in self.sheets), Tally()) for kind in Kind}

    @property
    def styles(self) -> dict[str, Tally]:
        """Each style over all kinds."""
        return _grouped(self.sheets, lambda standup: standup.style)

    @property
    def sources(self) -> dict[str, Tally]:
        """Written and recognised standups."""
        return _grouped(self.sheets, lambda standup: standup.source)

    @property
    def continuity(self) -> Tally | None:
        """The relations to the day before; None where the system does not look at it."""
        told = [one.score.continuity for one in self.sheets if one.score.continuity is not None]
        return sum(told, Tally()) if told else None

    @property
    def continuity_of_gold(self) -> Tally | None:
        """The same between the gold items of both days: what a summarizer without a mistake would come to."""
        return between_gold(one.standup for one in self.sheets)

    @property
    def drop(self) -> float | None:
        """F1 on styles that the dev half has, minus F1 on the others; None where there are none of one sort."""
        known = [one for one in self.sheets if one.standup.style in self.known_styles]
        unseen = [one for one in self.sheets if one.standup.style not in self.known_styles]
        return _total(known).f1 - _total(unseen).f1 if known and unseen else None

    @property
    def latencies_s(self) -> list[float]:
        """How long each standup took, where that was measured."""
        return [one.notes.latency_s for one in self.sheets if one.notes.latency_s is not None]

    @property
    def authors(self) -> Counter[str]:
        """Who wrote how many notes: a language model that is away leaves them to the rules."""
        return Counter(one.notes.author for one in self.sheets)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What the notes must reach, and what they do reach."""
        overall, blockers, drop = self.overall, self.kinds[Kind.BLOCKER], self.drop
        return (
            least("F1", overall.f1, LEAST_F1),
            least("blocker recall", blockers.recall, LEAST_BLOCKER_RECALL),
            least("attribution", overall.attribution, LEAST_ATTRIBUTION),
            most("invented", overall.invented, MOST_INVENTED),
            most("drop on unseen styles", drop, MOST_DROP),
        )


def measure(
    half: str, standups: Iterable[Standup], write: Writer, known_styles: Collection[str]
) -> NotesFigures:
    """Let *write* make the notes of each standup, and score them."""
    written = ((standup, write(standup)) for standup in standups)
    sheets = [Sheet(standup, notes, score(standup, notes)) for standup, notes in written]
    return NotesFigures(half, sheets, frozenset(known_styles))


def by_summarizer(summarizer: Summarizer) -> Writer:
    """Return a writer that asks *summarizer*, and measures how long it takes.

    It remembers what it wrote: notes are related to those of the day before where these were written first.
    """
    written: dict[str, Summary] = {}

    def write(standup: Standup) -> Notes:
        began_s = time.perf_counter()
        summary = written[standup.id] = summarizer.summarize(standup.transcript)
        before = written.get(standup.previous)
        related = relations(before, summary, standup) if before is not None else None
        latency_s = time.perf_counter() - began_s
        items = (Prediction(one.kind, one.text, one.evidence, one.person, one.due) for one in summary.items)
        return Notes(tuple(items), related, summary.summarizer, latency_s)

    return write


def by_predictions(predictions: Mapping[str, Notes]) -> Writer:
    """Return a writer that looks the notes up; a standup that is not there has empty notes."""
    return lambda standup: predictions.get(standup.id, Notes((), author="(missing)"))


def parse_predictions(document: bytes | str) -> dict[str, Notes]:
    """Read another system's notes: standup id -> ``{"items": [...], "continuity": [...], "latency_s": …}``.

    An item needs kind and text; evidence, person and due may lack. A relation has relation, yesterday and today, the
    last two being the items' texts. Raises InputRefused for anything else.
    """
    try:
        return {str(name): _notes(raw) for name, raw in json.loads(document).items()}
    except (AttributeError, LookupError, TypeError, ValueError) as cause:
        raise InputRefused(
            'The predictions are not in the form {"<standup>": {"items": [{"kind", "text", "evidence", "person"}]}}.'
        ) from cause


def describe(figures: NotesFigures) -> dict[str, Any]:
    """Return the JSON form: scores only, never what was said."""
    latencies = figures.latencies_s
    continuity, of_gold = figures.continuity, figures.continuity_of_gold
    return {
        "half": figures.half,
        "standups": len(figures.sheets),
        "authors": dict(figures.authors),
        "overall": describe_tally(figures.overall),
        "kinds": {kind.value: describe_tally(one) for kind, one in figures.kinds.items()},
        "styles": {style: describe_tally(one) for style, one in figures.styles.items()},
        "sources": {source: describe_tally(one) for source, one in figures.sources.items()},
        "each": {one.standup.id: describe_tally(one.score.overall) for one in figures.sheets},
        "continuity": describe_tally(continuity) if continuity else None,
        "continuity_of_gold": describe_tally(of_gold) if of_gold else None,
        "latency_ms": {
            "median": round(1000 * statistics.median(latencies), 1) if latencies else None,
            "max": round(1000 * max(latencies), 1) if latencies else None,
        },
        "targets": [
            {
                "name": one.name,
                "bound": one.bound,
                "wanted": one.wanted,
                "value": one.value,
                "is_met": one.is_met,
            }
            for one in figures.targets
        ],
    }


def describe_tally(one: Tally) -> dict[str, Any]:
    """Return a tally's JSON form."""
    return {
        "required": one.required,
        "right": one.right,
        "wrong": one.wrong,
        "precision": round(one.precision, 4),
        "recall": round(one.recall, 4),
        "f1": round(one.f1, 4),
        "attribution": round(one.attribution, 4),
        "invented": one.invented,
        "joined": one.joined,
        "split": one.split,
    }


def _notes(raw: Mapping[str, Any]) -> Notes:
    items = tuple(
        Prediction(
            Kind(one["kind"]),
            str(one["text"]),
            tuple(str(place) for place in one.get("evidence") or ()),
            one.get("person"),
            one.get("due"),
        )
        for one in raw["items"]
    )
    related = raw.get("continuity")
    if related is not None:
        related = tuple(Relation(one["relation"], str(one["yesterday"]), one.get("today")) for one in related)
    latency_s = raw.get("latency_s")
    return Notes(items, related, "predictions", None if latency_s is None else float(latency_s))


def _grouped(sheets: Iterable[Sheet], group_of: Callable[[Standup], str]) -> dict[str, Tally]:
    groups: dict[str, list[Sheet]] = {}
    for one in sheets:
        groups.setdefault(group_of(one.standup), []).append(one)
    return {name: _total(groups[name]) for name in sorted(groups)}


def _total(sheets: Iterable[Sheet]) -> Tally:
    return sum((one.score.overall for one in sheets), Tally())
