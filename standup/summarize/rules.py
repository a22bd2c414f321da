"""The rules summarizer: no model, no network, the same answer every time.

Strategy: cut the transcript into clauses; read each one as decision, task or status, in that order; a clause that
says nothing by itself takes the kind of the list it continues or of the question it answers. Nothing is reworded:
an item is the speaker's clause without its lead-in, and its evidence is where that was said. English. Pure.
"""

from __future__ import annotations

import re
from dataclasses import replace

from standup.summarize.assignments import Assignment, assignments, is_vacuous
from standup.summarize.clauses import Clause, clauses
from standup.summarize.cues import (
    anchor,
    asked_about,
    continues,
    denies_blockers,
    exception,
    is_refused,
    is_small_talk,
    refers_back,
    resolves,
    tense,
    was_blocked,
)
from standup.summarize.decisions import decision
from standup.summarize.due import find_due, without_due
from standup.summarize.names import Roster
from standup.summarize.wording import phrase, strip_lead, strip_when
from standup.summary import Item, Kind, Summary
from standup.transcript import Transcript

ANSWERED_WITHIN = 3
"""How many clauses a request or a question waits for its answer."""

_YES = re.compile(
    r"^(?:(?:yes|yeah|yep|sure|ok|okay|of course|absolutely|no problem|will do|on it|i'm on it|happy to|"
    r"sounds good|got it|alright|definitely|i can|i'll|i will)\b)",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^(?:no|nope|sorry|unfortunately|i'm afraid|i can't|i cannot|i don't have time)\b(?! problem|"
    r" worries)",
    re.I,
)
_SUBJECT = re.compile(r"^(?P<name>[^\W\d_][\w-]*)(?='s\b|\s)")
_VOCATIVE = re.compile(r"^(?P<name>[^\W\d_][\w-]*),\s+(?=(?:i|we|my|yesterday|today)\b)", re.IGNORECASE)
_WORD = re.compile(r"\w+")
#: Words with which a task is taken up, beyond its own.
_TAKING = frozenset("i ll will take care of do handle the that it on this for you me look at".split())
#: Days that a next means anyway.
_NOW = frozenset({"today", "this week", "this afternoon"})
#: What follows a name in a wish or a forecast, which is no status of that person.
_WISH = re.compile(r"\s+(?:should|must|will|can|could|would|might|may)\b", re.IGNORECASE)
_ABSENT = re.compile(r"^(?:he|she|they)\b", re.IGNORECASE)


class RulesSummarizer:
    """Reads a standup by its words. Holds nothing between calls."""

    @property
    def name(self) -> str:
        """What the notes call it."""
        return "rules"

    def summarize(self, transcript: Transcript) -> Summary:
        """Return the items in the order in which they were said; an empty transcript gives none."""
        reading = _Reading(Roster(transcript.participants))
        for clause in clauses(transcript):
            reading.take(clause)
        return Summary(_merged(reading.items), self.name)


class _Reading:
    """The state of one pass over the clauses. Owned by one call of `summarize`."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self.items: list[Item] = []
        self._lists: dict[str, Kind] = {}  # the list each speaker is in the middle of
        self._question: tuple[str, Kind, int] | None = None  # asker, kind asked for, clauses left
        self._request: tuple[str, int, int] | None = None  # asker, place among the items, clauses left

    def take(self, clause: Clause) -> None:
        """Read the next clause."""
        self._grow_old()
        if self._answer(clause):
            return
        text = self._address(strip_lead(clause.text))
        if not text or self._roster.find(text) is not None:
            return
        if clause.is_question:
            self._ask(clause, text)
        elif not (self._decide(clause, text) or self._assign(clause, text)):
            self._report(clause, text)

    def _grow_old(self) -> None:
        """Let a question and a request wait one clause less."""
        if self._question is not None:
            asker, kind, left = self._question
            self._question = (asker, kind, left - 1) if left else None
        if self._request is not None:
            asker, place, left = self._request
            self._request = (asker, place, left - 1) if left else None

    def _address(self, text: str) -> str:
        """Return *text* without the name of whoever it is said to."""
        found = _VOCATIVE.match(text)
        return text[found.end() :] if found and self._roster.find(found["name"]) else text

    def _answer(self, clause: Clause) -> bool:
        """Let the clause accept or refuse the open request; return whether that was all it said."""
        if self._request is None or self._request[0] == clause.speaker:
            return False
        place = self._request[1]
        asked = self.items[place]
        if asked.person not in (None, clause.speaker):
            return False
        if _NO.match(clause.text):
            del self.items[place]
            self._request = None
            return True
        if not _YES.match(clause.text):
            return False
        self._request = None
        due = asked.due or find_due(clause.text)
        evidence = tuple(dict.fromkeys(asked.evidence + clause.evidence))
        self.items[place] = replace(asked, person=clause.speaker, due=due, evidence=evidence)
        return _is_bare_answer(clause.text, asked.text)

    def _ask(self, clause: Clause, text: str) -> None:
        """Note what a question asks for: a task of somebody, or a kind of status."""
        if not is_small_talk(text) and not self._assign(clause, text):
            kind = asked_about(text)
            self._question = (clause.speaker, kind, ANSWERED_WITHIN) if kind else None

    def _decide(self, clause: Clause, text: str) -> bool:
        what = None if is_small_talk(text) else decision(text)
        return what is not None and self._add(Kind.DECISION, what, clause, None)

    def _assign(self, clause: Clause, text: str) -> bool:
        if is_small_talk(text) or (anchor(text) is Kind.NEXT and find_due(text, deadline_only=True) is None):
            return False
        found = assignments(text, clause.speaker, self._roster)
        for one in found:
            self._add_task(one, clause)
        return bool(found)

    def _add_task(self, task: Assignment, clause: Clause) -> None:
        if self._add(Kind.ACTION, task.what, clause, task.owner, task.due) and task.is_request:
            self._request = (clause.speaker, len(self.items) - 1, ANSWERED_WITHIN)

    def _report(self, clause: Clause, text: str) -> None:
        """Read a status: done, next or blocker, of the speaker or of a participant named as the subject."""
        bare = strip_when(text)
        said = anchor(text)
        if not bare and said is not None:  # a heading of its own: "Yesterday." or "Blockers:"
            self._lists[clause.speaker] = said
            return
        person, bare = self._subject(clause.speaker, bare)
        if denies_blockers(bare):
            excepted = exception(bare)
            if excepted:
                self._add(Kind.BLOCKER, excepted, clause, person)
            self._lists[clause.speaker] = Kind.BLOCKER
        if resolves(bare) and refers_back(bare) and self._undo_blocker(clause.speaker):
            return
        kind = tense(bare)
        if kind is not Kind.BLOCKER and _ABSENT.match(bare):
            return  # whose it is stays unknown
        kind = kind or self._implied(clause, text, bare)
        if kind is None:
            return
        due = _status_due(text, bare) if kind is Kind.NEXT else None
        self._add(kind, without_due(bare, due), clause, person, due)
        self._lists[clause.speaker] = kind

    def _subject(self, speaker: str, bare: str) -> tuple[str, str]:
        """Return whose status *bare* is, and *bare* as that person would say it."""
        found = _SUBJECT.match(bare)
        named = self._roster.find(found["name"]) if found else None
        if found is None or named is None or _WISH.match(bare[found.end() :]):
            return speaker, bare
        return named, f"I{bare[found.end() :]}"

    def _undo_blocker(self, speaker: str) -> bool:
        """Drop the speaker's last item when it is a blocker; return whether it was."""
        mine = [place for place, one in enumerate(self.items) if one.person == speaker]
        if not mine or self.items[mine[-1]].kind is not Kind.BLOCKER:
            return False
        del self.items[mine[-1]]
        self._request = None
        return True

    def _implied(self, clause: Clause, text: str, bare: str) -> Kind | None:
        """Return the kind that a clause without a verb of its own takes from its time, its list or a question."""
        if (
            is_small_talk(bare)
            or is_refused(bare)
            or denies_blockers(bare)
            or resolves(bare)
            or was_blocked(bare)
        ):
            return None
        said = anchor(text)
        if said is not None:
            return said
        if self._question is not None and self._question[0] != clause.speaker:
            return self._question[1] if not _YES.match(clause.text) else None
        listed = self._lists.get(clause.speaker)
        if listed is None or clause.joint == "but" or not (clause.joint == "and" or continues(clause.text)):
            return None
        return listed

    def _add(self, kind: Kind, text: str, clause: Clause, person: str | None, due: str | None = None) -> bool:
        """Keep an item; return False when *text* has no words worth keeping."""
        words = phrase(text, kind)
        if is_vacuous(words) or not any(len(word) > 2 for word in re.findall(r"\w+", words)):
            return False
        # Somebody else's turn, or a matter of the group, ends the lists that were being told.
        is_status = kind not in (Kind.DECISION, Kind.ACTION)
        self._lists = {
            who: listed for who, listed in self._lists.items() if is_status and who == clause.speaker
        }
        self.items.append(Item(kind, words, clause.evidence, person, due))
        return True


def _status_due(text: str, bare: str) -> str | None:
    """Return when a next is due: a deadline in it, or the day it began with, which *bare* has lost."""
    lead = find_due(text[: max(0, len(text) - len(bare))])
    return find_due(bare, deadline_only=True) or (None if lead is None or lead.lower() in _NOW else lead)


def _is_bare_answer(text: str, asked: str) -> bool:
    """Return whether an acceptance adds nothing to what was *asked*: "sure, I'll do it by tomorrow"."""
    rest = _YES.sub("", strip_lead(text)).strip(" ,.!")
    rest = re.sub(r"^(?:i'll|i will|i can|will|can)\s+", "", rest, flags=re.IGNORECASE)
    rest = without_due(rest, find_due(rest))
    new = set(_WORD.findall(rest.casefold())) - set(_WORD.findall(asked.casefold())) - _TAKING
    return is_vacuous(rest) or not new


def _merged(items: list[Item]) -> tuple[Item, ...]:
    """Return *items* with what was said twice kept once, its evidence together."""
    kept: dict[tuple[Kind, str | None, str], Item] = {}
    for one in items:
        key = (one.kind, one.person, re.sub(r"\W+", " ", one.text).casefold())
        before = kept.get(key)
        evidence = tuple(dict.fromkeys(before.evidence + one.evidence)) if before else one.evidence
        kept[key] = replace(before or one, evidence=evidence)
    return tuple(kept.values())
