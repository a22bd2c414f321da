"""What the doctor finds at broker, archive, model and Flower."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from standup.archive import Archive, Failure
from standup.failures import LOWEST_PROFILE
from standup.health import services
from standup.health.check import Grade
from standup.settings import LanguageModelSettings, Settings, WhisperSettings, load
from tests.empty_archives import migrated
from tests.local_processes import LocalRedis
from tests.summarize.scripted_endpoint import MODEL, Script, endpoint, well_behaved


def settings(folder: Path, **values: str) -> Settings:
    return load(None, data_dir=folder / "data", **values)


@pytest.fixture
def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.integration
def test_an_answering_broker(tmp_path: Path) -> None:
    """A broker that answers is well; one that wants another password is not."""
    redis = LocalRedis(tmp_path)
    try:
        redis.ready()
        assert Grade.GOOD is services.broker(settings(tmp_path, broker_url=redis.url)).grade
        redis.client.config_set("requirepass", "another")
        refused = settings(tmp_path, broker_url=f"redis://:wrong@127.0.0.1:{redis.port}/0")
        assert Grade.GOOD is not services.broker(refused).grade
    finally:
        redis.teardown()


@pytest.mark.parametrize(
    ("url", "supervised", "grade"),
    [
        pytest.param("redis://127.0.0.1:{port}/0", False, Grade.DOUBTFUL, id="ours, to be started"),
        pytest.param("redis://127.0.0.1:{port}/0", True, Grade.BAD, id="ours, and it fell"),
        pytest.param("amqp://127.0.0.1:{port}//", False, Grade.BAD, id="somebody else's"),
    ],
)
def test_a_silent_broker(url: str, supervised: bool, grade: Grade, closed_port: int, tmp_path: Path) -> None:
    """A broker that does not answer is waited for only when supervisord is still to start it."""
    wanted = settings(tmp_path, broker_url=url.format(port=closed_port))
    if supervised:
        wanted.data_dir.mkdir()
        (wanted.data_dir / services.SUPERVISORD_PIDFILE).write_text(str(os.getpid()))
    assert grade is services.broker(wanted).grade


def test_no_archive_yet(tmp_path: Path) -> None:
    """Before the first migration the next step is named, and looking makes no file."""
    found = services.archive(settings(tmp_path))
    assert (Grade.DOUBTFUL, "run `standup migrate`") == (found.grade, found.next_step)
    assert [] == list(tmp_path.iterdir())


def test_an_archive_at_head(tmp_path: Path) -> None:
    """A migrated archive is well."""
    wanted = settings(tmp_path)
    archive = migrated(Archive.of(wanted))
    archive.close()
    assert Grade.GOOD is services.archive(wanted).grade


def test_an_archive_of_a_newer_release(tmp_path: Path) -> None:
    """An unknown revision is told as newer."""
    wanted = settings(tmp_path)
    archive = migrated(Archive.of(wanted))
    archive.close()
    engine = create_engine(wanted.database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert "9999 is newer" in services.archive(wanted).finding


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("nonsense", id="no address"),
        pytest.param("postgresql://127.0.0.1:{port}/standup", id="nobody there"),
    ],
)
def test_a_database_that_is_away(url: str, closed_port: int, tmp_path: Path) -> None:
    """A database that cannot be asked stops a meeting's notes."""
    found = services.archive(settings(tmp_path, database_url=url.format(port=closed_port)))
    assert Grade.BAD is found.grade


def test_the_bundled_model() -> None:
    """The bundled model is on disk, and its weights have a size."""
    check, size_bytes = services.model(WhisperSettings(model="tiny.en", device="cpu", language="auto"))
    assert (Grade.GOOD, "tiny.en") == (check.grade, check.finding)
    assert size_bytes > 10_000_000


def test_a_missing_model(tmp_path: Path) -> None:
    """A folder without a model is told, with no size."""
    check, size_bytes = services.model(WhisperSettings(model=str(tmp_path), device="cpu", language="auto"))
    assert (Grade.BAD, 0) == (check.grade, size_bytes)


@pytest.mark.parametrize(
    ("script", "model", "grade", "finding"),
    [
        pytest.param(well_behaved, MODEL, Grade.GOOD, f"{MODEL}, answers", id="there"),
        pytest.param(well_behaved, "", Grade.GOOD, f"{MODEL}, answers", id="the only one"),
        pytest.param(well_behaved, "x", Grade.DOUBTFUL, "x is not listed by its endpoint", id="another"),
        pytest.param(None, MODEL, Grade.DOUBTFUL, "its endpoint did not answer", id="nobody"),
    ],
)
def test_the_language_model(
    script: Script | None, model: str, grade: Grade, finding: str, closed_port: int
) -> None:
    """The endpoint's list decides; an endpoint that is away is a warning, and no key or address is shown."""
    if script is None:
        found = services.language_model(asked(f"http://127.0.0.1:{closed_port}/v1", model))
    else:
        with endpoint(script) as running:
            found = services.language_model(asked(running.url, model))
        assert [] == running.requests
    assert (grade, finding) == (found.grade, found.finding)
    assert "127.0.0.1" not in found.line()


def asked(url: str, model: str) -> LanguageModelSettings:
    wanted = load(None, llm_url=url, llm_model=model, llm_api_key="secret").language_model
    assert wanted is not None
    return wanted


def test_flower_is_looked_at_by_its_password(tmp_path: Path) -> None:
    """The password decides, and is not in the check."""
    found = services.flower(settings(tmp_path, flower_password="a-long-password"))
    assert Grade.GOOD is found.grade
    assert "a-long-password" not in found.line()


def test_history_of_a_quiet_archive(tmp_path: Path) -> None:
    """An archive without failures and meetings says that every program runs in full."""
    wanted = settings(tmp_path)
    archive = migrated(Archive.of(wanted))
    archive.close()
    check, meetings = services.history(wanted, 5)
    assert (Grade.GOOD, ()) == (check.grade, meetings)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        pytest.param("tiny.en", "worker-gpu with memory profile 1 of 1", id="there is no smaller model"),
        pytest.param("nonesuch", f"worker-gpu with memory profile 2 of {LOWEST_PROFILE}", id="not there"),
    ],
)
def test_the_profile_is_one_of_this_machines(
    model: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two deaths for want of memory go no further down than the ladder of the model on this device."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    wanted = settings(tmp_path, whisper_model=model, whisper_device="cpu")
    archive = migrated(Archive.of(wanted))
    for at_ms in (1, 2):
        archive.failures.note(Failure(at_ms, "worker-gpu", 137, death_id=str(at_ms)))
    for number, _ in archive.failures.unanswered():
        archive.failures.answer(number)
    archive.close()
    assert told == services.history(wanted, 5)[0].finding


def test_history_without_tables(tmp_path: Path) -> None:
    """An archive that cannot be read is told instead of raised."""
    check, meetings = services.history(settings(tmp_path), 5)
    assert (Grade.BAD, ()) == (check.grade, meetings)
