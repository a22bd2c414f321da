"""The hourly task in a real worker, sent by a real beat: what is too old goes, what is not stays."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from standup.archive.manifest import meeting_folder
from standup.pipeline import EXPIRE_QUEUE
from standup.settings import environment
from tests.finished_meetings import files_of, finished
from tests.local_processes import LocalProcess, LocalWorker

from .conftest import Rig

pytestmark = pytest.mark.integration


@pytest.fixture
def worker(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A worker whose settings keep sound for ten days and words for thirty."""
    variables = {
        **environment(rig.settings),
        "STANDUP_RETENTION_AUDIO_DAYS": "10",
        "STANDUP_RETENTION_TEXT_DAYS": "30",
    }
    made = LocalWorker(EXPIRE_QUEUE, tmp_path_factory.mktemp("worker"), variables)
    made.ready()
    yield made
    made.teardown()


class LocalBeat(LocalProcess):
    """A beat whose hour is a second."""

    ready_prompt = "Sending due task expire"

    def __init__(self, rig: Rig) -> None:
        code = (
            "import celeryconfig, sys; from celery.__main__ import main;"
            "celeryconfig.beat_schedule['expire']['schedule'] = 1.0;"
            "sys.argv = ['celery', '-A', 'standup.celery', 'beat', '-l', 'INFO']; main()"
        )
        argv = [sys.executable, "-c", code]
        super().__init__(argv, "beat", rig.settings.data_dir.parent, dict(environment(rig.settings)))


def test_beat_has_it_done(rig: Rig, worker: LocalWorker) -> None:
    """Of three old meetings one loses its sound and one everything; the line has counts and ids alone."""
    now, data_dir = datetime.now(timezone.utc), rig.settings.data_dir
    fresh, quiet, gone = (
        finished(rig.archive, now - timedelta(days=days), files=data_dir) for days in (9, 11, 31)
    )
    beat = LocalBeat(rig)
    try:
        rig.wait_until(lambda: not meeting_folder(data_dir, gone).exists(), "the old meeting is gone")
        rig.wait_until(lambda: files_of(data_dir, quiet) == {"meeting.json"}, "the sound is gone")
    finally:
        beat.teardown()
    assert len(files_of(data_dir, fresh)) == 4
    assert {one.id for one in rig.archive.meetings()} == {fresh, quiet}
    line = f"Too old: the sound of 1 meetings is deleted ({quiet}), and all of 1 ({gone})"
    rig.wait_until(lambda: line in worker.logs(), "the worker tells it")
    assert "chandelier" not in worker.logs()
