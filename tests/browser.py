"""A real browser without a window."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LIMIT_S = 100
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # No look at the network beyond the page.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def browse(address: str, folder: Path, *options: str) -> str:
    """Return what headless Chromium prints for a page; *folder* takes its profile."""
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={folder / 'profile'}", *options, address]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=True, timeout=LIMIT_S
    )
    return done.stdout
