"""Meetings that are read beside another: who may come, how many, and when they go."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator

import pytest

from standup.company import UNTOUCHED_MS, Company, waiting
from standup.errors import ArchiveError
from standup.handover import HandedBack
from standup.pipeline import Stage, StageState, StageStatus

NOW_MS = 1_000_000
CAPTURED = StageStatus(Stage.CAPTURE, StageState.DONE)
WAITS = StageStatus(
    Stage.TRANSCRIBE, StageState.TODO, enqueued_at_ms=NOW_MS - UNTOUCHED_MS, next_at_ms=NOW_MS
)
SUMMARY = StageStatus(Stage.SUMMARIZE, StageState.TODO)
PATIENCE_S = 30


def test_who_waits_to_be_transcribed_may_come() -> None:
    """Its message has waited so long that no other worker is free; the oldest meeting first."""
    meetings = {"a": (CAPTURED, WAITS, SUMMARY), "b": (CAPTURED, WAITS, SUMMARY)}
    assert waiting(meetings, NOW_MS) == ["a", "b"]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param((dataclasses.replace(CAPTURED, state=StageState.TODO), WAITS), id="not captured yet"),
        pytest.param((CAPTURED, dataclasses.replace(WAITS, state=StageState.RUNNING)), id="read elsewhere"),
        pytest.param((CAPTURED, dataclasses.replace(WAITS, state=StageState.DONE), SUMMARY), id="read"),
        pytest.param((CAPTURED, dataclasses.replace(WAITS, state=StageState.PARKED)), id="parked"),
        pytest.param((CAPTURED, dataclasses.replace(WAITS, error="died")), id="something went wrong"),
        pytest.param((CAPTURED, dataclasses.replace(WAITS, next_at_ms=NOW_MS + 1)), id="not due"),
        pytest.param((CAPTURED, dataclasses.replace(WAITS, enqueued_at_ms=None)), id="not published"),
        pytest.param(
            (CAPTURED, dataclasses.replace(WAITS, enqueued_at_ms=NOW_MS - UNTOUCHED_MS + 1)),
            id="published just now",
        ),
        pytest.param((), id="unknown"),
    ],
)
def test_who_may_not_come(rows: tuple[StageStatus, ...]) -> None:
    """Whatever has another way to go, or went wrong before."""
    assert waiting({"a": rows}, NOW_MS) == []


class Guests:
    """Meetings that wait, and are read until they are handed back or let go."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.came: list[str] = []
        self.handed_back: list[str] = []
        self.read_to_the_end: list[str] = []
        self.finished: dict[str, threading.Event] = {one: threading.Event() for one in names}
        self.changed = threading.Condition()

    def waiting(self) -> list[str]:
        """Who waits: all that are not read yet."""
        return [one for one in self.names if not self.finished[one].is_set()]

    def read(self, name: str, check: Callable[[], None]) -> None:
        """Read one in rounds that last no time."""
        self._note(self.came, name)
        while not self.finished[name].wait(0.001):
            try:
                check()
            except HandedBack:
                self._note(self.handed_back, name)
                return
        self._note(self.read_to_the_end, name)

    def until(self, *names: str) -> None:
        """Return when those have come, in that order."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.came == list(names), PATIENCE_S), self.came

    def finish(self, name: str) -> None:
        """Let one be read to its end, and return when it is: its host may be done the moment after."""
        self.finished[name].set()
        with self.changed:
            assert self.changed.wait_for(lambda: name in self.read_to_the_end, PATIENCE_S), self.came

    def _note(self, where: list[str], name: str) -> None:
        with self.changed:
            where.append(name)
            self.changed.notify_all()


def test_guests_come_as_far_as_there_are_places() -> None:
    """Two places are for the first two that wait; the third comes when one of them is done."""
    guests = Guests("a", "b", "c")
    with Company(lambda: 2, guests.waiting, guests.read, look_s=0.001):
        guests.until("a", "b")
        guests.finish("a")
        guests.until("a", "b", "c")
    assert sorted(guests.handed_back) == ["b", "c"]


def test_guests_go_when_their_host_is_done() -> None:
    """The block ends, and who is still being read has been handed back by then; who was done was not."""
    guests = Guests("a", "b")
    with Company(lambda: 2, guests.waiting, guests.read, look_s=0.001) as company:
        guests.until("a", "b")
        guests.finish("a")
        assert company.has_guests
    assert not company.has_guests
    assert guests.handed_back == ["b"]


def test_guests_go_when_their_host_fails() -> None:
    """An error in the block changes nothing for them, and comes out."""
    guests = Guests("a")

    def fail() -> None:
        with Company(lambda: 1, guests.waiting, guests.read, look_s=0.001):
            guests.until("a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert guests.handed_back == ["a"]


def test_nobody_comes_once_the_host_is_done() -> None:
    """Also not who was found waiting the moment before."""
    looks = threading.Semaphore(0)
    guests = Guests("a")

    def waiting() -> list[str]:
        looks.release()
        while not _is_over(company):
            pass
        return guests.waiting()

    company = Company(lambda: 1, waiting, guests.read, look_s=0.001)
    with company:
        assert looks.acquire(timeout=PATIENCE_S)
    assert not company._thread.is_alive()
    assert guests.came == []


def _is_over(company: Company) -> bool:
    try:
        company.check()
    except HandedBack:
        return True
    return False


def test_without_places_nobody_is_looked_for() -> None:
    """On a CPU, unless the operator says otherwise, a meeting has all cores for itself."""
    looked = threading.Semaphore(0)

    def places() -> int:
        looked.release()
        return 0

    def waiting() -> list[str]:
        raise AssertionError("looked for guests without a place")

    with Company(places, waiting, lambda *_: None, look_s=0.001) as company:
        assert looked.acquire(timeout=PATIENCE_S)
        assert looked.acquire(timeout=PATIENCE_S)
        assert company._thread.is_alive()


def test_an_archive_that_is_away_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    """It is said, and the next look finds who waits."""
    guests = Guests("a")
    answers: Iterator[Callable[[], list[str]]] = iter([_away])

    def waiting() -> list[str]:
        return next(answers, guests.waiting)()

    with Company(lambda: 1, waiting, guests.read, look_s=0.001):
        guests.until("a")
    assert "No other meeting is read beside this one for now" in caplog.text


def _away() -> list[str]:
    raise ArchiveError("away")
