"""Coverage data of processes that were killed while they wrote it.

Every program that the tests start leaves a file of its own, written without a journal; `kill -9` at that moment leaves
it torn. Combining such a file fails, and with it the whole run, although what the others left is sound.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def drop_torn(data_file: Path) -> list[Path]:
    """Delete the torn ones of the files that are to be combined into *data_file*; return them."""
    torn = [one for one in sorted(data_file.parent.glob(f"{data_file.name}.*")) if _is_torn(one)]
    for one in torn:
        one.unlink(missing_ok=True)
    return torn


def _is_torn(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.OperationalError:  # locked: a process that still lives is writing it
        return False
    except sqlite3.DatabaseError:
        return True
