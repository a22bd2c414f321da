"""What became of yesterday's items: tables of two days, and what is guaranteed whatever they are."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standup.continuity import Became, Relation
from standup.meeting import Participant
from standup.summarize.continuity import connect
from standup.summary import Item, Kind, Summary
from standup.transcript import Transcript, Utterance

MONDAY = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
SUNDAY = MONDAY - timedelta(days=1)
#: Person, kind, text; spoken as it stands.
Row = tuple[str | None, Kind, str]


def day(*rows: Row, also: str = "Good morning.") -> tuple[Summary, Transcript]:
    """The notes and the transcript of a day on which each item was said, and *also* something by everybody."""
    items = tuple(
        Item(kind, text, (f"u{place}",), person) for place, (person, kind, text) in enumerate(rows, 1)
    )
    said = [
        Utterance(f"u{place}", who or "1", place, place).heard(text)
        for place, (who, _, text) in enumerate(rows, 1)
    ]
    said += [Utterance(f"v{who}", who, 900, 900).heard(also) for who in ("1", "2")]
    people = (Participant("1", "Ana"), Participant("2", "Ben"), Participant("3", "Cy"))
    return Summary(items, "rules"), Transcript("m", people, tuple(said))


def became(before: Row, *today: Row, also: str = "Good morning.") -> list[tuple[str, str | None]]:
    """What became of one item of yesterday, and the text of today's."""
    found = connect(day(before)[0], *day(*today, also=also))
    return [(one.became.value, one.today) for one in found]


LOGIN: Row = ("1", Kind.NEXT, "Finish the login page")
KEYS: Row = ("1", Kind.BLOCKER, "Waiting for the staging keys")


@pytest.mark.parametrize(
    ("before", "today", "expected"),
    [
        pytest.param(LOGIN, [("1", Kind.DONE, "Login page is done")], "finished", id="done as planned"),
        pytest.param(LOGIN, [("1", Kind.NEXT, "Still on the login page")], "carried", id="goes on"),
        pytest.param(LOGIN, [("2", Kind.DONE, "Took over the login page")], "finished", id="done by another"),
        pytest.param(
            ("1", Kind.ACTION, "Send Ben the audit logs"),
            [("1", Kind.DONE, "Audit logs sent")],
            "finished",
            id="a promise is kept",
        ),
        pytest.param(
            KEYS, [("1", Kind.BLOCKER, "Still no staging keys")], "still_blocked", id="blocked still"
        ),
        pytest.param(KEYS, [("1", Kind.DONE, "Got the staging keys")], "unblocked", id="done away with"),
    ],
)
def test_an_item_of_today_takes_up_one_of_yesterday(before: Row, today: list[Row], expected: str) -> None:
    """Kinds and words of both say what became of it."""
    assert [(expected, today[0][2])] == became(before, *today)


@pytest.mark.parametrize(
    ("before", "also", "expected"),
    [
        pytest.param(KEYS, "The staging keys came.", ["unblocked"], id="told solved"),
        pytest.param(KEYS, "The staging keys aren't there.", ["still_blocked"], id="told open"),
        pytest.param(KEYS, "Good morning.", [], id="nothing is known of a blocker nobody speaks of"),
        pytest.param(LOGIN, "We dropped the login page.", ["dropped"], id="told dropped"),
        pytest.param(LOGIN, "Good morning.", ["dropped"], id="not mentioned"),
        pytest.param(LOGIN, "The login page is a beast.", [], id="mentioned, and nothing more is known"),
        pytest.param(("3", Kind.NEXT, "The docs"), "Good morning.", [], id="its owner is away"),
        pytest.param(("1", Kind.NEXT, "It"), "Good morning.", [], id="words without a matter"),
        pytest.param(("1", Kind.ACTION, "Call Ben"), "Good morning.", [], id="a task of which nobody speaks"),
        pytest.param(("1", Kind.DONE, "The docs"), "Good morning.", [], id="what was done is done"),
    ],
)
def test_what_no_item_takes_up(before: Row, also: str, expected: list[str]) -> None:
    """Today's words are asked; where they say nothing, no relation is claimed."""
    assert [(one, None) for one in expected] == became(before, also=also)


def test_the_person_comes_first() -> None:
    """Of two items with the same words the one of the same person is taken."""
    found = became(LOGIN, ("2", Kind.DONE, "Finished the login page"), ("1", Kind.NEXT, "The login page"))
    assert [("carried", "The login page")] == found


def test_a_done_item_that_says_it_is_still_blocked() -> None:
    """What the summarizer took for done does not end a blocker whose own sentence says that it goes on."""
    assert [("still_blocked", None)] == became(KEYS, ("1", Kind.DONE, "The staging keys still aren't there"))


def test_one_word_of_another_person_is_too_little() -> None:
    """Different people work on different pages."""
    assert [] == became(LOGIN, ("2", Kind.DONE, "Checkout page"))


def test_another_ticket_is_another_item() -> None:
    """Two items that name different identifiers are not one, whatever else they share."""
    before: Row = ("1", Kind.NEXT, "Ticket ABC-412")
    assert [] == became(before, ("1", Kind.DONE, "Ticket ABC-398"))
    assert [("finished", "Closed ABC-412")] == became(
        before, ("1", Kind.DONE, "Ticket ABC-398"), ("1", Kind.DONE, "Closed ABC-412")
    )


def test_since_goes_on_from_day_to_day() -> None:
    """A blocker keeps the moment since when it is, over every meeting between."""
    first, (second, spoken) = day(KEYS)[0], day(("1", Kind.BLOCKER, "No staging keys"))
    told = Summary(second.items, "rules", connect(first, second, spoken, began_at=SUNDAY))
    found = connect(told, *day(("1", Kind.BLOCKER, "Staging keys, still")), began_at=MONDAY)
    assert [(Became.STILL_BLOCKED, SUNDAY)] == [(one.became, one.since) for one in found]


def test_a_blocker_without_an_item_of_its_own_goes_on() -> None:
    """One that was only told to be there still is looked for on the next day too."""
    between = Summary(
        (), "rules", (Relation(Became.STILL_BLOCKED, KEYS[2], "1", None, ("u9",), since=SUNDAY),)
    )
    found = connect(between, *day(also="The staging keys came."), began_at=MONDAY)
    assert [(Became.UNBLOCKED, SUNDAY)] == [(one.became, one.since) for one in found]


def test_renamed_people_are_the_same() -> None:
    """Ids are compared; names are nowhere in the relations."""
    notes, spoken = day(("1", Kind.DONE, "Login page is done"))
    renamed = Transcript("m", (Participant("1", "Zoe"), *spoken.participants[1:]), spoken.utterances)
    before = day(LOGIN)[0]
    assert connect(before, notes, spoken) == connect(before, notes, renamed)


@pytest.mark.parametrize("nothing", ["yesterday", "today"])
def test_a_day_without_items(nothing: str) -> None:
    """Without yesterday's items nothing is related; without a word today nothing is claimed."""
    silence = Summary((), "rules"), Transcript("m", (), ())
    before, today = (silence[0], day(LOGIN)) if nothing == "yesterday" else (day(LOGIN)[0], silence)
    assert () == connect(before, *today)


ROWS = st.tuples(
    st.sampled_from(["1", "2", None]),
    st.sampled_from(Kind),
    st.lists(st.sampled_from("login page keys staging 412 docs".split()), min_size=1, max_size=4).map(
        " ".join
    ),
)


@settings(max_examples=80)
@given(st.lists(ROWS, max_size=6), st.lists(ROWS, max_size=6))
def test_pairs_are_one_to_one_and_the_same_each_time(before: list[Row], today: list[Row]) -> None:
    """No item of either day is taken twice, and a second look finds the same."""
    first, (second, spoken) = day(*before)[0], day(*today)
    found = connect(first, second, spoken)
    taken = [one.evidence for one in found if one.today is not None]
    assert len(taken) == len(set(taken))
    assert len(found) <= len(first.items)
    assert found == connect(first, second, spoken)
