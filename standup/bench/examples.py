"""What the tagger learns from: marked standups as numbered word pieces with the answers that are wanted of each.

Each reading of a standup differs a little: other names, no punctuation, words as a speech recogniser might spoil them,
words that are hidden.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from standup.bench.marked import Line, MarkedStandup, Stretch
from standup.summarize.marks import LABELS, Label
from standup.summarize.tagger import ROOM_TOKENS

UNKNOWN = -100
"""The answer where none is wanted."""
RENAMED, UNPUNCTUATED, SPOILED = 0.5, 0.25, 0.35
"""How many readings have other names, no punctuation, spoiled words."""
SPOILED_WORDS = 0.08
MASKED = 0.1
"""The share of word pieces that are hidden, so that what stands around them has to do."""
CLS, SEP, MASK = "[CLS]", "[SEP]", "[MASK]"

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_NAMES = (
    "Ann Bo Cara Dmitri Elif Femi Greta Hugo Ines Jonas Kofi Lena Marco Noor Olga Pablo Quinn Rosa Sven Tariq Uma "
    "Viktor Wanda Xavi Yuki Zoe Adam Bea Carl Dora Emil Fatima Gus Hana Ivan Jude Karim Lotte Mia Nils Oskar Priya "
    "Raj Sam Tess Ursula Vera Will Yara Zack Marta Peter Julia Tom Anna Simon Ravi Mei Chen Carlos Lucia Ahmed Sarah"
).split()


@dataclass(slots=True)
class Example:
    """So many word pieces, and of each: the place of its label, whether an item begins, whether it is another's."""

    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    def add(
        self, ids: Sequence[int], label: int = UNKNOWN, begins: int = UNKNOWN, other: int = UNKNOWN
    ) -> None:
        """Add the pieces of one word; an item begins, if at all, with the first."""
        rest = UNKNOWN if begins == UNKNOWN else 0
        self.ids += ids
        self.labels += [label] * len(ids)
        self.begins += [begins] + [rest] * (len(ids) - 1) if ids else []
        self.others += [other] * len(ids)

    def extend(self, other: Example) -> None:
        """Add all of another."""
        self.ids += other.ids
        self.labels += other.labels
        self.begins += other.begins
        self.others += other.others


@dataclass(frozen=True, slots=True)
class Manner:
    """How one reading of a standup differs from what stands there."""

    names: Mapping[str, str]
    """Word -> the word that takes its place."""
    is_unpunctuated: bool
    spoiled: float
    """The share of words that are lost or other."""


class Reader:
    """Makes examples. Owns its random source and the words that spoiled ones become."""

    def __init__(self, tokenizer: Any, standups: Sequence[MarkedStandup], chance: random.Random) -> None:
        self._tokenizer = tokenizer
        self._chance = chance
        self._mask = tokenizer.token_to_id(MASK)
        self._borders = {tokenizer.token_to_id(CLS), tokenizer.token_to_id(SEP)}
        self._words = [
            word for one in standups for line in one.lines for word in re.findall(r"[a-z]{2,}", line.text)
        ]

    def example(self, standup: MarkedStandup) -> Example:
        """Return one reading of *standup*; of one with more pieces than ROOM_TOKENS, a part that begins anywhere."""
        manner = self._manner(standup)
        lines = [self._line(line, manner) for line in standup.lines]
        example = Example()
        example.add([self._tokenizer.token_to_id(CLS)])
        for line in lines[self._first([len(one.ids) for one in lines]) :]:
            if len(example.ids) + len(line.ids) > ROOM_TOKENS and len(example.ids) > 1:
                break
            example.extend(line)
        example.ids = [self._seen(one) for one in example.ids]
        return example

    def parts(self, standup: MarkedStandup) -> int:
        """Return how many examples cover *standup* about once."""
        return max(1, round(sum(len(line.text) for line in standup.lines) / 4 / ROOM_TOKENS + 0.3))

    def _manner(self, standup: MarkedStandup) -> Manner:
        names: dict[str, str] = {}
        if self._chance.random() < RENAMED:
            new = self._chance.sample(_NAMES, min(len(standup.people), len(_NAMES)))
            names = {old.split()[0]: other for old, other in zip(standup.people, new, strict=False)}
        is_unpunctuated = self._chance.random() < UNPUNCTUATED
        spoiled = SPOILED_WORDS if self._chance.random() < SPOILED else 0.0
        return Manner(names, is_unpunctuated, spoiled)

    def _first(self, sizes: Sequence[int]) -> int:
        """Return the line to begin with: the first, where all fit."""
        if sum(sizes) <= ROOM_TOKENS:
            return 0
        left = self._chance.randint(-ROOM_TOKENS // 2, sum(sizes) - ROOM_TOKENS // 2)
        for place, size in enumerate(sizes):
            left -= size
            if left <= 0:
                return place
        return 0

    def _line(self, line: Line, manner: Manner) -> Example:
        example = Example()
        first_name = line.speaker.split()[0]
        example.add(self._pieces(f"{manner.names.get(first_name, line.speaker)} :"))
        before: Stretch | None = None
        for word in _WORD.finditer(line.text):
            inside = next((one for one in line.stretches if one.start <= word.start() < one.end), None)
            text = self._spoken(word[0], manner, is_first=inside is not before)
            if text:
                example.add(self._pieces(text), *_answers(inside, is_first=inside is not before))
                before = inside
        example.add([self._tokenizer.token_to_id(SEP)])
        return example

    def _pieces(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _seen(self, piece: int) -> int:
        """Return *piece*, or what hides it; never what begins a text or ends a line."""
        is_hidden = self._chance.random() < MASKED and piece not in self._borders
        return self._mask if is_hidden else piece

    def _spoken(self, word: str, manner: Manner, *, is_first: bool) -> str:
        """Return *word* as it is heard in this reading; empty when it is not."""
        if not word[0].isalnum():
            return "" if manner.is_unpunctuated else word
        if word in manner.names:
            return manner.names[word]
        if not word[0].isalpha() or self._chance.random() >= manner.spoiled:
            return word
        if self._chance.random() < 0.3 and not is_first:
            return ""
        return self._chance.choice(self._words) if len(word) > 3 else word


def _answers(inside: Stretch | None, *, is_first: bool) -> tuple[int, int, int]:
    """Return label, begins and other of a word of the stretch *inside*, or of none."""
    if inside is None:
        return LABELS.index(Label.NOTHING), 0, UNKNOWN
    if inside.is_arguable:
        return UNKNOWN, UNKNOWN, UNKNOWN
    return LABELS.index(inside.label), int(is_first), int(inside.is_others)
