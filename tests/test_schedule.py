"""Schedules: what people write, and the moments that follow from it, also in the odd nights of a year."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.errors import InputRefused
from standup.schedule import (
    EVERY_DAY,
    Schedule,
    describe_days,
    find_zone,
    parse_days,
    parse_time,
    zones_like,
)

LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
DAYS = st.frozensets(st.integers(0, 6), min_size=1)
MOMENTS = st.integers(0, 31 * 365 * 86_400).map(
    lambda s: datetime(2005, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=s)
)
TIMES = st.times().map(lambda one: one.replace(second=0, microsecond=0))


def schedule(
    days: Collection[int] = EVERY_DAY,
    at: time = time(10),
    zone: str = "Europe/Berlin",
    since: datetime = LONG_AGO,
) -> Schedule:
    return Schedule("1", "2", "3", frozenset(days), at, zone, since)


SCHEDULES = st.builds(schedule, DAYS, TIMES, st.sampled_from(ZONES))


def utc(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=timezone.utc)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        pytest.param("Mon-Fri", {MON, TUE, WED, THU, FRI}, id="range"),
        pytest.param("monday – wednesday", {MON, TUE, WED}, id="names and a long dash"),
        pytest.param("Fri-Mon", {FRI, SAT, SUN, MON}, id="over the weekend"),
        pytest.param("Tue,Thu", {TUE, THU}, id="list"),
        pytest.param("mo, We  sat-sun", {MON, WED, SAT, SUN}, id="mixed"),
        pytest.param("daily", EVERY_DAY, id="daily"),
        pytest.param("weekdays", set(range(5)), id="weekdays"),
        pytest.param("Thu-Thu", {THU}, id="range of one"),
    ],
)
def test_days(text: str, days: set[int]) -> None:
    """Days are read as people write them."""
    assert parse_days(text) == days


@pytest.mark.parametrize("text", ["", " , ", "Funday", "m", "Mon-", "-Fri", "Mon-Wed-Fri", "Mon+Tue", "5"])
def test_unknown_days(text: str) -> None:
    """What names no day is refused with an example."""
    with pytest.raises(InputRefused, match="Mon-Fri"):
        parse_days(text)


@given(DAYS)
def test_described_days_are_read_again(days: frozenset[int]) -> None:
    """What is told of days names the same days."""
    assert parse_days(describe_days(days).replace("every day", "daily")) == days


@pytest.mark.parametrize(
    ("days", "text"),
    [
        pytest.param(range(5), "Mon-Fri", id="run"),
        pytest.param({SAT, SUN}, "Sat, Sun", id="pair"),
        pytest.param({MON, WED, THU, FRI}, "Mon, Wed-Fri", id="both"),
        pytest.param(range(7), "every day", id="all"),
    ],
)
def test_described_days(days: Collection[int], text: str) -> None:
    """Runs of three and more are drawn together."""
    assert describe_days(days) == text


@pytest.mark.parametrize(
    ("text", "at"), [("10:00", time(10)), (" 9:30", time(9, 30)), ("15.45", time(15, 45)), ("0:00", time(0))]
)
def test_time(text: str, at: time) -> None:
    """Times are read with 24 hours."""
    assert parse_time(text) == at


@pytest.mark.parametrize("text", ["24:00", "9:60", "10", "10:00 am", "", "10:0", "-1:00", "10:00:00"])
def test_unknown_times(text: str) -> None:
    """What is no time of day is refused with an example."""
    with pytest.raises(InputRefused, match="10:00"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("america/new york", "America/New_York"),
        (" utc ", "UTC"),
    ],
)
def test_zone(text: str, name: str) -> None:
    """Time zones are found in any case, with spaces."""
    assert find_zone(text) == name


@pytest.mark.parametrize(
    "text", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "posix/Europe/Berlin"]
)
def test_unknown_zones(text: str) -> None:
    """What is no time zone is refused with an example, and is not repeated."""
    with pytest.raises(InputRefused, match="as Europe/Berlin") as refused:
        find_zone(text)
    assert not text or text not in str(refused.value)


def test_a_city_alone_is_answered_by_its_zone() -> None:
    """The refusal offers what comes nearest."""
    with pytest.raises(InputRefused, match=r"Is it Europe/Lisbon\?"):
        find_zone("lisbon")


def test_zones_that_begin_so_come_first() -> None:
    """Of all that hold the text, cities beginning with it are offered first, and no more than asked for."""
    assert zones_like("york", 3) == ("America/New_York",)
    assert zones_like("lond", 1) == ("Europe/London",)
    assert len(zones_like("", 25)) == 25


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(utc(2026, 11, 23, 8, 59), utc(2026, 11, 23, 9), id="today"),
        pytest.param(utc(2026, 11, 23, 9), utc(2026, 11, 24, 9), id="not the moment itself"),
        pytest.param(utc(2026, 11, 27, 9), utc(2026, 11, 30, 9), id="over the weekend"),
        pytest.param(utc(2026, 7, 6, 7, 59), utc(2026, 7, 6, 8), id="in summer"),
    ],
)
def test_next(after: datetime, expected: datetime) -> None:
    """Weekdays at ten in Berlin are nine in winter and eight in summer, UTC."""
    assert schedule(range(5)).next_after(after) == expected


def occurrences(of: Schedule, after: datetime, until: datetime) -> list[datetime]:
    found = []
    while (after := of.next_after(after)) < until:
        found.append(after)
    return found


def test_a_skipped_hour_gives_one_meeting() -> None:
    """02:30 of the night in which Berlin's clock skips it is held at 03:30, once."""
    held = occurrences(schedule(at=time(2, 30)), utc(2026, 3, 28, 12), utc(2026, 3, 29, 12))
    assert held == [utc(2026, 3, 29, 1, 30)]
    assert held[0].astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)


def test_a_doubled_hour_gives_one_meeting() -> None:
    """02:30 of the night in which Berlin has it twice is held the first time."""
    held = occurrences(schedule(at=time(2, 30)), utc(2026, 10, 24, 12), utc(2026, 10, 25, 12))
    assert held == [utc(2026, 10, 25, 0, 30)]


def test_a_day_that_is_left_out_gives_no_second_meeting() -> None:
    """Samoa had no 30 December 2011; the daily meetings of the 30th and the 31st are one."""
    held = occurrences(schedule(zone="Pacific/Apia"), utc(2011, 12, 29, 0), utc(2012, 1, 1, 0))
    assert held == [utc(2011, 12, 29, 20), utc(2011, 12, 30, 20), utc(2011, 12, 31, 20)]


@given(SCHEDULES, MOMENTS)
def test_next_is_the_first_one_after(one: Schedule, after: datetime) -> None:
    """The next occurrence lies ahead, and none lies between."""
    found = one.next_after(after)
    assert found > after
    assert found.tzinfo is timezone.utc
    assert one.next_after(found - timedelta(microseconds=1)) == found
    assert one.next_after(after + (found - after) / 2) == found


@given(SCHEDULES, MOMENTS)
def test_every_wanted_day_has_its_meeting(one: Schedule, after: datetime) -> None:
    """In two weeks no wanted weekday is missed and no other held, apart from a date line crossed meanwhile."""
    local = [one.next_after(after)]
    while local[-1] < after + timedelta(days=14):
        local.append(one.next_after(local[-1]))
    dates = [moment.astimezone(ZoneInfo(one.zone)).date() for moment in local]
    assert len(set(dates)) == len(dates)
    if one.zone != "Pacific/Apia":
        days = [dates[0] + timedelta(days=shift) for shift in range((dates[-1] - dates[0]).days + 1)]
        wanted = [day for day in days if day.weekday() in one.days]
        # A time that is skipped just before midnight is held on the day after.
        assert dates == wanted or one.at.hour == 23


def test_a_new_schedule_begins_nothing_in_the_past() -> None:
    """No occurrence lies at or before the making of the schedule."""
    made = schedule(since=utc(2026, 11, 23, 9, 5))
    assert made.due(utc(2026, 11, 23, 9, 6), timedelta(minutes=15)) is None
    assert made.next_after(utc(2026, 11, 20)) == utc(2026, 11, 24, 9)


@pytest.mark.parametrize(
    ("minutes", "is_due"),
    [(-1, False), (0, True), (14, True), (15, False)],
)
def test_due(minutes: int, is_due: bool) -> None:
    """A meeting is due from its time on, for as long as one waits."""
    moment = utc(2026, 11, 23, 9)
    found = schedule().due(moment + timedelta(minutes=minutes), timedelta(minutes=15))
    assert found == (moment if is_due else None)


@given(SCHEDULES)
def test_serialized_is_read_again(one: Schedule) -> None:
    """Every part of a schedule can be read back from what is written of it."""
    raw = one.serialize()
    assert parse_days(raw["days"]) == one.days
    assert parse_time(raw["time"]) == one.at
    assert find_zone(raw["zone"]) == one.zone
    assert datetime.fromisoformat(raw["since"]) == one.since


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": ()},
        {"days": {7}},
        {"at": time(10, 0, 1)},
        {"at": time(10, tzinfo=timezone.utc)},
        {"zone": "Nowhere/Atall"},
        {"zone": "Europe"},
        {"zone": "../etc"},
        {"since": datetime(2026, 1, 1)},  # noqa: DTZ001 - the naive time is what is refused
    ],
)
def test_impossible_schedules(wrong: dict) -> None:  # type: ignore[type-arg]
    """A schedule that could not be kept cannot be made."""
    with pytest.raises(ValueError, match="a schedule"):
        schedule(**wrong)
