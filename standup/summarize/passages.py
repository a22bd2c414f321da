"""Which turns are read together: a reader with room for so many tokens sees each turn in the midst of others. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

OVERLAP = 3
"""One part in so many of a passage is read again in the next."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The turns from *first* to before *last*; those from *begin* to before *end* are read for their own sake."""

    first: int
    last: int
    begin: int
    end: int


def passages(sizes: Sequence[int], room: int) -> tuple[Passage, ...]:
    """Return the passages of turns of so many tokens, each of at most *room* tokens, or of one turn.

    Every turn is read for its own sake in exactly one passage, the one that shows most of what surrounds it. The
    number of passages grows with the number of turns, whatever their sizes.
    """
    stretches = list(_stretches(sizes, room))
    borders = [0]
    for (_, last), (first, _) in itertools.pairwise(stretches):
        borders.append((first + last) // 2 if first < last else last)
    borders.append(len(sizes))
    return tuple(
        Passage(first, last, begin, end)
        for (first, last), begin, end in zip(stretches, borders, borders[1:], strict=False)
    )


def _stretches(sizes: Sequence[int], room: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(sizes):
        last, taken = first + 1, sizes[first]
        while last < len(sizes) and taken + sizes[last] <= room:
            taken += sizes[last]
            last += 1
        found.append((first, last))
        if last == len(sizes):
            break
        first = max(first + 1, last - (last - first) // OVERLAP)
    return found
