"""Where commands are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.archive import Archive
from standup.settings import load
from tests.empty_archives import migrated


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with an archive of its own to run commands in."""
    monkeypatch.chdir(tmp_path)
    archive = migrated(Archive.of(load()))
    archive.close()
    return tmp_path
