"""From marks to items: whose each one is, when it is due, and which utterances show it. Pure.

The marks say which words are an item and of which kind, and whether it is the speaker's own. The rest follows from
who spoke: a request is that of whoever takes it, or of whoever it names; a report on somebody belongs to the person
it names, or whom "she" stands for; what belongs to nobody who was there is left out. Nothing is reworded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from standup.summarize.context import before, is_poor
from standup.summarize.due import find_due, without_due
from standup.summarize.marks import Label, Mark, whole
from standup.summarize.names import Roster
from standup.summarize.obstacle import joined
from standup.summarize.promise import with_promises
from standup.summarize.turns import Turn
from standup.summarize.wording import capitalised, clean, phrase, strip_end, strip_when
from standup.summary import Item, Kind

ANSWERED_WITHIN = 6
"""How many turns a request, a proposal or a question waits for its answer."""
PROMISED_WITHIN = 3
"""How many turns after a request a promise that does not say what means it."""
POINTS_BACK = 2
"""How many turns before may name whom "he", "she" or "they" stand for."""

_KINDS = {
    Label.DONE: Kind.DONE,
    Label.NEXT: Kind.NEXT,
    Label.BLOCKER: Kind.BLOCKER,
    Label.ACTION: Kind.ACTION,
    Label.DECISION: Kind.DECISION,
}
_WORD = re.compile(r"[^\W\d_][\w'-]*")
_SUBJECT = re.compile(r"^(?P<name>[^\W\d_][\w-]*)(?='s\b|\s+(?!and\b|or\b)\w)")
#: "Ana told me she'd look at it", "Ben says he is stuck": what they said of themselves.
_REPORT = re.compile(
    r"\s+(?:also\s+)?(?:told (?:me|us)|said|says|asked me to (?:say|tell you)|wrote(?: me| us)?|mentioned)(?:\s+that)?"
    r"\s+(?:he|she|they)(?=['\s])",
    re.IGNORECASE,
)
#: "Dan can you send me the list": the name is whom it is said to.
_ASKED = re.compile(r"\s+(?=(?:can|could|would|will) you\b)", re.IGNORECASE)
_TOLD = re.compile(r"\s+(?:also\s+)?told (?:me|us)(?:\s+that)?\s+", re.IGNORECASE)
#: "Do you want a table from me?" is the speaker's own.
_OFFER = re.compile(r"\b(?:(?:shall|should) i|want me to|from me)\b", re.IGNORECASE)
#: "You've got the raw counts, haven't you?" asks for nothing to be done.
_TAG = re.compile(r"\b(?:have|has|had|did|was|were)n't (?:you|it|they|he|she|we)\W*$", re.IGNORECASE)
_AND_I = re.compile(r"(?<=[.!?])\s+(?=(?:and|also|plus|then),?\s+i\b)", re.IGNORECASE)
#: Days that a next means anyway.
_NOW = frozenset({"today", "this week", "this afternoon"})


@dataclass(slots=True)
class _Draft:
    """An item that may still be answered."""

    item: Item
    turn: int
    speaker: str
    is_asked: bool = False
    """Whether somebody else is to do it, so that another may take it over."""
    is_open: bool = False
    """Whether it becomes the task of whoever agrees to it."""
    answered_in: int | None = None
    """The turn in which somebody agreed to it."""

    def answer(self, turn: int, evidence: tuple[str, ...]) -> None:
        """Note where somebody agreed to it."""
        self.item = replace(self.item, evidence=_together(self.item.evidence, evidence))
        self.answered_in = turn

    def take(self, person: str, due: str | None) -> None:
        """Make it the task of *person*."""
        self.item, self.is_open = replace(self.item, person=person, due=due), False


@dataclass(frozen=True, slots=True)
class _Topic:
    last_turn: int
    """In later turns it is no longer what is spoken of."""
    text: str
    evidence: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    """The state of one pass over the marks. Owned by one call of `items`."""

    turns: Sequence[Turn]
    roster: Roster
    drafts: list[_Draft] = field(default_factory=list)
    topic: _Topic | None = None

    def take(self, mark: Mark) -> None:
        """Read the next mark."""
        turn = self.turns[mark.turn]
        text, evidence = turn.text[mark.start : mark.end], turn.evidence(mark.start, mark.end)
        if mark.label is Label.TOPIC:
            self.topic = _Topic(mark.turn + ANSWERED_WITHIN, strip_end(clean(text)), evidence)
        elif mark.label is Label.ASSENT:
            self._assent(mark.turn, evidence)
        else:
            self._draft(mark, text, evidence)

    def _assent(self, place: int, evidence: tuple[str, ...]) -> None:
        """Let a yes confirm the latest request or proposal, and make the request that of whoever says it."""
        asked, turn = self._asked(place, ANSWERED_WITHIN), self.turns[place]
        if self.topic is not None:  # what was asked is answered: what others say next is about something else
            self.topic = replace(self.topic, last_turn=min(place, self.topic.last_turn))
        if asked is None:
            return
        asked.answer(place, evidence)
        if (asked.is_open and turn.speaker != asked.speaker) or (
            asked.is_asked and turn.speaker == asked.item.person
        ):
            asked.take(turn.speaker, asked.item.due or find_due(turn.text))

    def _promise(self, mark: Mark, evidence: tuple[str, ...], due: str | None) -> bool:
        """Let a promise that does not say what take the request before it: "Would you?", "I'll do it on Monday"."""
        asked, speaker = self._asked(mark.turn, PROMISED_WITHIN), self.turns[mark.turn].speaker
        if asked is None or not asked.is_asked or asked.speaker == speaker:
            return False
        if asked.answered_in not in (None, mark.turn):
            return False
        between = {turn.speaker for turn in self.turns[asked.turn + 1 : mark.turn]}
        if mark.label is Label.NEXT and not asked.is_open and asked.item.person not in between:
            return False  # whoever was asked has yet to answer
        asked.answer(mark.turn, evidence)
        asked.take(speaker, due or asked.item.due)
        return True

    def _asked(self, place: int, within: int) -> _Draft | None:
        """Return the latest request or proposal, if it is at most *within* turns before turn *place*."""
        asked = (one for one in reversed(self.drafts) if one.item.kind in (Kind.ACTION, Kind.DECISION))
        latest = next(asked, None)
        return latest if latest is not None and place - latest.turn <= within else None

    def _draft(self, mark: Mark, text: str, evidence: tuple[str, ...]) -> None:
        kind, turn = _KINDS[mark.label], self.turns[mark.turn]
        if kind is Kind.ACTION and _TAG.search(text):
            return
        if kind is Kind.ACTION and _OFFER.search(text):
            mark = replace(mark, is_others=False)
        person = self._person(mark, kind, text)
        if person is None and kind not in (Kind.ACTION, Kind.DECISION):
            return
        due = _due(kind, text)
        words = phrase(self._as_theirs(strip_when(without_due(clean(text), due)), person), kind)
        is_own = kind in (Kind.ACTION, Kind.NEXT) and not mark.is_others
        if is_own and is_poor(words, self.roster.names) and self._promise(mark, evidence, find_due(text)):
            return
        if not any(len(word) > 2 for word in _WORD.findall(words)) and not any(map(str.isdigit, words)):
            return
        words, evidence = self._with_topic(mark, words, evidence)
        is_asked = kind is Kind.ACTION and mark.is_others
        # Who is named has the task; another's "thanks" does not take it.
        is_open = is_asked and not self._named(text, turn.speaker)
        item = Item(kind, words, evidence, person, due)
        self.drafts.append(_Draft(item, mark.turn, turn.speaker, is_asked, is_open))

    def _as_theirs(self, text: str, person: str | None) -> str:
        """Return *text* as *person* would say it, where it begins with their name: "Ben is stuck" is "I is stuck".

        So is "Ben says he is stuck", "Ben said he'd look" is "I'll look", and "Ben told me it runs" is "it runs".
        """
        found = _SUBJECT.match(text)
        if found is None or person is None or self.roster.find(found["name"]) != person:
            return text
        if asked := _ASKED.match(text, found.end()):
            return text[asked.end() :]
        if report := _REPORT.match(text, found.end()):
            return "I" + re.sub("^'d ", "'ll ", text[report.end() :])
        told = _TOLD.match(text, found.end())
        return text[told.end() :] if told else f"I{text[found.end() :]}"

    def _with_topic(self, mark: Mark, words: str, evidence: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """Return an item's words and evidence with what it is about, where its own words do not say that."""
        topic, self.topic = self.topic, None
        if topic is not None and mark.turn <= topic.last_turn:
            return f"{capitalised(topic.text)}: {words}", _together(topic.evidence, evidence)
        if not is_poor(words, self.roster.names):
            return words, evidence
        about, there = before(self.turns, mark.turn, mark.start, self.roster.names)
        return (f"{capitalised(about)}: {words}", _together(there, evidence)) if about else (words, evidence)

    def _person(self, mark: Mark, kind: Kind, text: str) -> str | None:
        """Return whose item it is; None for the group, for nobody yet, or for nobody who is there."""
        turn = self.turns[mark.turn]
        if kind is Kind.DECISION:
            return None
        if not mark.is_others:
            return turn.speaker
        named = self._named(text, turn.speaker)
        if named:
            return named[0]
        around = (
            self._named(turn.text[: mark.start], turn.speaker) or self._named(turn.text, turn.speaker)[:1]
        )
        if around:
            return around[-1]
        earlier = self.turns[max(0, mark.turn - POINTS_BACK) : mark.turn]
        if kind is Kind.ACTION:
            return None
        mentioned = [one for each in earlier for one in self._named(each.text, turn.speaker)]
        return mentioned[-1] if mentioned else None

    def _named(self, text: str, but: str) -> list[str]:
        found = (self.roster.mentioned(word) for word in _WORD.findall(text))
        return [one for one in found if one is not None and one != but]


def items(marks: Iterable[Mark], turns: Sequence[Turn], roster: Roster) -> tuple[Item, ...]:
    """Return the items that *marks*, in the order in which they were said, make of *turns*; each once."""
    reading = _Reading(turns, roster)
    for mark in _whole(with_promises(tuple(joined(marks, turns)), turns), turns):
        reading.take(mark)
    return _merged(one.item for one in reading.drafts)


def _whole(marks: Sequence[Mark], turns: Sequence[Turn]) -> Iterator[Mark]:
    """Return *marks* grown to whole words and clauses, none into another."""
    for place, mark in enumerate(marks):
        text = turns[mark.turn].text
        last, following = marks[max(0, place - 1) : place], marks[place + 1 : place + 2]
        begin = max((one.end for one in last if one.turn == mark.turn), default=0)
        end = min((one.start for one in following if one.turn == mark.turn), default=len(text))
        yield from _apart(whole(mark, text, begin, end), text)


def _apart(mark: Mark, text: str) -> Iterator[Mark]:
    """Return *mark* cut where a sentence goes on to something else: "The docs are out. And I answered the tickets"."""
    start = mark.start
    for found in _AND_I.finditer(text, mark.start, mark.end):
        yield replace(mark, start=start, end=found.start())
        start = found.end()
    yield replace(mark, start=start)


def _due(kind: Kind, text: str) -> str | None:
    """Return when an item is due; a day that a next means anyway is no date."""
    if kind not in (Kind.NEXT, Kind.ACTION):
        return None
    due = find_due(text, deadline_only=kind is Kind.NEXT) or find_due(text)
    return None if kind is Kind.NEXT and due is not None and due.lower() in _NOW else due


def _together(*evidence: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for each in evidence for one in each))


def _merged(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return *items* with what was said twice kept once, its evidence together."""
    kept: dict[tuple[Kind, str | None, str], Item] = {}
    for one in items:
        key = (one.kind, one.person, re.sub(r"\W+", " ", one.text).casefold())
        same = kept.get(key)
        kept[key] = replace(one, evidence=_together(same.evidence, one.evidence)) if same else one
    return tuple(kept.values())
