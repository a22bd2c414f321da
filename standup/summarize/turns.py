"""What one person says in one go: utterances of one speaker, joined where only a pause parts them. Pure.

A recorder ends an utterance at every breath, mostly between two sentences; what a sentence speaks of often stands in
the one before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from standup.transcript import Transcript, Utterance

CONTINUES_WITHIN_MS = 3000
"""A longer pause ends a turn."""
LONGEST_CHARACTERS = 600
"""Nothing is joined beyond this, and a longer utterance is cut into several turns."""

_PIECE = re.compile(
    rf"\S.{{0,{LONGEST_CHARACTERS - 1}}}(?:(?<=[.!?])(?=\s)|$)|\S.{{0,{LONGEST_CHARACTERS - 1}}}(?=\s|$)"
    rf"|\S{{1,{LONGEST_CHARACTERS}}}",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of one speaker's talk."""

    speaker: str
    pieces: tuple[tuple[str, str], ...]
    """What was said and the id of its utterance; never empty."""

    @property
    def text(self) -> str:
        """The pieces, joined by single spaces."""
        return " ".join(text for text, _ in self.pieces)

    def evidence(self, start: int, end: int) -> tuple[str, ...]:
        """Return the ids of the utterances that the characters from *start* to before *end* come from."""
        found: list[str] = []
        place = 0
        for text, utterance in self.pieces:
            if place < end and start < place + len(text):
                found.append(utterance)
            place += len(text) + 1
        return tuple(dict.fromkeys(found))


def turns(transcript: Transcript) -> tuple[Turn, ...]:
    """Return the turns of *transcript* in the order in which they began; everything spoken is in one of them.

    An utterance is joined to the one before it when both are the same person's, nobody spoke between them, the pause
    is short, and both together are not too long.
    """
    return tuple(_turns(transcript))


def _turns(transcript: Transcript) -> Iterator[Turn]:
    said: list[tuple[str, str]] = []
    last: Utterance | None = None
    for one in transcript.spoken:
        for text in _PIECE.findall(one.text):
            if last is not None and not (_goes_on(last, one) and _fits(said, text)):
                yield Turn(last.speaker, tuple(said))
                said = []
            said.append((text, one.id))
            last = one
    if last is not None:
        yield Turn(last.speaker, tuple(said))


def _goes_on(last: Utterance, one: Utterance) -> bool:
    return last.speaker == one.speaker and one.start_ms - last.end_ms <= CONTINUES_WITHIN_MS


def _fits(said: list[tuple[str, str]], text: str) -> bool:
    return sum(len(each) + 1 for each, _ in said) + len(text) <= LONGEST_CHARACTERS
