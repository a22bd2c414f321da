"""Putting the items of several readings of one meeting together. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from standup.summarize.words import Words, words
from standup.summary import Item, Kind
from standup.transcript import Transcript

ALIKE = 0.6
"""Share of common words from which two items of the same kind, person and moment are one."""


def merged(items: Iterable[Item], transcript: Transcript) -> tuple[Item, ...]:
    """Return *items* in the order in which they were said, those said twice kept once with all their evidence.

    Two are the same when kind and person agree, and either their words do, or most of their words and an utterance.
    """
    places = {one.id: place for place, one in enumerate(transcript.utterances)}
    kept: list[Item] = []
    alike: dict[
        tuple[Kind, str | None], list[tuple[int, Words]]
    ] = {}  # places among the kept, and their words
    for item in sorted(items, key=lambda one: min(places.get(ident, len(places)) for ident in one.evidence)):
        told = words(item.text)
        group = alike.setdefault((item.kind, item.person), [])
        twin = next((place for place, said in group if _are_one(kept[place], said, item, told)), None)
        if twin is None:
            group.append((len(kept), told))
            kept.append(item)
        else:
            kept[twin] = _together(kept[twin], item)
    return tuple(kept)


def _are_one(one: Item, first: Words, other: Item, second: Words) -> bool:
    if first.figures != second.figures:
        return False
    if first.stems == second.stems:
        return True
    common = len(first.stems & second.stems)
    shortest = min(len(first.stems), len(second.stems))
    return not set(one.evidence).isdisjoint(other.evidence) and common >= ALIKE * shortest


def _together(one: Item, other: Item) -> Item:
    """Return the longer wording with the evidence of both."""
    longer = max(one, other, key=lambda item: len(item.text))
    evidence = tuple(dict.fromkeys(one.evidence + other.evidence))
    return replace(longer, evidence=evidence, due=one.due or other.due)
