"""The recorder's sign of life: a file under DATA_DIR that it touches while its gateway connection stands.

Both sessions of a bot are one user in Discord, so the gateway cannot tell the monitor whether the recorder's is there.
"""

from __future__ import annotations

import time
from pathlib import Path

NAME = "recorder.alive"
BEAT_S = 5.0
SILENT_AFTER_S = 30.0
#: Longer than a restart of the recorder takes.


def beat(data_dir: Path) -> None:
    """Show that the recorder is connected; raise OSError when the disk refuses it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / NAME).touch()


def silent_s(data_dir: Path) -> float | None:
    """Return the seconds since the last beat; None when there never was one."""
    try:
        return max(0.0, time.time() - (data_dir / NAME).stat().st_mtime)
    except OSError:
        return None
