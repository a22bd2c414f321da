"""The line for cron starts the system as a machine does that was switched on again."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.documents.scratch import Scratch, scratch

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

LIMIT_S = 30
#: What cron of Debian gives a command, and nothing else.
CRONS = {"HOME": "/", "LOGNAME": "somebody", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}


def cron_command(folder: Path) -> str:
    """Return what the document has cron run at boot, for a checkout in *folder*."""
    text = (ROOT / "docs/deployment_flow.md").read_text(encoding="utf-8")
    found = re.search(r'echo "@reboot (?P<command>[^"]+)"', text)
    assert found is not None
    return found["command"].replace("$PWD", str(folder))


def lose_power(data: Path) -> None:
    """Leave what a supervisord leaves that could not end: the number of a process that is gone, and a dead socket."""
    data.mkdir(exist_ok=True)
    gone = subprocess.Popen(["true"])
    gone.wait(LIMIT_S)
    (data / "supervisord.pid").write_text(f"{gone.pid}\n")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(data / "supervisor.sock"))


async def is_running(checkout: Scratch, program: str) -> bool:
    """Return whether supervisord counts a program as started, within half a minute."""
    command = [".venv/bin/supervisorctl", "-c", "supervisord.conf", "status", program]
    for _ in range(LIMIT_S):
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=checkout.folder, capture_output=True, text=True, timeout=LIMIT_S
        )
        if "RUNNING" in done.stdout:
            return True
        await asyncio.sleep(1)
    return False


async def test_the_line_for_cron_starts_the_system() -> None:
    """In cron's bare environment, in another folder, after a loss of power, the documented line starts the programs."""
    async with scratch() as checkout:
        lose_power(checkout.folder / "data")
        command = ["sh", "-c", cron_command(checkout.folder)]
        started = await asyncio.to_thread(subprocess.run, command, cwd="/", env=CRONS, timeout=LIMIT_S)

        assert started.returncode == 0
        assert await is_running(checkout, "redis")
