"""The exception tree is what its drawing shows, and every error carries a sentence."""

from __future__ import annotations

import builtins
import importlib
import re
from typing import NamedTuple

import pytest

from standup import errors
from standup.errors import StandupError, Transient

LINE = re.compile(
    r"(?P<indent> +)(?P<name>[A-Z]\w+)(?: \((?P<also>[A-Z][\w, ]+)\))?(?: +exit (?P<status>\d+))?"
    r"(?:.*\((?P<module>standup\.[\w.]+)\))?.*"
)


class Drawn(NamedTuple):
    """One line of the tree in the docstring of `standup.errors`."""

    kind: type[Exception]
    ancestors: list[type[Exception]]
    """What it stands below, and what its parentheses name."""
    status: int
    """Its own, or that of what it stands below."""


def drawn() -> list[Drawn]:
    """Return the tree, line by line."""
    found: list[Drawn] = []
    above: dict[int, Drawn] = {}
    tree = (errors.__doc__ or "").split("::\n\n")[1].split("\n\n")[0]
    for line in map(LINE.fullmatch, tree.splitlines()):
        assert line is not None
        depth = len(line["indent"])
        parent = next((above[one] for one in range(depth - 1, 0, -1) if one in above), None)
        above = {one: drawn for one, drawn in above.items() if one < depth}
        also = [
            vars(errors).get(one) or vars(builtins)[one] for one in re.findall(r"\w+", line["also"] or "")
        ]
        above[depth] = Drawn(
            getattr(importlib.import_module(line["module"] or "standup.errors"), line["name"]),
            also + ([parent.kind] if parent else []),
            int(line["status"] or (parent.status if parent else 1)),
        )
        found.append(above[depth])
    return found


KINDS = [
    one
    for one in vars(errors).values()
    if isinstance(one, type) and issubclass(one, StandupError) and one is not Transient
]


def test_the_drawing_has_every_error() -> None:
    """Each class of the module is drawn once; what marks others, Transient, stands in their parentheses."""
    here = [one.kind for one in drawn() if one.kind.__module__ == errors.__name__]
    assert sorted(here, key=str) == sorted(KINDS, key=str)


@pytest.mark.parametrize("one", [pytest.param(one, id=one.kind.__name__) for one in drawn()])
def test_the_drawing_shows_what_an_error_is(one: Drawn) -> None:
    """An error is of the kinds that the drawing says and of no other family, and ends a command as drawn."""
    assert all(issubclass(one.kind, ancestor) for ancestor in one.ancestors)
    assert issubclass(one.kind, Transient) == any(issubclass(kind, Transient) for kind in one.ancestors)
    assert getattr(one.kind, "exit_status", None) == one.status


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_without_words_says_its_docstring(kind: type[StandupError]) -> None:
    """Raised without a message, an error is one whole sentence."""
    told = str(kind())
    assert told == (kind.__doc__ or "").splitlines()[0]
    assert told.endswith(".")
