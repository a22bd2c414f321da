"""A real redis-server, two real workers, an archive, and a recorded meeting to put through them."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest

from standup import imports
from standup.archive import Archive
from standup.meeting import Meeting, meeting_id
from standup.pipeline import Stage, StageState, StageStatus
from standup.settings import Settings, environment, load
from tests.local_processes import LocalRedis, LocalWorker

FINISH_S = 60.0
LOOK_EVERY_S = 0.05

SAID = {
    "Ana": (
        "slt",
        "Yesterday I finished the login page. Today I will work on the payment form. I have no blockers.",
    ),
    "Ben": ("rms", "Yesterday I fixed the search bug. I am blocked by the missing database password."),
}


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One audio file per speaker, said by flite."""
    folder = tmp_path_factory.mktemp("spoken")
    for name, (voice, text) in SAID.items():
        subprocess.run(["flite", "-voice", voice, "-t", text, folder / f"{name}.wav"], check=True, timeout=30)
    return {name: folder / f"{name}.wav" for name in SAID}


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    """A redis-server of our own."""
    server = LocalRedis(tmp_path_factory.mktemp("redis"))
    server.ready()
    yield server
    server.teardown()


@dataclass
class Rig:
    """The archive and settings that the workers share, and what a test does with them."""

    settings: Settings
    archive: Archive
    spoken: dict[str, Path]

    def bring_in(self) -> Meeting:
        """Return a meeting that is recorded and captured, and waits for transcription."""
        now = datetime.now(timezone.utc)
        return imports.bring_in(self.archive, self.spoken, meeting_id(now, secrets.token_hex(4)), now)

    def status(self, meeting: Meeting, stage: Stage) -> StageStatus:
        """Return the row of one stage."""
        return next(one for one in self.archive.statuses(meeting.id) if one.stage is stage)

    def wait_until(self, reached: Callable[[], bool], what: str, timeout_s: float = FINISH_S) -> None:
        """Look until *reached*; fail with *what* after the timeout."""
        deadline = time.monotonic() + timeout_s
        while not reached():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {timeout_s:.0f} s: {what}")
            time.sleep(LOOK_EVERY_S)

    def wait_for(self, meeting: Meeting, stage: Stage, state: StageState) -> None:
        """Look until a stage is in *state*."""
        self.wait_until(lambda: self.status(meeting, stage).state is state, f"{stage.value} {state.value}")


@pytest.fixture(scope="module")
def rig(
    redis: LocalRedis, tmp_path_factory: pytest.TempPathFactory, spoken: dict[str, Path]
) -> Iterator[Rig]:
    """An empty archive, and settings that name it and the redis-server."""
    folder = tmp_path_factory.mktemp("rig")
    settings = load(
        None, data_dir=folder / "data", log_dir=folder / "logs", broker_url=redis.url, whisper_model="tiny.en"
    )
    archive = Archive.of(settings)
    archive.migrate()
    yield Rig(settings, archive, spoken)
    archive.close()


@pytest.fixture(scope="module")
def cpu_worker(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A real worker on the CPU queues."""
    yield from _worker("capture,summarize,notify", rig, tmp_path_factory)


@pytest.fixture(scope="module")
def gpu_worker(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A real worker on the queue `gpu`."""
    yield from _worker("gpu", rig, tmp_path_factory)


def _worker(queues: str, rig: Rig, folders: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    worker = LocalWorker(queues, folders.mktemp("worker"), dict(environment(rig.settings)))
    worker.ready()
    yield worker
    worker.teardown()
