"""A long recording and short ones on one real worker: nobody waits for the long one."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from standup import imports
from standup.celery import app
from standup.dispatcher import sweep
from standup.meeting import Meeting, MeetingState, meeting_id
from standup.pipeline import Stage, StageState
from standup.settings import environment
from standup.work import now_ms
from tests.local_processes import LocalWorker

from .conftest import Rig

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("cpu_worker", "_connected"),
]

LONG_TIMES = 100
LONG_S = 180  # it is read in ten seconds, or in over a minute beside other tests on a slow machine
"""How often the long recording repeats a few sentences: about a quarter of an hour of speech."""


@pytest.fixture(scope="module")
def _connected(rig: Rig) -> None:
    """This process publishes to the same broker as a recorder would."""
    app.conf.broker_url = rig.settings.broker_url


@pytest.fixture(scope="module")
def social_worker(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A real worker on the queue `gpu` that reads three meetings at once."""
    settings = rig.settings.model_copy(update={"whisper_meetings": 3})
    worker = LocalWorker("gpu", tmp_path_factory.mktemp("worker"), dict(environment(settings)))
    worker.ready()
    yield worker
    worker.teardown()


@pytest.fixture
def long(rig: Rig, social_worker: LocalWorker, tmp_path: Path) -> Meeting:
    """A recording that is being transcribed, for a while."""
    path = tmp_path / "Ana.wav"
    repeated = ["ffmpeg", "-v", "error", "-stream_loop", str(LONG_TIMES), "-i", rig.spoken["Ana"], path]
    subprocess.run(repeated, check=True, timeout=60)
    now = datetime.now(timezone.utc)
    made = imports.bring_in(rig.archive, {"Ana": path}, meeting_id(now, secrets.token_hex(4)), now)
    sweep(rig.archive, now_ms())
    rig.wait_for(made, Stage.TRANSCRIBE, StageState.RUNNING)
    return made


def test_short_meetings_do_not_wait_for_a_long_one(
    rig: Rig, long: Meeting, social_worker: LocalWorker
) -> None:
    """Both short ones are read and posted while the long one is read by the same process, and it ends as well."""
    short = [rig.bring_in() for _ in range(2)]
    sweep(rig.archive, now_ms())
    rig.wait_until(
        lambda: all(rig.archive.meeting(one.id).state is MeetingState.DONE for one in short),
        "the short meetings are done",
    )
    assert rig.status(long, Stage.TRANSCRIBE).state is StageState.RUNNING
    assert len(social_worker.children()) == 1

    rig.wait_until(
        lambda: rig.archive.meeting(long.id).state is MeetingState.DONE, "the long one is done", LONG_S
    )
    for one in (long, *short):
        assert [row.attempts for row in rig.archive.statuses(one.id)] == [1, 1, 1, 1]
        assert "login page" in " ".join(said.text for said in rig.archive.transcript(one.id).utterances)


def test_a_crash_is_the_hosts_and_its_guests_go_on(
    rig: Rig, long: Meeting, social_worker: LocalWorker
) -> None:
    """The child dies of a signal while it reads three meetings: one failure, no strike for the guests, all is read."""
    guests = [rig.bring_in() for _ in range(2)]
    sweep(rig.archive, now_ms())
    for one in guests:
        rig.wait_for(one, Stage.TRANSCRIBE, StageState.RUNNING)
    os.kill(social_worker.children()[0], signal.SIGSEGV)
    rig.wait_until(
        lambda: "139" in rig.status(long, Stage.TRANSCRIBE).error, "the death is in the host's row"
    )
    told = [rig.status(one, Stage.TRANSCRIBE).error for one in guests]
    assert all("while it read another meeting beside this one" in one for one in told)
    assert [(one.code, one.meeting_id) for _, one in rig.archive.failures.unanswered()] == [(139, long.id)]

    def is_done() -> bool:
        sweep(rig.archive, now_ms())
        return all(rig.archive.meeting(one.id).state is MeetingState.DONE for one in (long, *guests))

    rig.wait_until(is_done, "all are done", LONG_S)
    assert [rig.status(one, Stage.TRANSCRIBE).strikes for one in guests] == [0, 0]
