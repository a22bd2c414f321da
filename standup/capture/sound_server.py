"""PulseAudio, where it is the machine's sound server: restarted when its microphones have stopped.

PipeWire, plain ALSA and other systems have no ``pulseaudio`` command; there is nothing to restart then.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import time

COMMAND = "pulseaudio"
COMMAND_S = 10.0
GONE_S = 3.0
#: `--kill` returns before the daemon has ended, and `--start` beside a daemon that is ending starts nothing.
LOOK_EVERY_S = 0.05

_log = logging.getLogger(__name__)


def restart() -> bool:
    """Run ``pulseaudio --kill`` and ``pulseaudio --start``; return False when there is no such command.

    Never raises: whether it helped is seen when a microphone is opened. Takes at most half a minute.
    """
    if shutil.which(COMMAND) is None:
        return False
    _log.warning("Restarting the sound server: pulseaudio --kill, pulseaudio --start")
    _run("--kill")
    deadline = time.monotonic() + GONE_S
    while _run("--check") == 0 and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    if _run("--start") != 0:
        _log.warning("pulseaudio --start failed; run it by hand to see why")
    return True


def _run(option: str) -> int | None:
    """Return the exit status of ``pulseaudio OPTION``; None when it could not be run or took too long."""
    try:
        return subprocess.run(
            [COMMAND, option],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_S,
            check=False,
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None
