"""Archives that have their tables and nothing in them: the migrations run once, and every test gets a copy."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from standup.archive import Archive


def migrated(archive: Archive) -> Archive:
    """Return *archive*, which has no file yet, with the tables that `Archive.migrate` makes."""
    database = Path(str(archive._engine.url.database))
    database.parent.mkdir(parents=True, exist_ok=True)
    database.write_bytes(_empty())
    return archive


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "standup.sqlite3"
        archive = Archive(f"sqlite:///{database}", folder)
        archive.migrate()
        archive.close()  # the write-ahead log goes into the file
        return database.read_bytes()
