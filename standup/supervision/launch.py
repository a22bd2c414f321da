"""Runs one program and ends with the documented exit code.

A program killed by signal N ends with 128 + N here (139 for SIGSEGV, 137 for SIGKILL), so that supervisord, the
logs and the operator speak of the same number. Signals that ask to stop are passed on, once, to the program.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import IO

from standup.errors import ServiceMissing
from standup.settings import Settings
from standup.supervision.programs import command

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # prctl(2)
# Looked up before any fork: between fork and exec nothing may be loaded.
_LIBC = ctypes.CDLL(None)


def run(program: str, settings: Settings, environment: Mapping[str, str] | None = None) -> int:
    """Run *program* until it ends; return its exit code, 128 + signal for a death by signal.

    Raises SettingsError for an unknown program and ServiceMissing when its command is not installed.
    """
    if program == "redis":
        (settings.data_dir / "redis").mkdir(parents=True, exist_ok=True)
    child = start(command(program, settings), environment)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in PASSED_ON:
        signal.signal(number, pass_on)
    return exit_code(child.wait())


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


def exit_code(returncode: int) -> int:
    """Return the shell's spelling of a return code: -11 becomes 139."""
    return 128 - returncode if returncode < 0 else returncode


def _die_with_parent() -> None:
    # Without this, killing the launcher (or supervisord) leaves the program running, and the next start would
    # have two of it.
    if sys.platform == "linux":
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
