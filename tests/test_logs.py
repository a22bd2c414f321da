"""The three log files: their form, and what never gets in."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standup import logs
from standup.errors import ModelLoadError, SettingsError

FAKE_TOKEN = "MTA0ODc2NTQzMjEwOTg3NjU0Mw" + ".GhXyZa." + "abcdefghijklmnopqrstuvwxyz0123456789AB"


@pytest.fixture
def log_dir(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield tmp_path
    for handler in list(root.handlers):
        root.removeHandler(handler)
        if handler not in before:
            handler.close()
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)


def test_recorder_line_has_the_documented_form(log_dir: Path) -> None:
    """`recorder.log` reads `[date time] INFO Recording started`."""
    logs.configure("recorder", log_dir)
    logging.getLogger("standup.x").info("Recording started")

    line = (log_dir / "recorder.log").read_text()
    assert re.fullmatch(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO Recording started\n", line)


def test_monitor_writes_events(log_dir: Path) -> None:
    """`monitor.log` has EVENT lines, which are no errors."""
    logs.configure("monitor", log_dir)
    logging.getLogger("standup.x").log(logs.EVENT, "Message #%d", 1234)

    assert (log_dir / "monitor.log").read_text().endswith("] EVENT Message #1234\n")
    assert (log_dir / "errors.log").read_text() == ""


def test_errors_of_every_program_are_in_one_file(log_dir: Path) -> None:
    """`errors.log` has the ERROR lines of a worker, which has no file of its own."""
    logs.configure("worker", log_dir)
    logging.getLogger("standup.x").error("CUDA OOM")

    assert (log_dir / "errors.log").read_text().endswith("] ERROR CUDA OOM\n")
    assert not (log_dir / "recorder.log").exists()


def test_meeting_id_is_on_each_line(log_dir: Path) -> None:
    """Inside `about`, lines carry the meeting; outside they do not."""
    logs.configure("recorder", log_dir)
    with logs.about("20261123T095800Z-1f0c9a2b"):
        logging.getLogger("x").info("Inside")
    logging.getLogger("x").info("Outside")

    inside, outside = (log_dir / "recorder.log").read_text().splitlines()
    assert inside.endswith("Inside meeting=20261123T095800Z-1f0c9a2b")
    assert outside.endswith("Outside")


def test_tokens_are_blotted_out(log_dir: Path) -> None:
    """Whatever logs a Discord token, it does not reach the file."""
    logs.configure("recorder", log_dir)
    logging.getLogger("x").error("login with %s failed", FAKE_TOKEN)

    written = (log_dir / "errors.log").read_text()
    assert FAKE_TOKEN not in written
    assert "[token]" in written


@pytest.mark.parametrize(
    ("error", "shown", "hidden"),
    [
        pytest.param(ValueError("I said pizza"), "ValueError", "pizza", id="foreign text is hidden"),
        pytest.param(ModelLoadError("Get the model."), "Get the model.", "\0", id="our sentences are shown"),
        pytest.param(OSError(28, "No space left"), "No space left", "\0", id="the system's reason is shown"),
    ],
)
def test_exceptions(log_dir: Path, error: Exception, shown: str, hidden: str) -> None:
    """A traceback tells class and place; a foreign exception's text, which may quote speech, is left out."""
    logs.configure("worker", log_dir)
    try:
        raise error
    except Exception:
        logging.getLogger("x").exception("It failed")

    written = (log_dir / "errors.log").read_text()
    assert shown in written
    assert hidden not in written
    assert "test_logs.py" in written


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            "Cannot connect.\nTrying again in 2.00 seconds...\n\n",
            "Cannot connect. · Trying again in 2.00 seconds...",
            id="Celery",
        ),
        pytest.param("\r\n  first\u2028second \n", "first · second", id="every kind of line end"),
        pytest.param("one", "one", id="one line"),
        pytest.param("", "", id="no words"),
    ],
)
def test_a_record_is_one_line(log_dir: Path, message: str, expected: str) -> None:
    """Lines of a message are folded into one, and none is blank."""
    logs.configure("worker", log_dir)
    with logs.about("20261123T095800Z-1f0c9a2b"):
        logging.getLogger("celery.x").error(message)

    (line,) = (log_dir / "errors.log").read_text().splitlines()
    assert f"ERROR {expected} meeting=20261123T095800Z-1f0c9a2b" == line.partition("] ")[2]


def test_frames_stay_below_a_folded_message(log_dir: Path) -> None:
    """Only the message is folded: each frame of an exception keeps its lines."""
    logs.configure("worker", log_dir)
    try:
        raise ValueError
    except ValueError:
        logging.getLogger("x").exception("It\nfailed")

    first, *frames = (log_dir / "errors.log").read_text().splitlines()
    assert first.endswith("ERROR It · failed")
    assert frames[0].startswith("  File ")
    assert "ValueError" == frames[-1]


def test_a_moved_file_is_followed(log_dir: Path) -> None:
    """After logrotate has moved a file, lines go to a new one."""
    logs.configure("recorder", log_dir)
    logging.getLogger("x").info("before")
    (log_dir / "recorder.log").rename(log_dir / "recorder.log.1")
    logging.getLogger("x").info("after")

    assert "after" in (log_dir / "recorder.log").read_text()


def test_configure_twice_writes_once(log_dir: Path) -> None:
    """A second call replaces the handlers of the first."""
    logs.configure("recorder", log_dir)
    logs.configure("recorder", log_dir)
    logging.getLogger("x").info("once")

    assert (log_dir / "recorder.log").read_text().count("once") == 1
    assert sys.stderr is not None


def test_asyncio_does_not_quote_exceptions(log_dir: Path) -> None:
    """asyncio's report of a task nobody awaited keeps its first line; the repr below it may quote speech."""
    logs.configure("recorder", log_dir)
    error = ValueError("I said pizza")
    logging.getLogger("asyncio").error(
        "Task exception was never retrieved\nfuture: <Task exception=%r>", error, exc_info=error
    )

    written = (log_dir / "errors.log").read_text()
    assert "never retrieved" in written
    assert "ValueError" in written
    assert "pizza" not in written


def test_a_log_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A LOG_DIR below a file is an error of the settings."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="STANDUP_LOG_DIR"):
        logs.configure("recorder", tmp_path / "file" / "logs")


@pytest.fixture
def _ordinary_lines() -> Iterator[None]:
    yield
    logs.end_debug()


@pytest.mark.usefixtures("_ordinary_lines")
def test_the_debug_mode_is_ours_and_celerys(log_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """DEBUG lines of ours and Celery's are written, those that may quote what people said are not."""
    logs.configure("worker", log_dir)
    logs.begin_debug()
    for name in ("standup.x", "celery.y", "httpx", "sqlalchemy.engine.Engine", "discord.gateway", "openai"):
        logging.getLogger(name).debug("from %s", name)
    written = capsys.readouterr().err
    assert [line.rpartition(" ")[2] for line in written.splitlines()] == ["standup.x", "celery.y"]


@pytest.mark.usefixtures("_ordinary_lines")
def test_the_debug_mode_is_inherited_until_it_ends() -> None:
    """A child process does as its parent did; after the end of the mode a new one does not."""
    ours = logging.getLogger("standup")
    logs.begin_debug()
    ours.setLevel(logging.NOTSET)  # as in a child that was just spawned
    logs.inherit_debug()
    assert ours.level == logging.DEBUG
    logs.end_debug()
    logs.inherit_debug()
    assert ours.level == logging.NOTSET
