"""The logrotate file that deploy.sh installs, under the real logrotate, while programs write."""

from __future__ import annotations

import gzip
import os
import pwd
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from grp import getgrgid
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "deploy/logrotate.standupbot"
LOGROTATE = shutil.which("logrotate", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}/sbin")
WRITERS, LINES, ROTATIONS = 2, 20_000, 4
READY_S = 30.0

# Writes through the handlers that every program has, as fast as it can, then says what it holds open.
WRITER = """
import logging, os, sys
from pathlib import Path
from standup import logs
name, lines, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
logs.configure("recorder", folder)
logging.getLogger().handlers.pop(0).close()  # stderr, which supervisord keeps
log = logging.getLogger("standup.writer")
print("writing", flush=True)
for number in range(lines):
    log.error("line %s %d", name, number)
    if number == lines // 2:
        sys.stdin.readline()
log.error("line %s %d", name, lines)
held = []
for entry in os.listdir("/proc/self/fd"):
    try:
        held.append(os.readlink(f"/proc/self/fd/{entry}"))
    except OSError:
        pass
print("\\n".join(one for one in held if one.startswith(str(folder))), flush=True)
"""


def configuration(folder: Path) -> str:
    """Return the template as deploy.sh fills it in for *folder*."""
    words = {
        "@LOG_DIR@": str(folder),
        "@USER@": pwd.getpwuid(os.getuid()).pw_name,
        "@GROUP@": getgrgid(os.getgid()).gr_name,
    }
    return re.sub(r"@\w+@", lambda found: words[found[0]], TEMPLATE.read_text())


def test_the_template_keeps_a_week() -> None:
    """Daily, seven kept, compressed, and neither a missing nor an empty file is an error."""
    words = {line.strip() for line in TEMPLATE.read_text().splitlines()}
    assert {"daily", "rotate 7", "compress", "missingok", "notifempty"} <= words


def test_only_our_own_files_are_named() -> None:
    """supervisord's files, which it rotates itself and holds open, are not touched."""
    named = re.findall(r'"@LOG_DIR@/([^"]+)"', TEMPLATE.read_text())
    assert ["recorder.log", "monitor.log", "errors.log"] == named


class Rotation:
    """logrotate with our file and a state of its own."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "logs"
        self.logs.mkdir()
        self._file, self._state = folder / "standupbot", folder / "state"
        self._file.write_text(configuration(self.logs))
        self._file.chmod(0o644)

    def turn(self) -> None:
        """Rotate once, today or not."""
        assert LOGROTATE is not None
        done = subprocess.run(
            [LOGROTATE, "--force", "--state", str(self._state), str(self._file)],
            capture_output=True,
            text=True,
            timeout=READY_S,
            check=False,
        )
        assert (0, "") == (done.returncode, done.stderr)

    def written(self, name: str) -> list[str]:
        """Return every line of a log and its rotated forms, compressed ones too."""
        lines = []
        for path in self.logs.glob(f"{name}*"):
            opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
            with opened as file:
                lines += re.findall(r"line \S+ \d+", file.read())
        return lines


@pytest.fixture
def rotation(tmp_path: Path) -> Rotation:
    """A folder of logs, and logrotate for it."""
    if LOGROTATE is None:
        pytest.skip("logrotate is not installed; ./setup.sh brings it")
    return Rotation(tmp_path)


@contextmanager
def writers(folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Start processes that write to the same logs, and wait until each does."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number), str(LINES), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(WRITERS)
    ]
    try:
        for one in running:
            assert one.stdout is not None
            assert "writing\n" == one.stdout.readline()
        yield running
    finally:
        for one in running:
            one.kill()
            one.communicate()


@pytest.mark.integration
def test_no_line_is_lost(rotation: Rotation) -> None:
    """While two processes write, the logs are rotated four times: each line is there once, in files that exist."""
    with writers(rotation.logs) as running:
        for _ in range(ROTATIONS):
            rotation.turn()
            time.sleep(0.1)
        held = [one.communicate("\n", timeout=READY_S)[0].split("\n") for one in running]
    assert len(list(rotation.logs.glob("errors.log.*"))) > 1, "nothing was written between two rotations"
    expected = sorted(f"line {writer} {number}" for writer in range(WRITERS) for number in range(LINES + 1))
    assert expected == sorted(rotation.written("errors.log"))
    assert expected == sorted(rotation.written("recorder.log"))
    for files in held:
        assert {str(rotation.logs / "errors.log"), str(rotation.logs / "recorder.log")} == set(
            filter(None, files)
        )


@pytest.mark.integration
def test_seven_are_kept(rotation: Rotation) -> None:
    """After ten days there are seven old files, all but the newest compressed, and an empty file is left alone."""
    for day in range(10):
        (rotation.logs / "errors.log").write_text(f"line day {day}\n")
        (rotation.logs / "monitor.log").touch()
        rotation.turn()
    old = sorted(path.name for path in rotation.logs.iterdir() if path.name.startswith("errors.log."))
    assert ["errors.log.1", *(f"errors.log.{number}.gz" for number in range(2, 8))] == old
    assert [] == list(rotation.logs.glob("monitor.log.*"))
    assert {f"line day {day}" for day in range(3, 10)} == set(rotation.written("errors.log"))
