"""Running a program, and the number it ends with."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from standup.errors import ServiceMissing
from standup.supervision import exits
from standup.supervision.exits import Exit
from standup.supervision.launch import GUARD, PASSED_ON, Launcher, guarded, start


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


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        pytest.param(
            [sys.executable, "-m", "x", "-y"], [sys.executable, "-m", GUARD, "x", "-y"], id="a module of ours"
        ),
        pytest.param([sys.executable, "-c", "pass"], [sys.executable, "-c", "pass"], id="not a module"),
        pytest.param(
            [sys.executable, "-m", GUARD, "x"], [sys.executable, "-m", GUARD, "x"], id="guarded already"
        ),
        pytest.param(["redis-server", "-m", "x"], ["redis-server", "-m", "x"], id="not Python"),
    ],
)
def test_python_programs_are_guarded(argv: list[str], expected: list[str]) -> None:
    """A Python module runs under the guard, anything else as it is."""
    assert expected == guarded(argv)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / exits.FILE_NAME


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Launchers take the signals over; the test run gets its own back."""
    before = {number: signal.getsignal(number) for number in PASSED_ON}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("import os; os.kill(os.getpid(), 11)", 139, id="SIGSEGV"),
        pytest.param("import os; os.kill(os.getpid(), 9)", 137, id="SIGKILL"),
        pytest.param("import os; os.abort()", 134, id="SIGABRT"),
        pytest.param("import os; os.kill(os.getpid(), 15)", 143, id="SIGTERM"),
        pytest.param("raise SystemExit(78)", 78, id="its own status"),
        pytest.param("", 0, id="done"),
    ],
)
def test_every_end_leaves_its_record(record: Path, code: str, expected: int) -> None:
    """A launcher ends with the documented number, and the same number is in the record."""
    assert Launcher("worker-gpu", [sys.executable, "-c", code], record).run() == expected
    (found,) = exits.read(record)
    assert (found.program, found.code, found.launcher_pid) == ("worker-gpu", expected, os.getpid())
    assert list(record.with_name("launchers").iterdir()) == []


def test_a_program_that_is_missing_is_recorded(record: Path) -> None:
    """A command that is not installed leaves 69, so that its starts are held back too."""
    with pytest.raises(ServiceMissing):
        Launcher("worker-gpu", ["nonesuch"], record).run()
    assert [one.code for one in exits.read(record)] == [69]


def test_a_program_knows_its_name(record: Path, tmp_path: Path) -> None:
    """The program, and whatever it starts, can tell which program it is, and tells where a C library crashed."""
    code = "import os; print(os.environ['STANDUP_PROGRAM'], os.environ['PYTHONFAULTHANDLER'])"
    printing = f"{sys.executable} -c {shlex.quote(code)} >{shlex.quote(str(tmp_path / 'out'))}"
    assert Launcher("beat", ["sh", "-c", printing], record).run() == 0
    assert (tmp_path / "out").read_text() == "beat 1\n"


def test_a_disk_that_takes_nothing_hides_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a place for its record a program starts, its code reaches supervisord, and the reason is said."""
    (tmp_path / "file").touch()
    record = tmp_path / "file" / exits.FILE_NAME
    assert Launcher("beat", [sys.executable, "-c", "raise SystemExit(5)"], record).run() == 5
    assert "exit record of beat could not be written" in capsys.readouterr().err


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


SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def launcher_process(record: Path, *command: str) -> subprocess.Popen[str]:
    """Start a launcher as supervisord does."""
    module = [sys.executable, "-m", "standup.supervision.launch", "--record", str(record), "beat", "--"]
    return subprocess.Popen([*module, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.integration
def test_a_wish_to_stop_is_passed_on(record: Path) -> None:
    """SIGTERM reaches the program, and its end is no failure."""
    launcher = launcher_process(record, *SLEEPER)
    assert launcher.stdout is not None
    assert launcher.stdout.readline() == "up\n"
    launcher.terminate()
    assert launcher.wait(10) == 143
    launcher.communicate()
    assert [one.is_failure for one in exits.read(record)] == [False]


@pytest.mark.integration
def test_a_crash_loop_is_held_back_and_can_be_stopped(record: Path) -> None:
    """After fast deaths a start waits, says so, and gives up at once when asked to stop."""
    for number in range(6):
        exits.append(record, Exit(str(number), "beat", 139, time.time_ns() // 10**6, 100, 1, 2))
    launcher = launcher_process(record, *SLEEPER)
    assert launcher.stderr is not None
    assert "died fast 6 times in a row; it is started in 32 s" in launcher.stderr.readline()
    launcher.terminate()
    assert launcher.wait(5) == 143
    assert launcher.communicate()[0] == ""


@pytest.mark.integration
def test_a_launcher_is_light() -> None:
    """The launcher of each program keeps no library in memory but Python's own."""
    code = "import sys, standup.supervision.launch; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    )
    assert {"pydantic", "sqlalchemy", "typer", "celery", "discord"} & set(done.stdout.split()) == set()
