"""The chain on a real redis-server with two real workers: what it makes, and what it survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime, timezone

import pytest
from kombu import Connection

from standup.archive import Claim, Manifest
from standup.celery import app
from standup.dispatcher import publish, sweep
from standup.early import early
from standup.following import publish_follow
from standup.meeting import Meeting, MeetingState, Participant, meeting_id
from standup.pipeline import REPUBLISH_AFTER_MS, STAGES, Stage, StageState
from standup.settings import environment
from standup.work import now_ms
from tests.local_processes import LocalRedis, LocalWorker

from .conftest import Rig

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("cpu_worker", "gpu_worker", "_connected")]

DONE, RUNNING, TODO, PARKED = StageState.DONE, StageState.RUNNING, StageState.TODO, StageState.PARKED


@pytest.fixture(scope="module")
def _connected(rig: Rig) -> None:
    """This process publishes to the same broker as a recorder would."""
    app.conf.broker_url = rig.settings.broker_url


def test_a_meeting_walks_through_the_chain(rig: Rig) -> None:
    """What was said stands in the summary under the right people, and the meeting is done."""
    meeting = rig.bring_in()
    sweep(rig.archive, now_ms())
    rig.wait_until(lambda: rig.archive.meeting(meeting.id).state is MeetingState.DONE, "the meeting is done")

    summary = rig.archive.summary(meeting.id)
    assert summary is not None
    ana, ben = (one.id for one in rig.archive.transcript(meeting.id).participants)
    found = {(one.person, one.kind.value) for one in summary.items}
    assert {(ana, "done"), (ana, "next"), (ben, "done"), (ben, "blocker")} <= found
    assert (ana, "blocker") not in found


def test_while_a_meeting_runs_its_words_are_read_behind_its_speech(rig: Rig, cpu_worker: LocalWorker) -> None:
    """One message has the GPU's worker read what was said and, behind it, the other read it for the notes."""
    now = datetime.now(timezone.utc)
    meeting = Meeting(meeting_id(now, "5c1d0000"), "1", "2", "3", now, None, MeetingState.RECORDING)
    rig.archive.adopt(Manifest(meeting, (Participant("11", "Ana"),)))
    assert rig.archive.keep_early(meeting.id, [early("11", 0, 900).heard("I finished the login page.")])
    publish_follow(meeting.id)

    line = "Skimmed 0 segments, 1 utterances"
    rig.wait_until(lambda: line in cpu_worker.logs(), "the words are read")


def test_a_second_delivery_does_nothing(rig: Rig, cpu_worker: LocalWorker) -> None:
    """A chain that is published twice runs each stage once."""
    meeting = rig.bring_in()
    for _ in range(2):
        publish(meeting.id, STAGES)
    rig.wait_until(lambda: rig.archive.meeting(meeting.id).state is MeetingState.DONE, "the meeting is done")
    assert [one.attempts for one in rig.archive.statuses(meeting.id)] == [1, 1, 1, 1]


def test_what_redis_forgot_is_published_again(rig: Rig, redis: LocalRedis) -> None:
    """After a FLUSHALL nobody works on the meeting until the rows publish it again."""
    meeting = rig.bring_in()
    held = rig.archive.claim(meeting.id, Stage.TRANSCRIBE, now_ms())
    assert isinstance(held, Claim)
    sweep(rig.archive, now_ms())
    redis.client.flushall()
    rig.archive.retry(meeting.id)

    assert sweep(rig.archive, now_ms() + REPUBLISH_AFTER_MS) == 1
    rig.wait_until(lambda: rig.archive.meeting(meeting.id).state is MeetingState.DONE, "the meeting is done")


def test_a_killed_pool_child_is_noted_and_its_stage_done_again(rig: Rig, gpu_worker: LocalWorker) -> None:
    """A child killed in the middle of a transcription leaves its code and frees the stage at once."""
    meeting = rig.bring_in()
    before = gpu_worker.children()
    assert len(before) == 1
    os.kill(before[0], signal.SIGSTOP)  # hold it, so that the kill meets the task
    sweep(rig.archive, now_ms())
    os.kill(before[0], signal.SIGCONT)
    rig.wait_for(meeting, Stage.TRANSCRIBE, RUNNING)
    os.kill(before[0], signal.SIGSEGV)
    rig.wait_until(lambda: "139" in rig.status(meeting, Stage.TRANSCRIBE).error, "the code is in the row")
    rig.wait_until(lambda: bool(sweep(rig.archive, now_ms())), "the stage is due again")
    rig.wait_until(lambda: rig.archive.meeting(meeting.id).state is MeetingState.DONE, "the meeting is done")
    assert rig.status(meeting, Stage.TRANSCRIBE).attempts == 2


def test_a_killed_worker_loses_nothing(rig: Rig, gpu_worker: LocalWorker) -> None:
    """`kill -9` of the whole worker: its lease runs out, and a new worker does the stage."""
    meeting = rig.bring_in()
    sweep(rig.archive, now_ms())
    rig.wait_for(meeting, Stage.TRANSCRIBE, RUNNING)
    gpu_worker.kill()
    assert gpu_worker.exit_code == -9
    gpu_worker.start()
    gpu_worker.ready()
    # The clock that the dispatcher reads is moved on instead of waiting for the lease.
    later_ms = rig.status(meeting, Stage.TRANSCRIBE).lease_until_ms + REPUBLISH_AFTER_MS
    freed = rig.archive.claim(meeting.id, Stage.TRANSCRIBE, later_ms)
    assert isinstance(freed, Claim)
    rig.archive.retry(meeting.id)
    sweep(rig.archive, later_ms)
    rig.wait_until(lambda: rig.archive.meeting(meeting.id).state is MeetingState.DONE, "the meeting is done")


def test_a_broken_track_parks_its_meeting_with_the_cause(rig: Rig) -> None:
    """Audio that cannot be read is told with its cause; it is not tried for ever, and the files stay."""
    meeting = rig.bring_in()
    with rig.archive.audio.fetched(meeting.id, "tracks") as folder:
        for track in folder.iterdir():
            track.write_bytes(b"this is no Ogg")
    sweep(rig.archive, now_ms())
    rig.wait_for(meeting, Stage.TRANSCRIBE, PARKED)
    assert rig.archive.meeting(meeting.id).state is MeetingState.PARKED
    assert ".ogg" in rig.status(meeting, Stage.TRANSCRIBE).error


def test_a_message_that_is_no_json_is_refused(rig: Rig, cpu_worker: LocalWorker) -> None:
    """A pickled message is dropped, and the worker goes on."""
    with Connection(
        rig.settings.broker_url, transport_options=app.conf.broker_transport_options
    ) as connection:
        connection.SimpleQueue("capture").put({"x": 1}, serializer="pickle")
    rig.wait_until(lambda: "Refusing to deserialize" in cpu_worker.logs(), "the refusal is logged")
    assert cpu_worker.status == "running"


def test_publishing_without_redis_ends_within_seconds(rig: Rig) -> None:
    """With Redis away, publishing says so soon, and the work stays in the archive."""
    meeting = rig.bring_in()
    code = (
        "import sys, time; from standup.archive import Archive; from standup.settings import load;"
        "from standup.dispatcher import sweep; from standup.errors import BrokerUnreachable\n"
        "try: sweep(Archive.of(load(None)), time.time_ns() // 10**6)\n"
        "except BrokerUnreachable as problem: sys.exit(str(problem))"
    )
    variables = {**os.environ, **environment(rig.settings), "STANDUP_BROKER_URL": "redis://127.0.0.1:1/0"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, timeout=20, check=False
    )
    assert told.returncode == 1
    assert "STANDUP_BROKER_URL" in told.stderr
    assert rig.status(meeting, Stage.TRANSCRIBE).enqueued_at_ms is None
