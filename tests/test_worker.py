"""The documented code of a pool child's death, and what the worker does about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Task

from standup.archive import Archive, Claim, Manifest
from standup.company import waiting
from standup.errors import ModelLoadError
from standup.failures import Recovery
from standup.meeting import Meeting, MeetingState
from standup.pipeline import Stage, StageState, StageStatus
from standup.settings import load
from standup.tasks import follow, holder, skim, transcribe
from standup.work import now_ms
from standup.worker import exit_code, note_death
from tests.empty_archives import migrated


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            WorkerLostError("Worker exited prematurely: signal 11 (SIGSEGV) Job: 0."), 139, id="SIGSEGV"
        ),
        pytest.param(
            WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 0."), 137, id="SIGKILL"
        ),
        pytest.param(
            WorkerLostError("Worker exited prematurely: signal 6 (SIGABRT) Job: 0."), 134, id="SIGABRT"
        ),
        pytest.param(
            WorkerLostError("Worker exited prematurely: exitcode 139 Job: 0."), 139, id="by its number"
        ),
        pytest.param(WorkerLostError("gone"), 255, id="no reason given"),
        pytest.param(TimeLimitExceeded(5400), 137, id="the hard time limit kills"),
        pytest.param(ModelLoadError(), None, id="an ordinary failure is no death"),
    ],
)
def test_exit_code(error: Exception, expected: int | None) -> None:
    """Celery's words for a death become the number that the documentation names."""
    assert expected == exit_code(error)


MEETING = "20261123T095800Z-1f0c9a2b"
HOUR_MS = 3_600_000
SEGFAULT = WorkerLostError("Worker exited prematurely: signal 11 (SIGSEGV) Job: 0.")
KILL = WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 0.")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """The archive that the worker's settings name, with a meeting that is being transcribed."""
    monkeypatch.setenv("STANDUP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STANDUP_PROGRAM", "worker-gpu")
    made = migrated(Archive.of(load(None)))
    start = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
    made.adopt(Manifest(Meeting(MEETING, "1", "2", "3", start, start + timedelta(minutes=1)), ()))
    capture = made.claim(MEETING, Stage.CAPTURE, 0)
    assert isinstance(capture, Claim)
    made.store_capture(capture, (), (), 0)
    yield made
    made.close()


def die(archive: Archive, error: Exception, task_id: str = "t1", reports: int = 1) -> None:
    """Begin to transcribe, and have Celery report the child's death."""
    # Hours later than the failure before: its wait is over.
    later_ms = now_ms() + HOUR_MS * (1 + len(archive.failures.unanswered()))
    assert isinstance(archive.claim(MEETING, Stage.TRANSCRIBE, later_ms, holder(os.getpid())), Claim)
    for _ in range(reports):
        note_death(sender=transcribe, task_id=task_id, args=[MEETING], exception=error)


def test_a_pool_childs_death_waits_for_the_sentinel(archive: Archive) -> None:
    """The death is noted under the program's name with its code, and the stage is free again."""
    die(archive, SEGFAULT)
    ((_, failure),) = archive.failures.unanswered()
    assert (failure.program, failure.code, failure.meeting_id) == ("worker-gpu", 139, MEETING)
    assert isinstance(archive.claim(MEETING, Stage.TRANSCRIBE, now_ms() + HOUR_MS), Claim)


def test_one_death_reported_twice_is_one(archive: Archive) -> None:
    """Celery reports a hard time limit twice; it counts once."""
    die(archive, TimeLimitExceeded(5400), reports=2)
    assert len(archive.failures.times_ms("worker-gpu", 137)) == 1


@pytest.mark.parametrize("task", [follow, skim], ids=["speech", "words"])
def test_a_death_while_reading_ahead_counts_and_parks_nothing(archive: Archive, task: Task) -> None:
    """It is noted under the program's name, once, and no stage is touched: the chain does the work later."""
    before = archive.statuses(MEETING)
    for _ in range(2):
        note_death(sender=task, task_id="t1", args=[MEETING], exception=SEGFAULT)
    ((_, failure),) = archive.failures.unanswered()
    assert (failure.program, failure.code, failure.stage) == ("worker-gpu", 139, task.name)
    assert archive.failures.has(MEETING, task.name)
    assert archive.statuses(MEETING) == before


GUEST = "20261123T095800Z-1f0c9a2c"


def read_beside(archive: Archive) -> None:
    """Have the worker's child read a second meeting."""
    start = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
    archive.adopt(Manifest(Meeting(GUEST, "1", "2", "3", start, start + timedelta(minutes=1)), ()))
    for stage in (Stage.CAPTURE, Stage.TRANSCRIBE):
        claim = archive.claim(GUEST, stage, now_ms(), holder(os.getpid()))
        assert isinstance(claim, Claim)
        if stage is Stage.CAPTURE:
            archive.store_capture(claim, (), (), now_ms())


def transcribing(archive: Archive) -> StageStatus:
    """Return the row of the second meeting."""
    return next(one for one in archive.statuses(GUEST) if one.stage is Stage.TRANSCRIBE)


def test_guests_of_a_dead_child_go_on_without_a_strike(archive: Archive) -> None:
    """What was read beside the meeting that answers for the death is free at once, and is read alone from then on."""
    read_beside(archive)
    die(archive, SEGFAULT)

    row = transcribing(archive)
    assert (row.state, row.strikes, row.enqueued_at_ms) == (StageState.TODO, 0, None)
    assert "while it read another meeting beside this one" in row.error
    archive.mark_published(GUEST, [Stage.TRANSCRIBE], 0)
    assert waiting({GUEST: archive.statuses(GUEST)}, now_ms() + HOUR_MS) == []


def test_a_death_that_is_told_again_frees_no_new_claim(archive: Archive) -> None:
    """By then the next child may read already."""
    die(archive, SEGFAULT)
    read_beside(archive)
    note_death(sender=transcribe, task_id="t1", args=[MEETING], exception=SEGFAULT)

    assert transcribing(archive).state is StageState.RUNNING


def test_the_second_crash_parks_the_meeting(archive: Archive) -> None:
    """Work that crashed two children is not given to a third, and both deaths count."""
    die(archive, SEGFAULT, "t1")
    die(archive, SEGFAULT, "t2")
    assert archive.meeting(MEETING).state is MeetingState.PARKED
    assert len(archive.failures.times_ms("worker-gpu", 139)) == 2


def test_a_killed_child_is_tried_with_less_memory(archive: Archive) -> None:
    """Work that was killed twice is tried again: the sentinel has lowered the memory profile meanwhile."""
    die(archive, KILL, "t1")
    die(archive, KILL, "t2")
    assert archive.meeting(MEETING).state is MeetingState.PROCESSING
    for number, _ in archive.failures.unanswered():
        archive.failures.answer(number)
    assert archive.failures.level("worker-gpu", Recovery.SMALLER_PROFILE) == 2


def test_an_ordinary_failure_is_no_death(archive: Archive) -> None:
    """A stage that failed by an exception has recorded it itself."""
    die(archive, ModelLoadError())
    assert archive.failures.unanswered() == ()
