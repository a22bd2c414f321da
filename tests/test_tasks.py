"""One stage under its lease: what is stored, what is refused, and what follows a failure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from celery.exceptions import Ignore, SoftTimeLimitExceeded

from standup import tasks
from standup.archive import Archive, Claim, Manifest, Superseded
from standup.errors import ChannelUnreachable, ModelLoadError, StandupError, TranscriptionTimeout
from standup.handover import HandedBack
from standup.meeting import Meeting, MeetingState, Participant
from standup.pipeline import STAGES, TASK_NAMES, Stage, StageState
from standup.settings import Settings
from standup.tasks import perform
from standup.work import now_ms
from tests.empty_archives import migrated

START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = "20261123T095800Z-1f0c9a2b"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """The archive that the environment names, with one meeting that has ended."""
    monkeypatch.setenv("STANDUP_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path)))
    meeting = Meeting(MEETING, "1", "2", "3", START, START + timedelta(minutes=1))
    made.adopt(Manifest(meeting, (Participant("11", "Ana"),)))
    return made


def store(archive: Archive, _settings: Settings, claim: Claim) -> None:
    archive.store_capture(claim, [], [], now_ms())


def failing(error: Exception) -> object:
    def do(_archive: Archive, _settings: Settings, _claim: Claim) -> None:
        raise error

    return do


def row(archive: Archive, stage: Stage = Stage.CAPTURE) -> tuple[StageState, int, str]:
    found = next(one for one in archive.statuses(MEETING) if one.stage is stage)
    return found.state, found.attempts, found.error


def test_a_stage_is_done_once(archive: Archive) -> None:
    """A second delivery returns without doing the work again, so that the chain walks on."""
    perform(Stage.CAPTURE, MEETING, store)
    perform(Stage.CAPTURE, MEETING, failing(AssertionError("done twice")))  # type: ignore[arg-type]
    assert row(archive) == (StageState.DONE, 1, "")


def test_a_stage_that_another_works_on_ends_the_chain(archive: Archive) -> None:
    """A copy of a task leaves the stage to its holder."""
    archive.claim(MEETING, Stage.CAPTURE, now_ms())
    with pytest.raises(Ignore):
        perform(Stage.CAPTURE, MEETING, store)


def test_a_superseded_worker_is_no_failure(archive: Archive) -> None:
    """A worker that lost its stage ends its chain and leaves the row alone."""
    with pytest.raises(Ignore):
        perform(Stage.CAPTURE, MEETING, failing(Superseded()))  # type: ignore[arg-type]
    assert row(archive)[0] is StageState.RUNNING


def test_a_stage_that_is_handed_back_is_free_at_once(archive: Archive) -> None:
    """A worker that is to stop leaves the stage to do, without a strike, and ends its chain."""
    with pytest.raises(Ignore):
        perform(Stage.CAPTURE, MEETING, failing(HandedBack()))  # type: ignore[arg-type]
    assert row(archive) == (StageState.TODO, 1, "")
    taken = archive.claim(MEETING, Stage.CAPTURE, now_ms())
    assert isinstance(taken, Claim)
    assert (taken.tally.attempts, taken.tally.strikes, taken.tally.crashes) == (2, 0, 0)


def test_what_waiting_cures_is_tried_again(archive: Archive) -> None:
    """A transient failure opens the stage again, with its sentence."""
    with pytest.raises(ChannelUnreachable):
        perform(Stage.CAPTURE, MEETING, failing(ChannelUnreachable("Discord is away.")))  # type: ignore[arg-type]
    assert row(archive) == (StageState.TODO, 1, "ChannelUnreachable: Discord is away.")


def test_what_waiting_does_not_cure_is_parked(archive: Archive) -> None:
    """A missing model parks the meeting at once."""
    with pytest.raises(ModelLoadError):
        perform(Stage.CAPTURE, MEETING, failing(ModelLoadError("Get it.")))  # type: ignore[arg-type]
    assert row(archive) == (StageState.PARKED, 1, "ModelLoadError: Get it.")
    assert archive.meeting(MEETING).state is MeetingState.PARKED


def test_foreign_texts_stay_out(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    """An error that we did not write may quote speech: neither the row, nor Celery, nor the line shows its text."""
    with pytest.raises(StandupError) as told:
        perform(Stage.CAPTURE, MEETING, failing(ValueError("I said pizza")))  # type: ignore[arg-type]
    shown = f"{told.value} {row(archive)} {[record.getMessage() for record in caplog.records]}"
    assert "pizza" not in shown
    assert "ValueError" in shown


@pytest.mark.parametrize("name", ["follow", "skim"])
def test_foreign_texts_stay_out_of_what_is_read_ahead(
    archive: Archive, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As with the stages, Celery and the log are told the class of an error that we did not write."""

    def fail(*_: object) -> None:
        raise ValueError("I said pizza")

    monkeypatch.setattr(f"standup.work.{name}", fail)
    with pytest.raises(StandupError) as told:
        getattr(tasks, name)(MEETING)
    assert told.value.__cause__ is None
    assert "pizza" not in f"{told.value} {[record.getMessage() for record in caplog.records]}"
    assert "ValueError" in caplog.text


def test_a_soft_time_limit_is_a_timeout(archive: Archive) -> None:
    """Celery's soft limit reads as our own timeout, which is tried again."""
    with pytest.raises(TranscriptionTimeout):
        perform(Stage.CAPTURE, MEETING, failing(SoftTimeLimitExceeded()))  # type: ignore[arg-type]
    assert row(archive)[0] is StageState.TODO


def test_every_stage_has_its_task() -> None:
    """The app knows a task for every stage name that producers enqueue."""
    from standup.celery import app

    assert {TASK_NAMES[stage] for stage in STAGES} <= set(app.tasks)
