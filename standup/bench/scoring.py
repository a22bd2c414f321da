"""Score the notes of a standup against what its annotator found in it.

Pure. `standup.bench.matching` says which prediction stands for which gold item. The person must be right for an
item to count as right: what fits but for its person is a wrong and a missed item, and counts against attribution.
An invented prediction is never right.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields

from standup.bench.matching import Matching, Prediction, match, paired
from standup.bench.standups import Gold, GoldRelation, Standup
from standup.bench.words import content, numbers, share, words
from standup.summary import Kind

SUPPORTED_SHARE = 0.6
"""How much of a prediction's content words must have been said."""
RELATED_SHARE = 0.5
"""How much of the gold phrases' content words each item of a relation must hold."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What the notes under test say became of an item of the day before."""

    relation: str
    yesterday: str
    """The text of yesterday's item."""
    today: str | None
    """The text of today's item, or None where there is none."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What one system made of one standup."""

    items: tuple[Prediction, ...]
    continuity: tuple[Relation, ...] | None = None
    """None where the system does not look at the day before."""
    author: str = ""
    """Who wrote them, in the words of the summary."""
    latency_s: float | None = None
    """How long it took, where that was measured."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts, and the figures that follow from them; of nothing required and nothing said, all figures are 1."""

    right: int = 0
    """Required gold items that were found, under the right person."""
    missed: int = 0
    """Required gold items that were not."""
    wrong: int = 0
    """Predictions that stand for no gold item, or for one of somebody else."""
    attributed: int = 0
    """Predictions paired with a gold item, under the right person."""
    misattributed: int = 0
    """Predictions paired with a gold item that fits but for the person."""
    invented: int = 0
    joined: int = 0
    split: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Return both together."""
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Tally)))

    @property
    def required(self) -> int:
        """How many items the notes must hold."""
        return self.right + self.missed

    @property
    def precision(self) -> float:
        """The share of what was noted that is right."""
        return _ratio(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """The share of what is required that was found."""
        return _ratio(self.right, self.required)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return _ratio(2 * self.right, 2 * self.right + self.wrong + self.missed)

    @property
    def attribution(self) -> float:
        """The share of the paired predictions that have the right person."""
        return _ratio(self.attributed, self.attributed + self.misattributed)


@dataclass(frozen=True, slots=True)
class Score:
    """How the notes of one standup compare with its gold."""

    kinds: Mapping[Kind, Tally]
    missed: tuple[Gold, ...]
    wrong: tuple[Prediction, ...]
    invented: tuple[Prediction, ...]
    continuity: Tally | None = None
    """None where the standup has no day before, or the system does not look at it."""

    @property
    def overall(self) -> Tally:
        """All kinds together."""
        return sum(self.kinds.values(), Tally())


def score(standup: Standup, notes: Notes) -> Score:
    """Compare *notes* with the gold of *standup*."""
    invented = frozenset(place for place, one in enumerate(notes.items) if is_invented(one, standup))
    matching = match(notes.items, standup.gold, barred=invented)
    continuity = None
    if standup.previous and notes.continuity is not None:
        continuity = score_continuity(standup.continuity, notes.continuity)
    return Score(
        {kind: _tally(matching, invented, kind) for kind in Kind},
        tuple(standup.gold[one] for one in matching.missed),
        tuple(notes.items[one] for one in matching.wrong),
        tuple(notes.items[one] for one in sorted(invented)),
        continuity,
    )


def is_invented(prediction: Prediction, standup: Standup) -> bool:
    """Return whether a prediction says what nobody said.

    It does when it cites an utterance that does not exist, names somebody who was not there, has a number that was
    not said, or when fewer than 60 % of its content words were said (in the utterances it cites; anywhere, where it
    cites none). What was spoken counts like what was recognised of it, so that mending a misheard word is no invention.
    """
    texts = {one.id: f"{one.text} {standup.said.get(one.id, '')}" for one in standup.transcript.spoken}
    people = {one.id for one in standup.transcript.participants}
    if prediction.person is not None and prediction.person not in people:
        return True
    if not set(prediction.evidence) <= set(texts):
        return True
    there = words(" ".join(texts[one] for one in prediction.evidence or texts))
    return not (_is_supported(prediction.text, there) and _is_supported(prediction.due or "", there))


def score_continuity(gold: Sequence[GoldRelation], predicted: Sequence[Relation]) -> Tally:
    """Compare relations to the day before; one is right when its name and both its items are."""
    edges = {
        place: [index for index, wanted in enumerate(gold) if _stands_for(one, wanted)]
        for place, one in enumerate(predicted)
    }
    right = len(paired(edges))
    return Tally(right=right, missed=len(gold) - right, wrong=len(predicted) - right)


def _tally(matching: Matching, invented: Collection[int], kind: Kind) -> Tally:
    def predictions(places: Collection[int]) -> int:
        return sum(matching.predictions[one].kind is kind for one in places)

    def gold(places: Collection[int]) -> int:
        return sum(matching.gold[one].kind is kind for one in places if not matching.gold[one].is_optional)

    return Tally(
        right=gold(matching.found),
        missed=gold(matching.missed),
        wrong=predictions(matching.wrong),
        attributed=predictions(matching.partner),
        misattributed=predictions(matching.stranger),
        invented=predictions(invented),
        joined=gold(matching.joined),
        split=predictions(matching.split),
    )


def _is_supported(text: str, there: frozenset[str]) -> bool:
    said = content(text)
    return numbers(said) <= there and share(said, there) >= SUPPORTED_SHARE


def _stands_for(predicted: Relation, gold: GoldRelation) -> bool:
    return (
        predicted.relation == gold.relation
        and _is_item(predicted.yesterday, gold.yesterday)
        and _is_item(predicted.today, gold.today)
    )


def _is_item(text: str | None, gold: Gold | None) -> bool:
    if text is None or gold is None:
        return text is None and gold is None
    there = words(text)
    return any(share(content(" ".join(one)), there) >= RELATED_SHARE for one in gold.wordings)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
