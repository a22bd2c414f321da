"""Which predicted item stands for which gold item.

Pure. A prediction can stand for a gold item when both are of one kind, share an utterance (or the prediction cites
none), and at least half of the content words of the gold item's phrases occur in its text. Pairs are one to one, as
many as can be, with three allowances:

- *joined*: one prediction stands for several gold items of one utterance, kind and person; each is found;
- *split*: several predictions share the phrases of one gold item; those after the first are neither right nor wrong;
- *optional* gold is neither required nor wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from standup.bench.standups import Gold
from standup.bench.words import content, share, words
from standup.summary import Kind

PHRASES_SHARE = 0.5
"""How much of the gold phrases' content words a prediction must hold."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One item of the notes under test; unlike `standup.summary.Item` it may lack evidence."""

    kind: Kind
    text: str
    evidence: tuple[str, ...] = ()
    person: str | None = None
    due: str | None = None


@dataclass(slots=True)
class Matching:
    """Predictions and gold of one standup, by their places, and what stands for what. Made by `match`."""

    predictions: Sequence[Prediction]
    gold: Sequence[Gold]
    partner: dict[int, int] = field(default_factory=dict)
    """Prediction -> its gold, the person right."""
    stranger: dict[int, int] = field(default_factory=dict)
    """Prediction -> gold that it fits but for the person."""
    found: set[int] = field(default_factory=set)
    """Gold that somebody stands for, the person right."""
    joined: set[int] = field(default_factory=set)
    """Those of it that share their prediction with another."""
    split: set[int] = field(default_factory=set)
    """Predictions that say another part of a found gold item."""

    @property
    def missed(self) -> list[int]:
        """The required gold that was not found."""
        return [
            place for place, one in enumerate(self.gold) if not one.is_optional and place not in self.found
        ]

    @property
    def wrong(self) -> list[int]:
        """The predictions that are neither right nor neutral."""
        every = range(len(self.predictions))
        return [place for place in every if place not in self.partner and place not in self.split]


def match(predictions: Sequence[Prediction], gold: Sequence[Gold], barred: frozenset[int]) -> Matching:
    """Find what stands for what; the predictions in *barred* stand for nothing.

    A prediction with the right person comes before one without, and required gold before optional gold.
    """
    matching = Matching(predictions, gold)
    every = [place for place in range(len(predictions)) if place not in barred]
    own = {
        place: [
            other
            for other, one in enumerate(gold)
            if fits(predictions[place], one) and predictions[place].person == one.person
        ]
        for place in every
    }
    matching.partner = _paired_required_first(own, gold)
    matching.found = set(matching.partner.values())
    _join(matching)
    _gather(matching, every)
    left = [place for place in every if place in matching.wrong]
    others = {
        place: [
            other
            for other, one in enumerate(gold)
            if other not in matching.found and fits(predictions[place], one)
        ]
        for place in left
    }
    matching.stranger = _paired_required_first(others, gold)
    return matching


def fits(prediction: Prediction, gold: Gold) -> bool:
    """Return whether a prediction can stand for a gold item, whoever its person is."""
    return _is_about(prediction, gold) and _hold([prediction], gold)


def paired(edges: Mapping[int, Sequence[int]], begun: Mapping[int, int] | None = None) -> dict[int, int]:
    """Return a largest one-to-one pairing, left -> right, of a graph given as left -> possible rights.

    Whoever has a partner in *begun*, a pairing along the same edges, has one in the result, though maybe another.
    By augmenting paths (Kuhn 1955).
    """
    partner = {right: left for left, right in (begun or {}).items()}

    def place(left: int, tried: set[int]) -> bool:
        for right in edges[left]:
            if right not in tried:
                tried.add(right)
                if right not in partner or place(partner[right], tried):
                    partner[right] = left
                    return True
        return False

    for left in edges:
        if left not in partner.values():
            place(left, set())
    return {left: right for right, left in partner.items()}


def _paired_required_first(edges: Mapping[int, Sequence[int]], gold: Sequence[Gold]) -> dict[int, int]:
    """Pair as many required gold items as can be, then optional ones without giving any required one up."""
    required = {
        left: [right for right in rights if not gold[right].is_optional] for left, rights in edges.items()
    }
    return paired(edges, paired(required))


def _join(matching: Matching) -> None:
    """Find gold that stands beside another in a prediction that has a partner."""
    for place, one in enumerate(matching.gold):
        siblings = [
            prediction
            for prediction, other in matching.partner.items()
            if _are_siblings(one, matching.gold[other]) and fits(matching.predictions[prediction], one)
        ]
        if place not in matching.found and siblings:
            matching.found.add(place)
            matching.joined.add(place)


def _gather(matching: Matching, every: Sequence[int]) -> None:
    """Let predictions share the phrases of one gold item, each adding a phrase of its own."""
    for place, one in enumerate(matching.gold):
        if place in matching.joined:
            continue
        parts = [prediction for prediction, other in matching.partner.items() if other == place]
        for prediction in every:
            is_free = prediction not in matching.partner and prediction not in matching.split
            if is_free and _adds(matching, prediction, parts, one):
                parts.append(prediction)
        if parts and _hold([matching.predictions[part] for part in parts], one):
            matching.found.add(place)
            matching.partner[parts[0]] = place
            matching.split.update(parts[1:])


def _adds(matching: Matching, prediction: int, parts: Sequence[int], gold: Gold) -> bool:
    """Return whether a prediction says a phrase of *gold*, under the right person, that *parts* do not."""
    one = matching.predictions[prediction]
    there = _phrases([matching.predictions[part] for part in parts], gold)
    return _is_about(one, gold) and one.person == gold.person and not _phrases([one], gold) <= there


def _is_about(prediction: Prediction, gold: Gold) -> bool:
    shared = not prediction.evidence or not set(prediction.evidence).isdisjoint(gold.evidence)
    return shared and prediction.kind is gold.kind


def _are_siblings(one: Gold, other: Gold) -> bool:
    """Return whether one sentence may have said both."""
    together = not set(one.evidence).isdisjoint(other.evidence)
    return together and (one.kind, one.person) == (other.kind, other.person)


def _hold(predictions: Iterable[Prediction], gold: Gold) -> bool:
    """Return whether the predictions together have enough of the words of *gold*, in one of its wordings."""
    there = _words(predictions)
    return any(share(content(" ".join(one)), there) >= PHRASES_SHARE for one in gold.wordings)


def _phrases(predictions: Iterable[Prediction], gold: Gold) -> set[int]:
    """Return the places of the phrases of *gold* that the predictions say."""
    there = _words(predictions)
    return {
        place
        for wording in gold.wordings
        for place, phrase in enumerate(wording)
        if share(content(phrase), there) >= PHRASES_SHARE
    }


def _words(predictions: Iterable[Prediction]) -> frozenset[str]:
    return frozenset().union(*(words(one.text) for one in predictions))
