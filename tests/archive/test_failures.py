"""Failures and measures in the archive, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from standup.archive import Answer, Archive, Failure
from standup.archive.failures import LATEST
from standup.errors import ArchiveError
from standup.failures import QUIET_MS, Measure, Recovery

from .conftest import MEETING

NOW = 1_800_000_000_000
KILLED = Failure(NOW, "worker-gpu", 137, MEETING, "transcribe", "died", "d1")
UNCAUGHT = Failure(NOW, "recorder", 255, death_id="d2")


def answered(archive: Archive, *failures: Failure) -> list[Answer | None]:
    for one in failures:
        archive.failures.note(one)
    return [archive.failures.answer(number) for number, _ in archive.failures.unanswered()]


def test_a_failure_waits_for_its_answer(archive: Archive) -> None:
    """What is noted comes back as it was, until it is answered."""
    assert archive.failures.note(KILLED)
    ((number, found),) = archive.failures.unanswered()
    assert found == KILLED
    archive.failures.answer(number)
    assert archive.failures.unanswered() == ()


def test_a_death_is_noted_once(archive: Archive) -> None:
    """The second note of the same death changes nothing and says so."""
    assert [archive.failures.note(KILLED), archive.failures.note(KILLED)] == [True, False]
    assert archive.failures.times_ms("worker-gpu", 137) == (NOW,)


def test_deaths_without_a_name_all_count(archive: Archive) -> None:
    """Two failures that nobody named are two."""
    nameless = dataclasses.replace(KILLED, death_id="")
    assert [archive.failures.note(nameless), archive.failures.note(nameless)] == [True, True]


def test_a_failure_is_answered_once(archive: Archive) -> None:
    """Of several sentinels that answer at the same time one takes the measure; the others learn that they need not."""
    archive.failures.note(KILLED)
    ((number, _),) = archive.failures.unanswered()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(archive.failures.answer, [number] * 4))
    assert sorted(answers, key=bool) == [
        None,
        None,
        None,
        Answer(Measure("worker-gpu", Recovery.SMALLER_PROFILE, 1, NOW)),
    ]
    assert archive.failures.level("worker-gpu", Recovery.SMALLER_PROFILE) == 1


def test_measures_survive_a_restart(archive: Archive) -> None:
    """Each program has its own measures, and two kinds of them do not get in each other's way."""
    again = dataclasses.replace(KILLED, at_ms=NOW + 5, death_id="d3")
    own = dataclasses.replace(UNCAUGHT, program="worker-gpu", death_id="d4")
    answered(archive, KILLED, UNCAUGHT, again, own)
    assert archive.failures.measures() == (
        Measure("recorder", Recovery.DEBUG, 1, NOW),
        Measure("worker-gpu", Recovery.DEBUG, 1, NOW),
        Measure("worker-gpu", Recovery.SMALLER_PROFILE, 2, NOW + 5),
    )


def test_a_crash_takes_no_measure(archive: Archive) -> None:
    """A segmentation fault is answered by an ordinary start."""
    assert answered(archive, Failure(NOW, "worker-gpu", 139)) == [Answer(None)]
    assert archive.failures.level("worker-gpu", Recovery.SMALLER_PROFILE) == 0


def test_times_are_of_one_program_and_one_code(archive: Archive) -> None:
    """The count of a threshold leaves other programs and other codes out, and is bounded."""
    for number in range(LATEST + 5):
        archive.failures.note(Failure(NOW + number, "worker-gpu", 139))
    archive.failures.note(Failure(NOW, "worker-cpu", 139))
    archive.failures.note(KILLED)
    assert archive.failures.times_ms("worker-gpu", -11) == tuple(range(NOW + 5, NOW + LATEST + 5))


def test_profiles_climb_and_go(archive: Archive) -> None:
    """A quiet day takes a rung away, the last one takes the row, and the debug mode stays."""
    answered(archive, KILLED, dataclasses.replace(KILLED, death_id="d5"), UNCAUGHT)
    assert [one.level for one in archive.failures.ease(NOW + QUIET_MS)] == [2]
    assert archive.failures.ease(NOW + QUIET_MS) == ()
    archive.failures.ease(NOW + 2 * QUIET_MS)
    assert archive.failures.measures() == (Measure("recorder", Recovery.DEBUG, 1, NOW),)


@pytest.mark.parametrize(("started_ms", "level"), [(NOW - 1, 1), (NOW, 0), (NOW + 1, 0)])
def test_a_clean_run_ends_the_debug_mode(archive: Archive, started_ms: int, level: int) -> None:
    """Only a run that began after the failure shows that it is over."""
    answered(archive, UNCAUGHT)
    archive.failures.end_debug("recorder", started_ms)
    assert archive.failures.level("recorder", Recovery.DEBUG) == level


def test_a_code_is_spelt_one_way() -> None:
    """A failure under Python's spelling would be counted apart, so it is refused."""
    with pytest.raises(ValueError, match="as a shell does"):
        Failure(NOW, "worker-gpu", -11)


def test_an_archive_without_tables_says_so(tmp_path: object) -> None:
    """Noting in an archive that nobody has migrated names the next step."""
    archive = Archive(f"sqlite:///{tmp_path}/empty.sqlite3", str(tmp_path))
    with pytest.raises(ArchiveError, match="standup migrate"):
        archive.failures.note(KILLED)
    archive.close()
