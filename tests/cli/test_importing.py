"""`standup import` hands its meeting to the workers, and keeps it while Redis is away."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from standup.archive import Archive
from standup.pipeline import Stage, StageState, StageStatus
from standup.settings import Settings, environment, load
from tests.local_processes import LocalRedis

pytestmark = pytest.mark.integration

LIMIT_S = 60.0
RATE_HZ = 16_000


@dataclass
class Home:
    """An empty folder with an audio file, and the settings that commands in it have."""

    folder: Path
    settings: Settings

    def bring_in(self) -> subprocess.CompletedProcess[str]:
        """Call `standup import`."""
        return subprocess.run(
            [sys.executable, "-m", "standup", "import", "Ana=a.wav"],
            env={**os.environ, **environment(self.settings)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=True,
        )

    def row(self, meeting_id: str) -> StageStatus:
        """Return the stage that comes next."""
        archive = Archive.of(self.settings)
        try:
            return next(one for one in archive.statuses(meeting_id) if one.stage is Stage.TRANSCRIBE)
        finally:
            archive.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(bytes(range(0, 256, 2)) * (RATE_HZ // 64))
    nowhere = f"redis+socket://{tmp_path}/nowhere.sock?virtual_host=0"
    return Home(tmp_path, load(None, data_dir=tmp_path / "data", broker_url=nowhere))


@pytest.fixture
def _redis(home: Home) -> Iterator[None]:
    (home.folder / "redis").mkdir()
    redis = LocalRedis(home.folder / "redis")
    try:
        redis.ready()
        home.settings = home.settings.model_copy(update={"broker_url": redis.url})
        yield
    finally:
        redis.teardown()


@pytest.mark.usefixtures("_redis")
def test_an_import_is_published_at_once(home: Home) -> None:
    """No recorder or beat has to find the meeting first."""
    done = home.bring_in()
    assert "" == done.stderr
    assert 1 == home.row(done.stdout.strip()).publishes


def test_without_redis_an_import_is_kept(home: Home) -> None:
    """The meeting is there, its id is printed alone, and a sentence says what it waits for."""
    done = home.bring_in()
    row = home.row(done.stdout.strip())
    assert (StageState.TODO, 0) == (row.state, row.publishes)
    assert "Redis does not answer" in done.stderr
    assert "The import is safe on disk and waits for that." in done.stderr
    assert 1 == len(done.stderr.strip().splitlines())
