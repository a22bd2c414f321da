"""The summary of a standup: items, each with the utterances that prove it; its JSON form.

No clock and no I/O here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from standup import continuity as relations
from standup.continuity import Relation
from standup.errors import InputRefused
from standup.transcript import Transcript, clock


class Kind(str, Enum):
    """What an item is."""

    DONE = "done"
    NEXT = "next"
    BLOCKER = "blocker"
    DECISION = "decision"
    ACTION = "action"


RULES = "rules"
#: The name of the summarizer that needs no model.


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the notes."""

    kind: Kind
    text: str
    """The person's own words, shortened."""
    evidence: tuple[str, ...]
    """Ids of the utterances it was said in; never empty."""
    person: str | None = None
    """Participant id of whoever it belongs to (the owner, for an action); None for the group."""
    due: str | None = None
    """When it is due, in the words that were said."""

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("an item needs a text")
        if not self.evidence:
            raise ValueError("an item needs evidence")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a meeting came to."""

    items: tuple[Item, ...]
    summarizer: str
    """Who wrote it: ``rules``, or the name of a language model; a remark on how may follow in parentheses."""
    continuity: tuple[Relation, ...] = ()
    """What became of the items of the meeting before; empty where there was none."""

    def of(self, person: str | None, *kinds: Kind) -> tuple[Item, ...]:
        """Return the items of one person (None: of the group) and of these kinds, in their order."""
        return tuple(one for one in self.items if one.person == person and one.kind in kinds)


class Summarizer(Protocol):
    """Turns a transcript into a summary. Every item's evidence exists in the transcript."""

    @property
    def name(self) -> str:
        """What the notes call it."""

    def summarize(self, transcript: Transcript) -> Summary:
        """Return the summary; an empty transcript gives no items. Raises SummarizeError."""


def serialize(summary: Summary) -> dict[str, Any]:
    """Return the JSON form."""
    return {
        "summarizer": summary.summarizer,
        "items": [
            {
                "person": one.person,
                "kind": one.kind.value,
                "text": one.text,
                "evidence": list(one.evidence),
                "due": one.due,
            }
            for one in summary.items
        ],
        "continuity": [relations.serialize(one) for one in summary.continuity],
    }


def parse(document: str | bytes) -> Summary:
    """Read the JSON form; raise InputRefused when the document is not a summary."""
    try:
        raw = json.loads(document)
        items = tuple(
            Item(Kind(one["kind"]), str(one["text"]), tuple(one["evidence"]), one["person"], one.get("due"))
            for one in raw["items"]
        )
        before = tuple(relations.parse(one) for one in raw.get("continuity") or ())
        return Summary(items, str(raw.get("summarizer", "unknown")), before)
    except KeyError as missing:
        raise InputRefused(
            f"The summary lacks the field {missing}; `standup show ID --json` shows the form."
        ) from missing
    except (ValueError, TypeError, AttributeError) as cause:
        raise InputRefused(
            "The file is not a summary in the JSON form that `standup show ID --json` shows."
        ) from cause


def author(summary: Summary) -> str:
    """Return who wrote the summary, as readers should understand it.

    Where the rules stand in for a language model, it says why.
    """
    who, _, remark = summary.summarizer.partition(" (")
    if who != RULES:
        return summary.summarizer
    return f"extractive, {remark.removesuffix(')') or 'no language model'}"


def people(summary: Summary, transcript: Transcript) -> tuple[str, ...]:
    """Return the ids of everybody who spoke or has an item, in the order in which they were first heard."""
    heard = [one.speaker for one in transcript.spoken]
    owners = [one.person for one in summary.items if one.person is not None]
    return tuple(dict.fromkeys(heard + owners))


def moments(summary: Summary, transcript: Transcript) -> Mapping[Item, str]:
    """Return for each item the clock time at which its evidence starts.

    An item whose evidence is not in the transcript has none.
    """
    starts = {one.id: one.start_ms for one in transcript.utterances}
    found: dict[Item, str] = {}
    for item in summary.items:
        known = [starts[one] for one in item.evidence if one in starts]
        if known:
            found[item] = clock(min(known))
    return found
