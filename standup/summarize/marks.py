"""Marks on a transcript: which words say an item, and of which kind. Pure.

A reader gives each word a likelihood for every label; `marked` makes stretches of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum


class Label(str, Enum):
    """What a word is part of. The order is that of the weights' outputs."""

    NOTHING = "nothing"
    DONE = "done"
    NEXT = "next"
    BLOCKER = "blocker"
    ACTION = "action"
    DECISION = "decision"
    ASSENT = "assent"
    """A yes to the request or proposal before it."""
    TOPIC = "topic"
    """What a question asks about, where the answer alone does not name it."""


LABELS = tuple(Label)

REST_CHARACTERS = 60
"""A clause that ends within so many characters after a mark is the mark's to its end."""

_JOINED = r"\w(?:[\w'’]|[-.,:/](?=\w))*"
_HEAD = re.compile(rf"(?<![\w'’])(?<!\w[-.,:/])(?:{_JOINED}[-.,:/]?)\Z")
_TAIL = re.compile(r"(?:[\w'’]|[-.,:/](?=\w))*")
_FULL_STOPS = ".!?"
_REST = re.compile(rf"(?:[^,.;:!?]|[,.;:!?](?=\w)){{0,{REST_CHARACTERS}}}(?=[,.;:!?](?!\w))")
# Where a clause begins that says something else.
_TURNS = re.compile(r"\b(?:no|none|nothing|not|and|but|blockers?|blocked)\b", re.IGNORECASE)

LEAST = 1e-6
"""No likelihood counts as less."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word, as the weights see it."""

    start: int
    """Where it stands in its turn's text, in characters."""
    end: int
    likelihoods: Sequence[float]
    """For each of LABELS; they add up to 1."""
    begins: float
    """How likely an item begins with it."""
    is_others: float
    """How likely its item belongs to somebody else than the speaker."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a turn that says one item."""

    turn: int
    """The place of its turn."""
    start: int
    end: int
    label: Label
    is_others: bool
    """Whether it belongs to somebody else than the speaker."""
    likelihood: float
    """The mean over its words."""


def whole(mark: Mark, text: str, begin: int, end: int) -> Mark:
    """Return *mark* with whole words and figures, and to the end of its clause where that is near.

    *begin* and *end* are where the marks before and after it in the same turn end and begin.
    """
    head, tail = _HEAD.search(text, begin, mark.start), _TAIL.match(text, mark.end, end)
    start = head.start() if head else mark.start
    last = tail.end() if tail else mark.end
    rest = None if text[last - 1 : last] in _FULL_STOPS else _REST.match(text, last, end)
    if rest is not None and not _TURNS.search(rest[0]):
        last = rest.end()
    return replace(mark, start=start, end=last)


def marked(
    turn: int, words: Sequence[Word], *, caution: Mapping[Label, float], parting: float
) -> Iterator[Mark]:
    """Return the stretches of one turn, in their order: the likeliest way to cut it (Viterbi 1967).

    A stretch costs the *caution* of its label, in nats: what it must be likelier than nothing, over all its words.
    Where it follows another at once it costs *parting*: what two stretches must be likelier than one.
    """
    for label, run in _runs(words, _cut(words, caution, parting)):
        place = LABELS.index(label)
        likelihood = sum(one.likelihoods[place] for one in run) / len(run)
        is_others = sum(one.is_others for one in run) > 0.5 * len(run)
        yield Mark(turn, run[0].start, run[-1].end, label, is_others, likelihood)


def _cut(words: Sequence[Word], caution: Mapping[Label, float], parting: float) -> list[tuple[int, bool]]:
    """Return for each word the place of its label, and whether a stretch begins with it."""
    costs = [caution[label] for label in LABELS]
    stretches = range(1, len(LABELS))
    best = [0.0] + [-math.inf] * len(stretches)
    steps: list[list[tuple[int, bool]]] = []
    for word in words:
        begins, goes_on = math.log(max(word.begins, LEAST)), math.log(max(1 - word.begins, LEAST))
        last = max(stretches, key=best.__getitem__)
        parted = best[last] + begins - parting
        step = [(0 if best[0] >= best[last] else last, False)]
        reached = [max(best[0], best[last])]
        for place in stretches:
            stayed, opened = best[place] + goes_on, best[0] + begins - costs[place]
            if stayed >= opened and stayed >= parted:
                step.append((place, False))
            else:
                step.append((0 if opened >= parted else last, True))
            reached.append(max(stayed, opened, parted))
        likelihoods = (math.log(max(one, LEAST)) for one in word.likelihoods)
        best = [way + likelihood for way, likelihood in zip(reached, likelihoods, strict=True)]
        steps.append(step)
    return _traced(steps, max(range(len(LABELS)), key=best.__getitem__))


def _traced(steps: Sequence[Sequence[tuple[int, bool]]], last: int) -> list[tuple[int, bool]]:
    """Return the way through *steps* that ends at *last*."""
    way: list[tuple[int, bool]] = []
    for step in reversed(steps):
        before, is_new = step[last]
        way.append((last, is_new))
        last = before
    return way[::-1]


def _runs(words: Sequence[Word], way: Sequence[tuple[int, bool]]) -> Iterator[tuple[Label, list[Word]]]:
    run: list[Word] = []
    label = Label.NOTHING
    for word, (place, is_new) in zip(words, way, strict=True):
        if run and (is_new or LABELS[place] is not label):
            yield label, run
            run = []
        label = LABELS[place]
        if label is not Label.NOTHING:
            run.append(word)
    if run:
        yield label, run
