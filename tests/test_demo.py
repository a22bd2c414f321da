"""How the demo checks the notes."""

from __future__ import annotations

import pytest

from standup.demo import missing
from standup.meeting import Participant
from standup.simulator.scenario import Expected
from standup.summary import Item, Kind, Summary
from standup.transcript import Transcript

PEOPLE = Transcript("m", (Participant("1", "Ana"), Participant("2", "Ben")), ())
NOTES = Summary(
    (
        Item(Kind.DONE, "Finished the login page", ("u1",), "1"),
        Item(Kind.DECISION, "Ship on Monday", ("u2",), "2"),
    ),
    "rules",
)


@pytest.mark.parametrize(
    ("expected", "is_missing"),
    [
        pytest.param(Expected("Ana", "done", ("login", "page")), False, id="there"),
        pytest.param(Expected("Ben", "done", ("login", "page")), True, id="under the wrong person"),
        pytest.param(Expected("Ana", "next", ("login", "page")), True, id="as the wrong kind"),
        pytest.param(Expected("Ana", "done", ("login", "form")), True, id="a word is missing"),
        pytest.param(Expected("Eve", "done", ("login",)), True, id="nobody of that name"),
        pytest.param(Expected(None, "decision", ("monday",)), False, id="everybody's decision"),
    ],
)
def test_missing(expected: Expected, is_missing: bool) -> None:
    """An item counts only under the right person, as the right kind, with all its words."""
    assert is_missing == bool(missing([expected], NOTES, PEOPLE))
