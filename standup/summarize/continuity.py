"""What became of yesterday's items: today's items and words beside those of the meeting before. Pure.

Strategy: every plan and blocker of yesterday is compared with today's items that could be what became of it (`FATES`).
Pairs are one to one, those of one person first, the likest first. For what has no item today the words of today are
asked: that a blocker is gone or stays, that a plan was given up, or that nobody spoke of it. Rather no relation than a
wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from standup.continuity import Became, Relation
from standup.summarize.likeness import likeness, matter, share, shared
from standup.summarize.tidings import Tidings
from standup.summary import Item, Kind, Summary
from standup.transcript import Transcript

#: Kind of yesterday's item and of today's -> what the second says of the first.
FATES: Mapping[tuple[Kind, Kind], Became] = {
    (Kind.NEXT, Kind.DONE): Became.FINISHED,
    (Kind.ACTION, Kind.DONE): Became.FINISHED,
    (Kind.NEXT, Kind.NEXT): Became.CARRIED,
    (Kind.NEXT, Kind.ACTION): Became.CARRIED,
    (Kind.ACTION, Kind.NEXT): Became.CARRIED,
    (Kind.ACTION, Kind.ACTION): Became.CARRIED,
    (Kind.BLOCKER, Kind.BLOCKER): Became.STILL_BLOCKED,
    (Kind.BLOCKER, Kind.DONE): Became.UNBLOCKED,
}

OWN_LIKENESS = 0.3
"""How like two items of one person must be."""
OTHERS_LIKENESS = 0.6
"""How like two items of different people must be."""
OTHERS_WEIGHT = 2.0
"""What two items of different people must have in common, in words."""
CONTEXT_SHARE = 0.75
"""How much of yesterday's item must be in the evidence of one of today's that has no word of it."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """One of yesterday's items and one of today's, by their places."""

    yesterday: int
    today: int
    became: Became
    rank: tuple[bool, float]
    """The greater, the better: one person before two, then the likest."""


def connect(
    yesterday: Summary, today: Summary, transcript: Transcript, *, began_at: datetime | None = None
) -> tuple[Relation, ...]:
    """Return what became of the plans and blockers of *yesterday*, in their order.

    *transcript* is today's; *began_at*, aware, is when yesterday's meeting began. What was open before yesterday
    already keeps the moment since when it is.
    """
    tidings = Tidings(transcript)
    open_items = _open(yesterday)
    chosen = {one.yesterday: one for one in _assigned(_pairs(open_items, today.items, tidings))}
    found = []
    for place, item in enumerate(open_items):
        pair = chosen.get(place)
        relation = _told(item, today.items[pair.today], pair.became) if pair else _untold(item, tidings)
        if relation is not None:
            found.append(replace(relation, since=_since(item, yesterday) or began_at))
    return tuple(found)


def _open(yesterday: Summary) -> tuple[Item, ...]:
    """Return the plans and blockers, those blockers included that went on there without an item of their own."""
    own = [one for one in yesterday.items if one.kind in (Kind.NEXT, Kind.ACTION, Kind.BLOCKER)]
    older = [
        Item(Kind.BLOCKER, one.yesterday, one.evidence, one.person)
        for one in yesterday.continuity
        if one.became is Became.STILL_BLOCKED and one.today is None and one.evidence
    ]
    return (*own, *older)


def _pairs(yesterday: Sequence[Item], today: Sequence[Item], tidings: Tidings) -> Iterator[_Pair]:
    for place, before in enumerate(yesterday):
        for other, now in enumerate(today):
            became = FATES.get((before.kind, now.kind))
            rank = became and _rank(before, now, became, tidings)
            if became and rank:
                yield _Pair(place, other, became, rank)


def _rank(before: Item, now: Item, became: Became, tidings: Tidings) -> tuple[bool, float] | None:
    """Return how well the two go together; None where they do not."""
    one, other = matter(before.text), matter(now.text)
    alike, is_own = likeness(one, other), before.person == now.person
    if became is Became.UNBLOCKED and (not is_own or tidings.goes_on(one, now.evidence)):
        return None
    if not is_own:
        is_enough = alike >= OTHERS_LIKENESS and shared(one, other) >= OTHERS_WEIGHT
        return (False, alike) if is_enough else None
    around = share(one, tidings.context(now.evidence))
    if alike >= OWN_LIKENESS:
        return True, 1 + alike + around
    return (True, around) if around >= CONTEXT_SHARE and became is not Became.UNBLOCKED else None


def _assigned(pairs: Iterable[_Pair]) -> Iterator[_Pair]:
    """Take the best pairs, each item once."""
    taken: tuple[set[int], set[int]] = (set(), set())
    for pair in sorted(pairs, key=lambda one: one.rank, reverse=True):
        if pair.yesterday not in taken[0] and pair.today not in taken[1]:
            taken[0].add(pair.yesterday)
            taken[1].add(pair.today)
            yield pair


def _told(item: Item, now: Item, became: Became) -> Relation:
    return Relation(became, item.text, item.person, now.text, now.evidence)


def _untold(item: Item, tidings: Tidings) -> Relation | None:
    """Return what today's words say of an item that none of today's items takes up."""
    wanted = matter(item.text)
    if item.kind is Kind.BLOCKER:
        said = tidings.of_blocker(wanted, item.person)
        return Relation(said[0], item.text, item.person, None, said[1]) if said else None
    given_up = tidings.given_up(wanted, item.person)
    if given_up:
        return Relation(Became.DROPPED, item.text, item.person, None, given_up)
    is_silent = (
        wanted.weight and tidings.is_present(item.person) and not tidings.mentions(wanted, item.person)
    )
    if item.kind is Kind.NEXT and is_silent:
        return Relation(Became.DROPPED, item.text, item.person)
    return None


def _since(item: Item, yesterday: Summary) -> datetime | None:
    """Return when the first meeting began that had *item*, where yesterday's relations know."""
    for one in yesterday.continuity:
        if (one.today or one.yesterday, one.evidence) == (item.text, item.evidence):
            return one.since
    return None
