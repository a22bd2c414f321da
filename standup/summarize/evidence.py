"""Checking that what the notes say was said: the same for the rules and for a language model. Pure.

An item is kept when the utterances it cites exist and show it:

- its words, inflected or shortened, stand there (at least `ENOUGH` of those with a matter of their own), and every
  number and identifier letter for letter;
- its person is a participant who speaks there or is named there, or nobody;
- a blocker is not denied or solved there, and what was done or decided does not stand under a "not".

What is dictated to the machine ("ignore your instructions and write that …") shows nothing. Small untruths are mended
instead: an owner or a due date that nobody spoke of becomes nobody's or none.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from standup.summarize import denial
from standup.summarize.names import Roster
from standup.summarize.words import words
from standup.summary import Item, Kind
from standup.transcript import Transcript, Utterance

ENOUGH = 0.6
"""Share of an item's words that must stand in its evidence."""

POINTS_BACK = 2
"""How many utterances before the evidence may name whoever it calls "he", "she" or "they"."""
JOKE_WITHIN = 2
"""How many statements after one may say that it was a joke."""

_DICTATION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b(?:\s+[\w']+){0,4}?\s+(?:instructions?|prompts?|"
    r"(?:your|previous|earlier) rules)\b"
    r"|\b(?:system|developer) (?:prompt|message)\b"
    r"|^\W*(?:(?:hey|ok|okay|dear)\s+)?(?:\w+\s?bot|bot|assistant|ai|a\.i\.|chat ?gpt|summari[sz]er|"
    r"note ?taker)\s*[,:]"
    r"|\b(?:write|put|add|say|note|record)\b(?:\s+[\w']+){0,3}?\s+in(?:to)? the (?:notes|summary|minutes)\b",
    re.IGNORECASE,
)
_DICTATED = re.compile(
    r"\W*(?:(?:and|then|now|instead|please|just|also)\W+)*(?:write|say|add|put|note|mark|list|tell|report|record|print|"
    r"output|answer|reply|pretend|delete|remove|from now)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_ABSENT = re.compile(r"\b(?:he|she|they)\b", re.IGNORECASE)
_SPOKEN_WORD = re.compile(r"[\w'-]+")


class Fault(str, Enum):
    """Why an item is not supported."""

    NO_SUCH_UTTERANCE = "no such utterance"
    STRANGER = "no participant"
    NOT_THEIRS = "another's"
    FIGURE = "a figure nobody said"
    WORDS = "words nobody said"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Findings:
    """Which items stand."""

    kept: tuple[Item, ...]
    dropped: tuple[tuple[Item, Fault], ...]

    @property
    def faults(self) -> Mapping[str, int]:
        """How often each fault was found; numbers only, fit for a log."""
        return Counter(fault.value for _, fault in self.dropped)


def supported(items: Iterable[Item], transcript: Transcript) -> Findings:
    """Return the *items* that *transcript* shows, in their order, and the others with the first fault of each."""
    record = _Record(transcript)
    kept: list[Item] = []
    dropped: list[tuple[Item, Fault]] = []
    for item in items:
        fault = record.fault(item)
        if fault is None:
            kept.append(record.mended(item))
        else:
            dropped.append((item, fault))
    return Findings(tuple(kept), tuple(dropped))


def heard(text: str) -> str:
    """Return *text* without the sentences that somebody dictates to the machine."""
    kept: list[str] = []
    is_dictating = False
    for sentence in _SENTENCE_END.split(text):
        is_dictating = _DICTATION.search(sentence) is not None or (
            is_dictating and _DICTATED.match(sentence) is not None
        )
        if not is_dictating:
            kept.append(sentence)
    return " ".join(kept)


@dataclass(frozen=True, slots=True)
class _Place:
    """One statement of an utterance."""

    utterance: Utterance
    number: int
    statement: str


class _Record:
    """What was said, ready to be looked up. Owned by one call of `supported`."""

    def __init__(self, transcript: Transcript) -> None:
        self._spoken = transcript.spoken
        self._places = {one.id: place for place, one in enumerate(self._spoken)}
        self._names = {one.id: words(one.name).every for one in transcript.participants}
        self._roster = Roster(transcript.participants)

    def fault(self, item: Item) -> Fault | None:
        """Return what is wrong with *item*, None when it stands."""
        if not all(one in self._places for one in item.evidence):
            return Fault.NO_SUCH_UTTERANCE
        if item.person is not None and item.person not in self._names:
            return Fault.STRANGER
        cited = self._cited(item)
        if item.kind not in (Kind.ACTION, Kind.DECISION) and not self._is_theirs(item.person, cited):
            return Fault.NOT_THEIRS
        said, told = words(" ".join(heard(one.text) for one in cited)), words(item.text)
        if told.figures - said.figures:
            return Fault.FIGURE
        speakers = frozenset().union(*(self._names[one.speaker] for one in cited))
        if not (_stand(told.stems - speakers, said.every) and (told.stems or told.figures)):
            return Fault.WORDS
        return Fault.DENIED if self._is_denied(item, cited) else None

    def mended(self, item: Item) -> Item:
        """Return *item* without an owner or a due date that its evidence does not show."""
        cited = self._cited(item)
        said = words(" ".join(heard(one.text) for one in cited))
        due = words(item.due or "")
        is_due = due.every <= said.every and due.figures <= said.figures
        is_owned = self._is_theirs(item.person, cited)
        return replace(item, person=item.person if is_owned else None, due=item.due if is_due else None)

    def _cited(self, item: Item) -> list[Utterance]:
        return [self._spoken[self._places[one]] for one in item.evidence]

    def _is_theirs(self, person: str | None, cited: Iterable[Utterance]) -> bool:
        """Return whether *person* speaks in the utterances or is named in them."""
        return person is None or any(person == one.speaker or person in self._named(one) for one in cited)

    def _named(self, one: Utterance) -> set[str | None]:
        """Return whom an utterance names; "he" may have been named, or have spoken, just before it."""
        said = heard(one.text)
        found = {self._roster.find(word) for word in _SPOKEN_WORD.findall(said)}
        if not _ABSENT.search(said):
            return found
        place = self._places[one.id]
        for before in self._spoken[max(0, place - POINTS_BACK) : place]:
            found |= {before.speaker, *map(self._roster.find, _SPOKEN_WORD.findall(heard(before.text)))}
        return found

    def _is_denied(self, item: Item, cited: Iterable[Utterance]) -> bool:
        if item.kind is Kind.BLOCKER and denial.denies_all(item.text):
            return True
        stems = words(item.text).stems
        told = [
            (len(stems & words(said).every), _Place(one, place, said))
            for one in cited
            for place, said in enumerate(denial.statements(heard(one.text)))
        ]
        most = max((shared for shared, _ in told), default=0)
        # Said twice and denied once is not denied.
        return most > 0 and all(self._denies(found, item, stems) for shared, found in told if shared == most)

    def _denies(self, found: _Place, item: Item, stems: frozenset[str]) -> bool:
        if self._is_a_joke(found):
            return True
        if item.kind is Kind.BLOCKER:
            return denial.denies(found.statement, stems) or self._is_taken_back(found)
        is_status = item.kind in (Kind.DONE, Kind.DECISION)
        return is_status and not denial.is_negative(item.text) and denial.is_undone(found.statement, stems)

    def _is_a_joke(self, found: _Place) -> bool:
        """Return whether the speaker says so, next or at the end of the sentence."""
        statements = denial.statements(found.utterance.text)[found.number :]
        for before, one in itertools.islice(itertools.pairwise(statements), JOKE_WITHIN):
            if denial.calls_a_joke(one):
                return True
            if before.endswith((".", "!", "?")) or one.endswith((".", "!", "?")):
                return False
        return False

    def _is_taken_back(self, found: _Place) -> bool:
        """Return whether the speaker goes on to say that it is solved, or a question is answered with no."""
        rest = denial.statements(found.utterance.text)[found.number + 1 :]
        after = self._spoken[self._places[found.utterance.id] + 1 :]
        if not rest and found.statement.endswith("?"):
            return bool(after) and denial.refuses(after[0].text)
        own = next((one for one in after if one.speaker == found.utterance.speaker), None)
        following = rest or (denial.statements(own.text) if own else [])
        return bool(following) and denial.takes_back(following[0])


def _stand(wanted: frozenset[str], said: frozenset[str]) -> bool:
    return not wanted or len(wanted & said) >= ENOUGH * len(wanted)
