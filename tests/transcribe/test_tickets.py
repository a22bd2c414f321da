"""Spoken ids of tickets, and what only sounds like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.transcribe.tickets import write_ids

BOTH = ("#", "OPS")


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("I closed ticket two oh five.", "I closed #205."),
        ("Ticket number 205 is done", "#205 is done"),
        ("issue forty two", "#42"),
        ("issue forty-two", "#42"),
        ("ticket number five", "#5"),
        ("Ticket 5, and issue 6.", "#5, and #6."),
        ("ticket two hundred and five and more", "#205 and more"),
        ("ticket two hundred", "#200"),
        ("bug three hundred forty two", "#342"),
        ("pull request one twenty three", "#123"),
        ("ticket twelve oh five", "#1205"),
        ("ticket 12 34", "#1234"),
        ("ticket 1,205 is next", "#1205 is next"),
        ("issue 4 0 7", "#407"),
        ("ticket number two zero five's owner", "#205's owner"),
        ("ops one two three", "OPS-123"),
        ("OPS 123", "OPS-123"),
        ("Ops-123", "OPS-123"),
        ("ops dash 123", "OPS-123"),
        ("ops number seven", "OPS-7"),
        ("O P S four oh seven", "OPS-407"),
        ("O.P.S. 4-0-7", "OPS-407"),
        ("OPS 1 2 3, ticket nine nine", "OPS-123, #99"),
    ],
)
def test_a_spoken_id_is_written(spoken: str, written: str) -> None:
    """Digits one by one, tens, hundreds and pairs, in words or as the recognizer wrote them."""
    assert written == write_ids(spoken, BOTH)


@pytest.mark.parametrize(
    "text",
    [
        "one issue two people have",
        "there is an issue five customers have",
        "issue twenty two people reported",
        "ticket forty two days ago",
        "issue 2 of 3",
        "the bug one of us has",
        "ticket forty two five",
        "ticket two thousand and five",
        "issue 3.5",
        "issue 12%",
        "ticket 5th",
        "ticket two point five",
        "ticket 24 7",
        "ticket 1, 2 and 3",
        "ticket two oh 5",
        "ticket 12345678",
        "tickets 205 and 206",
        "the ticket",
        "OPS-1 2 tests failed",
        "devops 123",
        "#205",
        "ops one",
    ],
)
def test_what_may_be_something_else_stays(text: str) -> None:
    """Counts, fractions, lists and numbers that could be read in two ways are left as they were said."""
    assert text == write_ids(text, BOTH)


def test_without_the_setting_nothing_changes() -> None:
    """Nobody asked for ids."""
    assert write_ids("ticket two oh five, OPS 12", ()) == "ticket two oh five, OPS 12"


def test_only_what_is_set_is_written() -> None:
    """A server with a key alone keeps its "ticket 5", and the other way round."""
    assert write_ids("ticket 205, ops 12", ("OPS",)) == "ticket 205, OPS-12"
    assert write_ids("ticket 205, ops 12", ("#",)) == "#205, ops 12"


PIECES = (
    "ticket issue bug pull request number no. dash ops OPS A1 two TWO oh o zero five twelve forty hundred and "
    "thousand point 5 12 205 1,205 # - . , people days is 's"
).split()
KEYS = st.lists(
    st.sampled_from(["#", "OPS", "A1", "TWO", "ISSUE", "NUMBER", "TEN5"]), unique=True, max_size=4
)


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " ", "-"]), KEYS)
def test_twice_is_once(pieces: list[str], joint: str, keys: list[str]) -> None:
    """However numbers, words and keys are mixed, a second time finds nothing to write."""
    once = write_ids(" ".join(pieces).replace(" - ", joint), keys)
    assert once == write_ids(once, keys)


@given(st.text(max_size=60), KEYS)
def test_any_text(text: str, keys: list[str]) -> None:
    """Whatever an engine writes is taken, and twice is once."""
    once = write_ids(text, keys)
    assert once == write_ids(once, keys)
