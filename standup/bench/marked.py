"""Marked standups: what was said, with the words that say an item in braces. What the tagger learns from.

The form and the guide are in tests/data/standups/README.md. Pure but for `load`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from standup.errors import InputRefused
from standup.summarize.marks import Label

_SIGNS = {
    "done": Label.DONE,
    "next": Label.NEXT,
    "blocker": Label.BLOCKER,
    "action": Label.ACTION,
    "decision": Label.DECISION,
    "+": Label.ASSENT,
    "^": Label.TOPIC,
}
_MARK = re.compile(
    r"\{(?P<sign>done|next|blocker|action|decision|\+|\^)(?P<doubt>\?)?(?:@(?P<person>[^:{}]+))?: (?P<text>[^{}]+)\}"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The characters of a line that say one item."""

    start: int
    end: int
    label: Label
    is_others: bool = False
    """Whether it belongs to somebody else than the speaker."""
    is_arguable: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What one person said, without the marks."""

    speaker: str
    text: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class MarkedStandup:
    """One standup with its marks."""

    name: str
    people: tuple[str, ...]
    lines: tuple[Line, ...]


def load(folder: Path) -> list[MarkedStandup]:
    """Return the standups of every ``*.txt`` in *folder*; raise InputRefused, with file and line, for a bad one."""
    return [one for path in sorted(folder.glob("*.txt")) for one in parse(path.read_text("utf-8"), path.name)]


def parse(text: str, source: str = "") -> list[MarkedStandup]:
    """Return the standups in *text*; raise InputRefused for a line that is not in the form."""
    return [_standup(block, source) for block in _blocks(text.splitlines())]


def _blocks(lines: list[str]) -> Iterator[list[tuple[int, str]]]:
    """Return the numbered lines of each standup, its ``== name`` first."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("== ") and block:
            yield block
            block = []
        if line.strip():
            block.append((number, line))
    if block:
        yield block


def _standup(block: list[tuple[int, str]], source: str) -> MarkedStandup:
    (first, heading), *rest = block
    if not heading.startswith("== ") or not rest or not rest[0][1].startswith("people: "):
        raise InputRefused(f"{source}, line {first}: a standup begins with `== name` and `people: …`.")
    people = tuple(one.strip() for one in rest[0][1].removeprefix("people: ").split(","))
    lines = tuple(_line(line, people, f"{source}, line {number}") for number, line in rest[1:])
    return MarkedStandup(heading.removeprefix("== ").strip(), people, lines)


def _line(line: str, people: tuple[str, ...], place: str) -> Line:
    speaker, _, said = line.partition(": ")
    if speaker not in people:
        raise InputRefused(f"{place}: the line does not begin with somebody of `people:` and a colon.")
    text, stretches, after = "", [], 0
    for mark in _MARK.finditer(said):
        text += said[after : mark.start()]
        person = mark["person"]
        if person is not None and person not in (*people, "-"):
            raise InputRefused(f"{place}: a mark names somebody who is not of `people:`.")
        stretches.append(
            Stretch(
                len(text),
                len(text) + len(mark["text"]),
                _SIGNS[mark["sign"]],
                person not in (None, speaker),
                mark["doubt"] is not None,
            )
        )
        text += mark["text"]
        after = mark.end()
    text += said[after:]
    if re.search(r"[{}]", text):
        raise InputRefused(f"{place}: a brace belongs to no mark.")
    return Line(speaker, text, tuple(stretches))
