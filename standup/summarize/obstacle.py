"""A blocker that two sentences tell: one says that somebody stands still, the other why. Pure, English.

"I'm stuck with the maps. The licence hasn't been countersigned." is one thing in the way. Two that only stand side by
side ("The printer is broken. The VPN is down.") stay two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from standup.summarize.marks import Label, Mark
from standup.summarize.turns import Turn

#: Says that somebody stands still, and leaves open why.
_STANDS_STILL = re.compile(
    r"\b(?:stuck|blocked|held up|on hold|stalled|at a standstill|standing still|in limbo)\b", re.IGNORECASE
)
#: Goes on about what stands before it.
_GOES_ON = re.compile(
    r"(?:they|it|he|she|his|her|their|its|that|this|those|these|which|because|so|until|without)\b",
    re.IGNORECASE,
)
#: A sentence with a reason in it needs no other.
_WHY = re.compile(r"\b(?:because|since|until|as long as|due to|waiting)\b", re.IGNORECASE)
_BETWEEN = re.compile(r"\W*(?:(?:and|so|but|well|you see)\b\W*)?", re.IGNORECASE)


def joined(marks: Iterable[Mark], turns: Sequence[Turn]) -> Iterator[Mark]:
    """Return *marks*, two neighbours as one where together they tell one blocker."""
    last: Mark | None = None
    for mark in marks:
        if last is not None and _is_one(last, mark, turns[mark.turn].text):
            likelihood = min(last.likelihood, mark.likelihood)
            last = replace(mark, start=last.start, likelihood=likelihood)
            continue
        if last is not None:
            yield last
        last = mark
    if last is not None:
        yield last


def _is_one(first: Mark, second: Mark, text: str) -> bool:
    if second.label is not Label.BLOCKER or first.label not in (Label.BLOCKER, Label.NEXT):
        return False
    if (first.turn, first.is_others) != (second.turn, second.is_others):
        return False
    if _BETWEEN.fullmatch(text, first.end, second.start) is None:
        return False
    state = text[first.start : first.end]
    if _STANDS_STILL.search(state) is not None and _WHY.search(state) is None:
        return True
    return first.label is Label.BLOCKER and _GOES_ON.match(text, second.start) is not None
