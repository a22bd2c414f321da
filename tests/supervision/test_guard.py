"""Python programs under the guard: how they end, what they log, and when they log more."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standup.archive import Archive, Failure
from standup.settings import load

pytestmark = pytest.mark.integration

SAYS_DEBUG = (
    "import logging; logging.getLogger('standup.x').debug('ours'); logging.getLogger('httpx').debug('theirs')"
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive.of(load(None, data_dir=tmp_path / "data"))
    yield made
    made.close()


def guard(folder: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run *code* as the program ``recorder`` under the guard, with arguments."""
    (folder / "program.py").write_text(code)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}",
        "STANDUP_DATA_DIR": str(folder / "data"),
        "STANDUP_LOG_DIR": str(folder / "logs"),
        "STANDUP_PROGRAM": "recorder",
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "standup.supervision.guard", "program", "-a", "b"],
        env=environment, cwd=folder, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("import sys; sys.exit(sys.argv[1:] != ['-a', 'b'])", 0, id="done, with its arguments"),
        pytest.param("raise SystemExit(7)", 7, id="its own status"),
        pytest.param("raise KeyError('x')", 255, id="an exception that nobody caught"),
        pytest.param("raise MemoryError", 137, id="no memory"),
        pytest.param("raise KeyboardInterrupt", 130, id="interrupted"),
        pytest.param(
            "from standup.errors import SettingsError; raise SettingsError('Set it.')", 78, id="an error of ours"
        ),
        pytest.param(
            "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); raise KeyError", 255,
            id="a thread that goes on does not hold a dead program",
        ),
        pytest.param("import ctypes; ctypes.string_at(0)", -11, id="a crash stays a crash"),
    ],
)  # fmt: skip
def test_every_end_has_its_code(tmp_path: Path, code: str, expected: int) -> None:
    """The guard ends with the documented number."""
    assert guard(tmp_path, code).returncode == expected


def test_what_was_said_does_not_reach_the_log(tmp_path: Path) -> None:
    """Frames and class of an uncaught exception are in errors.log; its text is nowhere."""
    done = guard(tmp_path, "words = 'we ' + 'fired Ben'\nraise ValueError(words)")
    errors = (tmp_path / "logs" / "errors.log").read_text()
    assert 'program.py", line 2' in errors
    assert "ValueError" in errors
    assert "we fired Ben" not in errors + done.stderr + done.stdout


def test_our_own_errors_are_one_sentence(tmp_path: Path) -> None:
    """An error of ours that reaches the top is its sentence, without frames."""
    done = guard(tmp_path, "from standup.errors import SettingsError; raise SettingsError('Set it.')")
    assert "recorder ended: Set it." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("code", [255, 139])
def test_the_debug_mode_logs_our_own_debug_lines(tmp_path: Path, archive: Archive, code: int) -> None:
    """After an uncaught exception our DEBUG lines are logged, nobody else's; after a crash none."""
    archive.migrate()
    archive.failures.note(Failure(1, "recorder", code))
    archive.failures.answer(archive.failures.unanswered()[0][0])
    done = guard(tmp_path, SAYS_DEBUG)
    assert ("DEBUG ours" in done.stderr) == ("debug mode" in done.stderr) == (code == 255)
    assert "theirs" not in done.stderr


def test_the_archive_is_made_before_the_program_needs_it(tmp_path: Path, archive: Archive) -> None:
    """The first program of a new installation finds tables."""
    code = "from standup.archive import Archive; from standup.settings import load; Archive.of(load()).open_meetings()"
    assert guard(tmp_path, code).returncode == 0


def test_a_program_starts_without_the_archive(tmp_path: Path) -> None:
    """A database that does not answer keeps no program from starting."""
    done = guard(tmp_path, "print('up')", STANDUP_DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert done.stdout == "up\n"
    assert "cannot tell how recorder is to start" in done.stderr
