"""Runs one program, ends with the documented exit code, and leaves a record of how the program ended.

A program killed by signal N ends with 128 + N here (139 for SIGSEGV, 137 for SIGKILL), so that supervisord, the
logs and the operator speak of the same number. Signals that ask to stop are passed on to the program. A program
that dies again and again is started later each time (`standup.failures.hold_back_s`).

``standup run PROGRAM`` becomes ``python -m standup.supervision.launch PROGRAM -- COMMAND…``, which needs a seventh
of the command line's memory for as long as the program runs; this module therefore imports the standard library
and pure modules only.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, NoReturn

from standup.errors import ServiceMissing, StandupError
from standup.failures import documented, hold_back_s
from standup.supervision import exits
from standup.supervision.exits import Exit

if TYPE_CHECKING:
    from standup.settings import Settings

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
ASKED_TO_STOP = 128 + signal.SIGTERM
PR_SET_PDEATHSIG = 1  # prctl(2)
SUPERVISED = "SUPERVISOR_ENABLED"
#: supervisord sets it for its programs; a launcher that was started by hand outlives its terminal.
GUARD = "standup.supervision.guard"
# Looked up before any fork: between fork and exec nothing may be loaded.
_LIBC = ctypes.CDLL(None)


def run(program: str, settings: Settings, environment: Mapping[str, str] | None = None) -> NoReturn:
    """Become the launcher of *program*; supervisord keeps the process it knows.

    *environment* holds variables for the program beside the inherited ones. Raises SettingsError for a
    program that is unknown or not to be started here.
    """
    # Imports the settings, which the process that this one becomes does without.
    from standup.supervision.programs import command

    argv = command(program, settings)
    if program == "redis":
        (settings.data_dir / "redis").mkdir(parents=True, exist_ok=True)
    record = settings.data_dir.absolute() / exits.FILE_NAME
    sys.stdout.flush()
    launcher = (sys.executable, "-m", "standup.supervision.launch", "--record", str(record), program, "--")
    os.execve(sys.executable, (*launcher, *argv), {**os.environ, **(environment or {})})


def refuse(program: str, code: int, record: Path) -> None:
    """Leave the exit record of a program that cannot be launched, as a launcher leaves one of what it ran.

    Waits before that as long as its start would have been held back.
    """
    launcher = Launcher(program, (), record)
    launcher._held_back(threading.Event())
    launcher._note(code, time.monotonic())


def start(
    argv: Sequence[str], environment: Mapping[str, str] | None = None, output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command that is asked to stop when we die; *output* takes what it prints (default: our own).

    Raises ServiceMissing when the command is not installed.
    """
    if shutil.which(argv[0]) is None:
        raise ServiceMissing(f"{argv[0]} is not installed; run ./setup.sh, or install it and try again.")
    return subprocess.Popen(
        argv,
        env={**os.environ, **(environment or {})},
        stdout=output,
        stderr=output and subprocess.STDOUT,
        preexec_fn=_die_with_parent,
    )


def guarded(argv: Sequence[str]) -> list[str]:
    """Return *argv* with a Python module run under `standup.supervision.guard`; other commands as they are."""
    if len(argv) > 2 and argv[0] == sys.executable and argv[1] == "-m" and argv[2] != GUARD:
        return [sys.executable, "-m", GUARD, *argv[2:]]
    return list(argv)


@dataclass(slots=True)
class Launcher:
    """One run of one program. Owner: the main thread, which also receives the signals."""

    program: str
    argv: Sequence[str]
    record: Path
    """Where the exit record goes."""
    _child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Start the program, when it is time to; return the documented code once it has ended.

        Raises ServiceMissing when its command is not installed.
        """
        if SUPERVISED in os.environ:
            _die_with_parent()
        stopping = threading.Event()
        mark = self._mark()

        def pass_on(number: int, _frame: FrameType | None) -> None:
            stopping.set()
            if self._child is not None:
                self._child.send_signal(number)

        for number in PASSED_ON:
            signal.signal(number, pass_on)
        try:
            return self._run(stopping)
        finally:
            if mark is not None:
                mark.unlink(missing_ok=True)

    def _run(self, stopping: threading.Event) -> int:
        if self._held_back(stopping):
            return ASKED_TO_STOP
        began_s = time.monotonic()
        try:
            # A crash inside a C library prints where; the program's own children inherit this.
            variables = {"STANDUP_PROGRAM": self.program, "PYTHONFAULTHANDLER": "1"}
            self._child = start(guarded(self.argv), variables)
        except StandupError as problem:
            self._note(problem.exit_status, began_s)
            raise
        if stopping.is_set():
            self._child.send_signal(signal.SIGTERM)
        code = documented(self._child.wait())
        self._note(code, began_s)
        return code

    def _mark(self) -> Path | None:
        """Note that we run; a disk that does not take the note keeps no program from starting."""
        try:
            return exits.mark(self.record, self.program, os.getpid(), _now_ms())
        except OSError as cause:
            _say(f"How {self.program} ends cannot be kept ({cause.strerror}); look after the disk.")
            return None

    def _held_back(self, stopping: threading.Event) -> bool:
        """Wait as long as the last deaths ask for; return whether we were asked to stop meanwhile."""
        try:
            deaths = exits.fast_deaths(exits.read(self.record), self.program, _now_ms())
        except OSError:  # `_mark` has said so
            return False
        wait_s = hold_back_s(deaths)
        if wait_s:
            _say(f"{self.program} has died fast {deaths} times in a row; it is started in {wait_s:g} s.")
        return stopping.wait(wait_s)

    def _note(self, code: int, began_s: float) -> None:
        uptime_ms = int((time.monotonic() - began_s) * 1000)
        pid = self._child.pid if self._child else 0
        ended = Exit(uuid.uuid4().hex, self.program, code, _now_ms(), uptime_ms, os.getpid(), pid)
        try:
            exits.append(self.record, ended)
        except OSError as cause:
            # The code still reaches supervisord; only its recovery and its alert are lost.
            _say(
                f"The exit record of {self.program} could not be written ({cause.strerror}); free some space."
            )


def main(arguments: Sequence[str]) -> int:
    """Run ``[--record FILE] PROGRAM -- COMMAND…``; return the exit status."""
    parser = argparse.ArgumentParser("python -m standup.supervision.launch", description=main.__doc__)
    default = Path(os.environ.get("STANDUP_DATA_DIR", "data")) / exits.FILE_NAME
    parser.add_argument("--record", type=Path, default=default, help="where exit records go")
    parser.add_argument("program", help="the name it goes by")
    parser.add_argument("command", nargs="+", help="its argument vector, after --")
    found = parser.parse_args(arguments)
    try:
        return Launcher(found.program, found.command, found.record).run()
    except StandupError as problem:
        _say(str(problem))
        return problem.exit_status


def _say(text: str) -> None:
    # Standard output may belong to supervisord's event protocol.
    print(text, file=sys.stderr, flush=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _die_with_parent() -> None:
    # Without this, killing the launcher (or supervisord) leaves the program running, and the next start would
    # have two of it.
    if sys.platform == "linux":
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
