"""Relations to the meeting before: what one may be, and how old it is."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from standup.continuity import Became, Relation, day_number, parse, serialize

TUESDAY = datetime(2026, 11, 24, 9, 58, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param(timedelta(), 1, id="the same moment"),
        pytest.param(timedelta(days=1), 2, id="the next day"),
        pytest.param(timedelta(days=1, minutes=-50), 2, id="the next day, a little earlier"),
        pytest.param(timedelta(days=2, minutes=50), 3, id="two days on, a little later"),
        pytest.param(timedelta(days=3), 4, id="over a weekend"),
        pytest.param(timedelta(hours=4), 1, id="the same afternoon"),
        pytest.param(-timedelta(days=2), 1, id="a clock that was put back"),
    ],
)
def test_day_number(later: timedelta, expected: int) -> None:
    """The first day is 1, and the time of the day makes no difference."""
    assert expected == day_number(TUESDAY, TUESDAY + later)


def test_the_json_form_is_read_back() -> None:
    """What is written is what is read, the moment in UTC."""
    relation = Relation(Became.STILL_BLOCKED, "The keys", "1", "No keys", ("u1",), TUESDAY)
    assert relation == parse(serialize(relation))
    assert "2026-11-24T09:58:00+00:00" == serialize(relation)["since"]


def test_what_may_be_left_out() -> None:
    """A relation needs what became of what; all else may lack."""
    assert Relation(Became.DROPPED, "Docs") == parse({"relation": "dropped", "yesterday": "Docs"})


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param({"relation": "dropped", "yesterday": " "}, id="no text"),
        pytest.param({"relation": "lost", "yesterday": "Docs"}, id="unknown relation"),
        pytest.param(
            {"relation": "dropped", "yesterday": "Docs", "since": "2026-11-24T09:58:00"}, id="no time zone"
        ),
    ],
)
def test_what_is_no_relation(raw: dict[str, str]) -> None:
    """An invalid relation cannot exist."""
    with pytest.raises(ValueError, match=r"text|valid|aware"):
        parse(raw)
