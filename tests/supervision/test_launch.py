"""Running a program, and the number it ends with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from standup.errors import ServiceMissing
from standup.supervision.launch import exit_code, start


@pytest.mark.parametrize(
    ("returncode", "expected"), [(0, 0), (1, 1), (255, 255), (-11, 139), (-9, 137), (-6, 134), (-15, 143)]
)
def test_exit_codes_are_the_shells(returncode: int, expected: int) -> None:
    """Python's -N is the 128 + N that the documentation names."""
    assert expected == exit_code(returncode)


def test_a_missing_command_names_the_next_step() -> None:
    """A program that is not installed is told with what to run."""
    with pytest.raises(ServiceMissing, match=r"nonesuch is not installed; run \./setup\.sh"):
        start(["nonesuch"])


def test_the_child_has_the_environment(tmp_path: Path) -> None:
    """Variables reach the child, on top of our own; what it prints goes to the file."""
    with (tmp_path / "out").open("wb") as output:
        child = start([sys.executable, "-c", "import os; print(os.environ['X'])"], {"X": "42"}, output)
    assert child.wait(20) == 0
    assert (tmp_path / "out").read_text() == "42\n"


PARENT = """
import sys, time
from standup.supervision.launch import start
child = start([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.integration
def test_a_child_does_not_outlive_its_launcher() -> None:
    """`kill -9` of the launcher ends the program too, so that a restart never has two."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert {parent.stdout.readline().strip() for _ in range(2)} >= {"up"}
    parent.kill()
    parent.wait(10)
    with parent.stdout:
        # The end of the pipe is the end of the child, which held its other end; it would sleep for a minute.
        assert parent.stdout.read() == ""


@pytest.mark.integration
@pytest.mark.parametrize(("number", "expected"), [(signal.SIGSEGV, 139), (signal.SIGKILL, 137)])
def test_run_ends_with_the_documented_code(number: signal.Signals, expected: int, tmp_path: Path) -> None:
    """`standup run` ends with 128 + N when signal N kills its program."""
    variables = {
        **os.environ,
        "STANDUP_DATA_DIR": str(tmp_path),
        "STANDUP_BROKER_URL": f"redis+socket://{tmp_path}/r.sock?virtual_host=0",
    }
    launcher = subprocess.Popen(
        [sys.executable, "-m", "standup", "run", "redis"], env=variables, stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout is not None
    with launcher.stdout:
        line = next(line for line in launcher.stdout if "ready to accept" in line)
        os.kill(int(line.split(":")[0]), number)
        launcher.stdout.read()
    assert launcher.wait(20) == expected
