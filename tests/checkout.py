"""The checkout that is tested: its files, copies of it, and git in those."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOMEBODY: Mapping[str, str] = {
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@localhost",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@localhost",
}
#: Whoever commits in a copy.
GIT_LIMIT_S = 60


def git(folder: Path, *words: str) -> str:
    """Return what git, which has to succeed, prints in a folder."""
    done = subprocess.run(
        ["git", "-c", "commit.gpgsign=false", *words],
        cwd=folder,
        env={**os.environ, **SOMEBODY},
        capture_output=True,
        text=True,
        check=True,
        timeout=GIT_LIMIT_S,
    )
    return done.stdout.strip()


@cache
def files() -> tuple[Path, ...]:
    """Return every file of the checkout that git knows or would take."""
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return tuple(path for one in listed if one and (path := ROOT / one).is_file())


def copy_to(folder: Path) -> None:
    """Copy these files, changes that are not committed included; commit them on `main`, with this `.venv` beside."""
    for path in files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (folder / ".venv").symlink_to(sys.prefix)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "[System] Begin")
