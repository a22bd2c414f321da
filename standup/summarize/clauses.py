"""Utterances cut into clauses, each with the utterances it was said in.

Strategy: one speaker's utterances that follow each other closely are joined where the recognizer left a sentence
open; sentences end at their punctuation; a sentence is cut where a new statement begins, which in text without
punctuation is a word such as "today I". Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from standup.summarize.wording import clean
from standup.transcript import Transcript, Utterance

CONTINUES_WITHIN_MS = 3000
"""A longer pause ends a sentence, whatever its punctuation."""
LONGEST_SENTENCE_CHARACTERS = 600
"""Text that never ends is not joined beyond this."""

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+")
_QUESTION_START = re.compile(
    r"^(?:(?:and|so|ok|okay|but|alright)\b,?\s*)*(?:any (?:blockers?|impediments?|questions?)|what|what's|"
    r"how|how's|who|who's|when|where|why|which|is there|are there|do you|did you|are you|have you|"
    r"anything|shall we|should we)\b",
    re.IGNORECASE,
)
_AUX = r"(?:'ll|'m|'ve|'d|\s+(?:will|am|have|was|also|just|still|need|plan|can't|cannot|could|can|want|finished|fixed))"
_OPENERS = (
    r"(?:(?:i|we)(?:'ll|'m|'ve|'d|'re|\s)|my\b|today\b|yesterday\b|tomorrow (?:i|we)\b|next\b|"
    r"no (?:blockers?|impediments?)|nothing\b|will\b|going to\b|gonna\b|plan(?:ning)? to\b|currently\b|"
    r"blocked\b|waiting (?:for|on)\b|stuck\b|can't\b|cannot\b|let's\b|please\b|(?:can|could|would) (?:you|"
    r"someone)\b|somebody\b|someone\b)"
)
_BOUNDARY = re.compile(
    r"\s*[;]\s*|\s+[-–—]+\s+"
    rf"|,?\s+(?P<joint>and then|and so|and also|but also|and|but|so|then)\s+(?={_OPENERS})"
    r"|,?\s+(?P<turn>but)\s+"
    rf"|,\s+(?={_OPENERS})|\s+(?=(?:yesterday|today|tomorrow)\s+(?:i|we){_AUX}|no (?:blockers|"
    rf"impediments)\b|nothing (?:is )?blocking|"
    r"i(?:'m| am) (?:blocked|stuck|waiting)|my (?:only |main )?blocker|action item|we (?:decided|agreed))",
    re.IGNORECASE,
)
_OPENING = re.compile(
    rf"{_OPENERS}|(?:can|could|would|should|hi|hello|hey|ok|okay|yes|yeah|no|so|anyway|hopefully|thanks?)\b",
    re.IGNORECASE,
)
_WANTING = re.compile(
    r"(?:[,-]|\.\.\.|\b(?:a|an|the|my|our|of|to|on|in|at|for|from|with|by|and|or|that|which|because|is|"
    r"are|was|am))$",
    re.IGNORECASE,
)
# Words after which an opener goes on with the same statement: "the bug that I", "I said that we decided".
_HANGING = re.compile(
    r"\b(?:that|which|who|if|when|because|since|until|whether|and|or|the|so|there are|i have|have|with|"
    r"because of)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement, cleaned of fillers."""

    speaker: str
    text: str
    """Without its final mark; never empty."""
    evidence: tuple[str, ...]
    """Ids of the utterances it was said in."""
    is_question: bool = False
    joint: str = ""
    """The word that joins it to the clause before it in its sentence: ``and``, ``but``, … or nothing."""
    is_first: bool = True
    """Whether it begins a sentence."""


@dataclass(slots=True)
class _Sentence:
    speaker: str
    end_ms: int
    pieces: list[tuple[str, str]] = field(default_factory=list)
    """Text and utterance id."""

    @property
    def text(self) -> str:
        return " ".join(text for text, _ in self.pieces)

    def evidence(self, start: int, end: int) -> tuple[str, ...]:
        """Return the utterances that the characters from *start* to *end* come from."""
        found: list[str] = []
        place = 0
        for text, utterance in self.pieces:
            if place < end and start < place + len(text):
                found.append(utterance)
            place += len(text) + 1
        return tuple(dict.fromkeys(found))


def clauses(transcript: Transcript) -> tuple[Clause, ...]:
    """Return every clause, in the order in which their sentences began."""
    return tuple(clause for sentence in _sentences(transcript) for clause in _split(sentence))


def _sentences(transcript: Transcript) -> list[_Sentence]:
    found: list[_Sentence] = []
    latest: dict[str, _Sentence] = {}
    for one in transcript.spoken:
        for text in filter(None, _SENTENCE_END.split(clean(one.text))):
            open_one = latest.get(one.speaker)
            if open_one is not None and _goes_on(open_one, one, text):
                open_one.pieces.append((text, one.id))
                open_one.end_ms = one.end_ms
                continue
            latest[one.speaker] = _Sentence(one.speaker, one.end_ms, [(text, one.id)])
            found.append(latest[one.speaker])
    return found


def _goes_on(sentence: _Sentence, one: Utterance, text: str) -> bool:
    """Return whether *text*, from utterance *one*, belongs to the sentence said just before it."""
    before = sentence.text
    if sentence.pieces[-1][1] == one.id or one.start_ms - sentence.end_ms > CONTINUES_WITHIN_MS:
        return False
    is_open = before[-1] not in ".!?" or before.endswith("...")
    # A new statement begins with a capital or an opener, unless the words before it still want one.
    is_new = text[0].isupper() or _OPENING.match(text) is not None
    return (
        is_open
        and (not is_new or _WANTING.search(before) is not None)
        and len(before) + len(text) <= LONGEST_SENTENCE_CHARACTERS
    )


def _split(sentence: _Sentence) -> Iterator[Clause]:
    text = sentence.text
    asks = text.endswith("?") or bool(_QUESTION_START.match(text) and not text.endswith((".", "!")))
    spans = list(_spans(text))
    for number, (start, end, joint) in enumerate(spans):
        words = text[start:end].strip(" ,.;:!?")
        if words:
            is_last = number == len(spans) - 1
            evidence = sentence.evidence(start, end)
            yield Clause(sentence.speaker, words, evidence, asks and is_last, joint, number == 0)


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Return start, end and joining word of each clause of *text*; no clause but the last is a single word."""
    start, joint = 0, ""
    for mark in _BOUNDARY.finditer(text):
        before = text[start : mark.start()]
        if len(before.split()) < 2 or len(text[mark.end() :].split()) < 2 or _HANGING.search(before):
            continue
        yield start, mark.start(), joint
        start, joint = mark.end(), (mark["joint"] or mark["turn"] or "").lower()
    yield start, len(text), joint
