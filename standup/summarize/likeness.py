"""How much two items are about one thing. Pure.

Strategy: words with a matter of their own are compared by their stems; identifiers weigh more. Speech recognition
cuts words in two and bends letters, so two neighbouring words count as one, and nearly equal stems as equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise

from standup.summarize.words import FILLERS, listed, stem, words

ID_WEIGHT = 2.0
"""What an identifier or a figure of several characters counts for; a word counts for one."""
OTHER_IDS = 0.5
"""What is left of the likeness of two texts that name identifiers, and none in common: two tickets are two tickets."""
SIMILAR = 0.75
"""How alike two stems of five letters or more must be to count as one word."""
SIMILAR_LETTERS = 5


@dataclass(frozen=True, slots=True)
class Matter:
    """What a text is about."""

    stems: frozenset[str]
    """Stems of its words, and its figures."""
    joined: frozenset[str]
    """Stems of two neighbouring words written as one."""

    @property
    def weight(self) -> float:
        """What all of it weighs."""
        return _weight(self.stems)

    def __or__(self, other: Matter) -> Matter:
        """Return both together."""
        return Matter(self.stems | other.stems, self.joined | other.joined)


@lru_cache(maxsize=1024)
def matter(text: str) -> Matter:
    """Return what *text* is about; nothing for a text of grammar alone."""
    spoken = listed(text)
    own = frozenset(stem(one) for one in spoken if one not in FILLERS)
    joined = frozenset(stem(first + second) for first, second in pairwise(spoken))
    return Matter(own | words(text).figures, joined)


def shared(one: Matter, other: Matter) -> float:
    """Return the weight of what *one* has in common with *other*."""
    return _weight(stem for stem in one.stems if stands(stem, other))


def likeness(one: Matter, other: Matter) -> float:
    """Return how much of the shorter is in the longer, 0 to 1."""
    least = min(one.weight, other.weight)
    if not least:
        return 0.0
    part = min(1.0, max(shared(one, other), shared(other, one)) / least)
    named, also_named = _ids(one), _ids(other)
    return part * OTHER_IDS if named and also_named and named.isdisjoint(also_named) else part


def share(wanted: Matter, there: Matter) -> float:
    """Return how much of *wanted* is *there*, 0 to 1."""
    return shared(wanted, there) / wanted.weight if wanted.weight else 0.0


def stands(stem: str, there: Matter) -> bool:
    """Return whether *stem*, or one that counts as the same, is *there*."""
    if stem in there.stems or stem in there.joined:
        return True
    return any(_is_same(stem, one) for one in there.stems)


def _ids(one: Matter) -> frozenset[str]:
    return frozenset(stem for stem in one.stems if _is_id(stem))


def _is_id(stem: str) -> bool:
    """Return whether *stem* has a digit, and is more than that digit."""
    return len(stem) > 1 and any(map(str.isdigit, stem))


def _weight(stems: Iterable[str]) -> float:
    return sum(ID_WEIGHT if _is_id(one) else 1.0 for one in stems)


@lru_cache(maxsize=65536)
def _is_same(one: str, other: str) -> bool:
    """Return whether two stems may be one word, a little misheard."""
    if (
        one[0] != other[0]
        or min(len(one), len(other)) < SIMILAR_LETTERS
        or any(map(str.isdigit, one + other))
    ):
        return False
    return SequenceMatcher(None, one, other).ratio() >= SIMILAR
