"""Where commands are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.archive import Archive
from standup.settings import load


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with an archive of its own to run commands in."""
    monkeypatch.chdir(tmp_path)
    archive = Archive.of(load())
    archive.migrate()
    archive.close()
    return tmp_path
