"""Notes laid out by a template: who has a part, which lines stand where, and what became of earlier items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest

from standup.arrangement import Age, Line, Part, arrange, ordinal
from standup.continuity import Became, Relation
from standup.meeting import Participant
from standup.summary import Item, Kind, Summary
from standup.template import STANDUP, template
from standup.transcript import Transcript, Utterance

NOW = datetime(2026, 11, 26, 9, 58, tzinfo=timezone.utc)
TUESDAY = NOW - timedelta(days=2)
TRANSCRIPT = Transcript(
    "m",
    (Participant("1", "Ana"), Participant("2", "Ben")),
    (
        Utterance("u1", "1", 5_000, 6_000).heard("I finished the login page, and the keys are there."),
        Utterance("u2", "2", 83_000, 84_000).heard("Still no audit logs."),
    ),
)
LOGIN = Item(Kind.DONE, "Finished the login page", ("u1",), "1")
LOGS = Item(Kind.BLOCKER, "No audit logs", ("u2",), "2")
DOCS = Item(Kind.NEXT, "Write docs", ("u2",), "2")
SHIP = Item(Kind.DECISION, "Ship on Thursday", ("u2",))
ORDER = Item(Kind.ACTION, "Order laptops", ("u2",), None, "by Friday")
ITEMS = (LOGIN, LOGS, DOCS, SHIP, ORDER)


def laid_out(name: str, *relations: Relation) -> Sequence[Part]:
    return arrange(Summary(ITEMS, "rules", relations), TRANSCRIPT, template(name), NOW)


def last_time(relation: Relation) -> tuple[Line, ...]:
    """The lines on what became of one earlier item of Ana's."""
    groups = laid_out("standup", relation)[0].groups
    return groups[0].lines if groups[0].heading == "Last time" else ()


def outline(parts: Sequence[Part]) -> list[str]:
    return [
        " / ".join([part.title, *(f"{group.heading}: {len(group.lines)}" for group in part.groups)])
        for part in parts
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(
            "standup",
            ["Ana / Done: 1", "Ben / Next: 1 / Blockers: 1", "Decisions / : 1", "Action items / : 1"],
            id="standup",
        ),
        pytest.param(
            "retrospective",
            ["What was done / : 1", "What got in the way / : 1", "What changes / : 1", "Who does it / : 2"],
            id="retrospective",
        ),
        pytest.param(
            "planning",
            ["Decisions / : 1", "Ana", "Ben / Plan: 1", "Action items / : 1", "Blockers / : 1"],
            id="planning",
        ),
        pytest.param(
            "1:1",
            ["Action items / : 1", "Agreed / : 1", "Ana / Done: 1", "Ben / Plans: 1 / Blockers: 1"],
            id="1:1",
        ),
    ],
)
def test_parts(name: str, expected: list[str]) -> None:
    """Each template has its parts and groups in its own order."""
    assert expected == outline(laid_out(name))


@pytest.mark.parametrize(
    ("part", "owner"),
    [
        pytest.param(0, "Ana", id="an item"),
        pytest.param(2, "", id="a decision is everybody's"),
        pytest.param(3, "no owner yet", id="an action of nobody"),
    ],
)
def test_a_list_names_whose_each_line_is(part: int, owner: str) -> None:
    """Where lines do not stand under a person, each says whose it is."""
    assert owner == laid_out("retrospective")[part].groups[0].lines[0].owner


def test_a_line_has_its_due_words_and_its_time() -> None:
    """Due words and the moment it was said belong to the line."""
    assert (
        Line("Order laptops", Kind.ACTION, "no owner yet", "by Friday", "1:23")
        == (laid_out("standup")[3].groups[0].lines[0])
    )


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        pytest.param(
            Relation(Became.FINISHED, "Login", "1", LOGIN.text, LOGIN.evidence), ("✓", "", ""), id="finished"
        ),
        pytest.param(
            Relation(Became.CARRIED, "Docs", "1", DOCS.text, DOCS.evidence),
            ("→", "still going", ""),
            id="carried",
        ),
        pytest.param(Relation(Became.DROPPED, "Port", "1"), ("✗", "not mentioned", ""), id="not mentioned"),
        pytest.param(
            Relation(Became.DROPPED, "Port", "1", None, ("u2",)), ("✗", "dropped", "1:23"), id="given up"
        ),
        pytest.param(
            Relation(Became.UNBLOCKED, "Keys", "1", None, ("u1",)),
            ("✓", "no longer blocked", "0:05"),
            id="unblocked",
        ),
        pytest.param(
            Relation(Became.STILL_BLOCKED, "Keys", "1", None, ("u1",)),
            ("→", "still blocked", "0:05"),
            id="blocked still, without an item",
        ),
    ],
)
def test_what_became_of_an_earlier_item(relation: Relation, expected: tuple[str, str, str]) -> None:
    """A sign and a remark tell it, and the time where no item of today has it."""
    (line,) = last_time(relation)
    assert (relation.yesterday, *expected) == (line.text, line.mark, line.remark, line.time)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        pytest.param(TUESDAY, Age(TUESDAY, 3), id="the third day"),
        pytest.param(NOW - timedelta(hours=5), None, id="of the same day"),
        pytest.param(None, None, id="not known since when"),
    ],
)
def test_a_blocker_that_goes_on_has_an_age(since: datetime | None, expected: Age | None) -> None:
    """It stands at the blocker of today, and not a second time under what became of earlier items."""
    going_on = Relation(Became.STILL_BLOCKED, "Audit logs", "2", LOGS.text, LOGS.evidence, since)
    ben = laid_out("standup", going_on)[1]
    assert [("Next", [None]), ("Blockers", [expected])] == [
        (group.heading, [line.age for line in group.lines]) for group in ben.groups
    ]


def test_a_meeting_of_unknown_date_has_no_ages() -> None:
    """A transcript without its meeting is laid out all the same."""
    going_on = Relation(Became.STILL_BLOCKED, "Audit logs", "2", LOGS.text, LOGS.evidence, TUESDAY)
    parts = arrange(Summary(ITEMS, "rules", (going_on,)), TRANSCRIPT, STANDUP)
    assert parts[1].groups[-1].lines[0].age is None


def test_the_earlier_items_of_somebody_who_is_not_there() -> None:
    """Whoever is away, or was forgotten, has no part, and their earlier items are shown nowhere."""
    stranger = Relation(Became.FINISHED, "Login", "3", LOGIN.text, LOGIN.evidence)
    assert outline(laid_out("standup")) == outline(laid_out("standup", stranger))


def test_a_retrospective_looks_at_more_than_one_day() -> None:
    """It does not show what became of the plans of the meeting before."""
    dropped = Relation(Became.DROPPED, "Port", "1")
    assert outline(laid_out("retrospective")) == outline(laid_out("retrospective", dropped))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (21, "21st"),
        (112, "112th"),
    ],
)
def test_ordinal(number: int, expected: str) -> None:
    """Numbers end as people say them."""
    assert expected == ordinal(number)
