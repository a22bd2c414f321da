"""Notes laid out by a template: parts with groups of lines, before anybody makes Markdown or a message of them. Pure.

Texts are as they were said; whoever shows a line makes it harmless first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from standup.continuity import Became, Relation, day_number
from standup.summary import Item, Kind, Summary, moments, people
from standup.template import People, Section, Template
from standup.transcript import Transcript, clock

LAST_TIME = "Last time"
"""Heads what became of the items of the meeting before."""
EVERYBODY = "Everybody"
NO_OWNER = "no owner yet"


@dataclass(frozen=True, slots=True)
class Age:
    """How long a blocker has been there."""

    since: datetime
    """Aware: when the first meeting began that had it."""
    day: int
    """On which day it is; 2 at least, on the day after it came."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the notes."""

    text: str
    kind: Kind | None
    """None for what became of an earlier item."""
    owner: str = ""
    """Whose it is, where the line has to say so."""
    due: str = ""
    time: str = ""
    """The meeting time it was said at, as ``1:23``; empty where that is not known."""
    mark: str = ""
    """Our sign before the text."""
    remark: str = ""
    """Our words behind it."""
    age: Age | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under a heading, which may be empty."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the notes: a person's, or a list that concerns everybody."""

    title: str
    groups: tuple[Group, ...]
    is_name: bool
    """The title is somebody's display name."""
    nothing: str = ""
    """What stands there when there are no lines."""


def arrange(
    summary: Summary, transcript: Transcript, template: Template, began_at: datetime | None = None
) -> tuple[Part, ...]:
    """Return the parts of the notes in reading order.

    Everybody who spoke has a part where the template groups by person; a list without lines has none. *began_at*,
    aware, is when the meeting began; without it no blocker has an age.
    """
    return _Arranger(summary, transcript, template, began_at).parts()


def ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``3rd``, ``4th`` …"""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 % 10 != 1 else "th"
    return f"{number}{ending}"


#: What became of an earlier item -> the sign before it, and what to add where nothing of today says so.
SIGNS: Mapping[Became, tuple[str, str]] = {
    Became.FINISHED: ("✓", ""),
    Became.CARRIED: ("→", "still going"),
    Became.UNBLOCKED: ("✓", "no longer blocked"),
    Became.STILL_BLOCKED: ("→", "still blocked"),
    Became.DROPPED: ("✗", "not mentioned"),
}
GIVEN_UP = "dropped"


@dataclass(frozen=True, slots=True)
class _Arranger:
    summary: Summary
    transcript: Transcript
    template: Template
    began_at: datetime | None
    times: Mapping[Item, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", moments(self.summary, self.transcript))

    def parts(self) -> tuple[Part, ...]:
        """Return all parts."""
        found: list[Part] = []
        for part in self.template.parts:
            if isinstance(part, People):
                found.extend(self._persons(part))
            else:
                lines = self._lines(part, self.summary.items, is_named=True)
                found += [Part(part.heading, (Group("", lines),), is_name=False)] if lines else []
        return tuple(found)

    def _persons(self, part: People) -> Sequence[Part]:
        persons = [
            Part(self.transcript.name_of(one), self._groups(part, one), True, part.nothing)
            for one in people(self.summary, self.transcript)
        ]
        shared = self._groups(part, None)
        return [*persons, Part(EVERYBODY, shared, is_name=False)] if shared else persons

    def _groups(self, part: People, person: str | None) -> tuple[Group, ...]:
        own = [one for one in self.summary.items if one.person == person]
        groups = [Group(one.heading, self._lines(one, own, is_named=False)) for one in part.sections]
        before = self._last_time(person) if self.template.shows_continuity else ()
        return tuple(one for one in (Group(LAST_TIME, before), *groups) if one.lines)

    def _lines(self, section: Section, items: Sequence[Item], *, is_named: bool) -> tuple[Line, ...]:
        return tuple(
            Line(
                one.text,
                kind,
                self._owner(one) if is_named else "",
                one.due or "",
                self.times.get(one, ""),
                age=self._age(one),
            )
            for kind in section.kinds
            for one in items
            if one.kind is kind
        )

    def _owner(self, item: Item) -> str:
        if item.kind is Kind.DECISION:  # the group's, whoever said it
            return ""
        if item.person is not None:
            return self.transcript.name_of(item.person)
        return NO_OWNER if item.kind is Kind.ACTION else ""

    def _age(self, item: Item) -> Age | None:
        for one in self.summary.continuity:
            if one.became is Became.STILL_BLOCKED and (one.today, one.evidence) == (item.text, item.evidence):
                return self._aged(one)
        return None

    def _aged(self, relation: Relation) -> Age | None:
        if relation.since is None or self.began_at is None:
            return None
        day = day_number(relation.since, self.began_at)
        return Age(relation.since, day) if day > 1 else None

    def _last_time(self, person: str | None) -> tuple[Line, ...]:
        """Return what became of one person's items of the meeting before; a blocker with an item stands there."""
        return tuple(
            self._earlier(one)
            for one in self.summary.continuity
            if one.person == person and not (one.became is Became.STILL_BLOCKED and one.today)
        )

    def _earlier(self, relation: Relation) -> Line:
        mark, remark = SIGNS[relation.became]
        if relation.became is Became.DROPPED and relation.evidence:
            remark = GIVEN_UP
        is_open = relation.became is Became.STILL_BLOCKED
        return Line(
            relation.yesterday,
            None,
            time=self._time(relation.evidence) if relation.today is None else "",
            mark=mark,
            remark=remark,
            age=self._aged(relation) if is_open else None,
        )

    def _time(self, evidence: Sequence[str]) -> str:
        said = [one.start_ms for one in self.transcript.utterances if one.id in evidence]
        return clock(min(said)) if said else ""
