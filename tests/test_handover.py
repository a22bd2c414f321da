"""Giving work back when the worker is to stop."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import os
from standup import handover
handover.check()
handover.listen()
os.kill(os.getpid(), handover.SIGNAL)
try:
    handover.check()
except handover.HandedBack:
    print("handed back")
"""


def test_the_wish_ends_the_stage_at_its_next_step() -> None:
    """A process that was not asked goes on; after the signal the next check ends the stage, not the process."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "handed back\n"
