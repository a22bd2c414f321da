"""Templates of notes: which kinds they show, under which headings, in which order, grouped by person or not.

A template changes what is shown, never what is kept: the JSON form always has every item. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from standup.errors import InputRefused
from standup.summary import Kind


@dataclass(frozen=True, slots=True)
class Section:
    """One list of items under a heading."""

    heading: str
    kinds: tuple[Kind, ...]
    """What it shows, kind after kind."""


@dataclass(frozen=True, slots=True)
class People:
    """A part of its own for every person, with these sections."""

    sections: tuple[Section, ...]
    nothing: str
    """What stands under a person of whom nothing is to be shown."""


@dataclass(frozen=True, slots=True)
class Template:
    """One way to show notes."""

    name: str
    """As commands and the archive know it."""
    title: str
    """As the heading of the notes."""
    parts: tuple[Section | People, ...]
    """In reading order; a section that is not within `People` names the person on each line."""
    shows_continuity: bool
    """Whether `People` begin with what became of their items of the meeting before."""

    def __post_init__(self) -> None:
        if len(self.kinds) != len(set(self.kinds)):
            raise ValueError("a template shows a kind once")

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind that is shown, in reading order."""
        sections = [
            section
            for part in self.parts
            for section in (part.sections if isinstance(part, People) else (part,))
        ]
        return tuple(kind for section in sections for kind in section.kinds)


DONE = Section("Done", (Kind.DONE,))
NEXT = Section("Next", (Kind.NEXT,))
BLOCKERS = Section("Blockers", (Kind.BLOCKER,))
DECISIONS = Section("Decisions", (Kind.DECISION,))
ACTIONS = Section("Action items", (Kind.ACTION,))

STANDUP = Template(
    "standup",
    "Standup",
    (People((DONE, NEXT, BLOCKERS), "No done, next or blocker was recognised."), DECISIONS, ACTIONS),
    shows_continuity=True,
)
RETROSPECTIVE = Template(
    "retrospective",
    "Retrospective",
    (
        Section("What was done", (Kind.DONE,)),
        Section("What got in the way", (Kind.BLOCKER,)),
        Section("What changes", (Kind.DECISION,)),
        Section("Who does it", (Kind.ACTION, Kind.NEXT)),
    ),
    shows_continuity=False,
)
PLANNING = Template(
    "planning",
    "Planning",
    (
        DECISIONS,
        People((Section("Plan", (Kind.NEXT,)),), "No plan was recognised."),
        ACTIONS,
        BLOCKERS,
    ),
    shows_continuity=True,
)
ONE_TO_ONE = Template(
    "1:1",
    "1:1",
    (
        ACTIONS,
        Section("Agreed", (Kind.DECISION,)),
        People((Section("Plans", (Kind.NEXT,)), BLOCKERS, DONE), "Nothing else was recognised."),
    ),
    shows_continuity=True,
)

TEMPLATES: Mapping[str, Template] = {one.name: one for one in (STANDUP, RETROSPECTIVE, PLANNING, ONE_TO_ONE)}
"""Every template, by its name; the first is the default."""


def template(name: str) -> Template:
    """Return the template called *name*; raise InputRefused, naming all, when there is none."""
    found = TEMPLATES.get(name)
    if found is None:
        raise InputRefused(f"There is no template of that name; choose one of {', '.join(TEMPLATES)}.")
    return found
