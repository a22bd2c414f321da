"""The table of templates."""

from __future__ import annotations

import dataclasses

import pytest

from standup.errors import InputRefused
from standup.summary import Kind
from standup.template import DONE, STANDUP, TEMPLATES, People, template


def test_the_default_is_first_and_shows_everything() -> None:
    """Without a choice nothing that was noted is left out of the notes."""
    assert STANDUP is next(iter(TEMPLATES.values()))
    assert set(Kind) == set(STANDUP.kinds)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("retrospective", [Kind.DONE, Kind.BLOCKER, Kind.DECISION, Kind.ACTION, Kind.NEXT]),
        ("planning", [Kind.DECISION, Kind.NEXT, Kind.ACTION, Kind.BLOCKER]),
        ("1:1", [Kind.ACTION, Kind.DECISION, Kind.NEXT, Kind.BLOCKER, Kind.DONE]),
    ],
)
def test_the_order_of_each(name: str, expected: list[Kind]) -> None:
    """Each template begins with what its meeting is about."""
    assert expected == list(template(name).kinds)


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_decisions_actions_and_blockers_are_never_hidden(name: str) -> None:
    """What somebody has to act upon is in the notes of every template."""
    assert {Kind.DECISION, Kind.ACTION, Kind.BLOCKER} <= set(template(name).kinds)


def test_continuity_needs_a_place() -> None:
    """What became of people's earlier items is shown in a person's part, so there is one."""
    assert all(
        any(isinstance(part, People) for part in one.parts)
        for one in TEMPLATES.values()
        if one.shows_continuity
    )


def test_an_unknown_template_is_refused_with_the_known_ones() -> None:
    """The error names what can be chosen."""
    with pytest.raises(InputRefused, match=r"standup, retrospective, planning, 1:1"):
        template("party")


def test_a_kind_is_shown_once() -> None:
    """A template that shows an item twice cannot exist."""
    with pytest.raises(ValueError, match="once"):
        dataclasses.replace(STANDUP, parts=(DONE, DONE))
