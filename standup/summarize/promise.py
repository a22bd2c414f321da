"""Answers to a request that the weights did not take for a yes: "With the outliers, I'll do that". Pure, English.

Only what cannot be meant otherwise, and only right behind a request: who is wrongly given a task is wronged.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from standup.summarize.marks import Label, Mark
from standup.summarize.turns import Turn

WITHIN = 2
"""How many turns after a request somebody may take it."""

_TAKES = re.compile(
    r"\b(?:i(?:'ll| will| can) (?:do|take|handle|manage) (?:it|that|this|those|them)\b"
    r"|i(?:'ll| will) see to (?:it|that)|i(?:'ve| have)? got (?:it|that) covered|consider it done"
    r"|leave (?:it|that) (?:to|with) me|(?<!not )will do\b|(?:i'm )?on it(?=\W*$|[.!,;])"
    r"|happy to\b|gladly\b|with pleasure\b)",
    re.IGNORECASE,
)
_RETRACTS = re.compile(r"\b(?:if|unless|would|rather|only when|not|no|nope|nah)\b|n't\b|\?", re.IGNORECASE)
_ENDS = re.compile(r"[.!?;]\s")


def with_promises(marks: Sequence[Mark], turns: Sequence[Turn]) -> tuple[Mark, ...]:
    """Return *marks*, in their order, with a yes where somebody outright takes what was just asked for."""
    marked = {mark.turn for mark in marks if mark.label in (Label.ASSENT, Label.ACTION)}
    asked = {mark.turn for mark in marks if mark.label is Label.ACTION and mark.is_others}
    found = _promises(turns, asked, marked)
    return tuple(sorted((*marks, *found), key=lambda one: (one.turn, one.start)))


def _promises(turns: Sequence[Turn], asked: Collection[int], marked: Collection[int]) -> Iterator[Mark]:
    for place in asked:
        for answer in range(place + 1, min(place + 1 + WITHIN, len(turns))):
            turn = turns[answer]
            if answer in marked:
                break
            said = _TAKES.search(turn.text) if turn.speaker != turns[place].speaker else None
            if said is not None and _RETRACTS.search(_sentence(turn.text, said)) is None:
                yield Mark(answer, said.start(), said.end(), Label.ASSENT, False, 1.0)
                break


def _sentence(text: str, said: re.Match[str]) -> str:
    """Return the sentence that *said* is in."""
    begin = max((one.end() for one in _ENDS.finditer(text, 0, said.start())), default=0)
    end = _ENDS.search(text, said.end())
    return text[begin : end.start() + 1 if end else len(text)]
