"""Exit records: how each program ended, one JSON line per end in ``DATA_DIR/exits.jsonl``.

supervisord's events carry no exit code, so the launcher leaves a record before it exits, and the sentinel reads
them. Lines are appended whole, under a lock; at ``FULL_BYTES`` the file becomes ``exits.jsonl.1`` and the one
before is dropped, so both together stay below twice that. Only the standard library is used here: every launcher
keeps this in memory.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from standup.failures import mode_of

FILE_NAME = "exits.jsonl"
MARKS = "launchers"
KILLED = 137
FULL_BYTES = 256 * 1024
FAST_MS = 60_000
#: A program that dies sooner has died fast.
FORGIVEN_MS = 600_000
#: Fast deaths longer ago than this hold no start back.


@dataclass(frozen=True, slots=True)
class Exit:
    """How one run of a program ended."""

    id: str
    """Names this end."""
    program: str
    code: int
    """As a shell spells it."""
    at_ms: int
    """Milliseconds since the epoch."""
    uptime_ms: int
    launcher_pid: int
    """The process that supervisord knows."""
    pid: int
    """The program's own process; 0 when it could not be started."""

    @property
    def is_failure(self) -> bool:
        """Whether the program was not asked to end."""
        return mode_of(self.code).is_failure


def append(path: Path, ended: Exit) -> None:
    """Add a record to the file at *path*, making it and its folder. Raises OSError when the disk does not take it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(ended)).encode() + b"\n"
    with path.with_name(f"{path.name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_size + len(line) > FULL_BYTES:
            path.replace(_older(path))
        with path.open("ab", buffering=0) as file:
            before_bytes = file.tell()
            if file.write(line) != len(line):
                # A full disk took a part: half a line would spoil the next one.
                file.truncate(before_bytes)
                raise OSError(28, "No space left for an exit record")
        os.chmod(path, 0o600)


def read(path: Path) -> tuple[Exit, ...]:
    """Return every record that is kept, oldest first; lines that are no record are left out."""
    lines = [
        line for file in (_older(path), path) if file.exists() for line in file.read_bytes().splitlines()
    ]
    return tuple(found for found in map(_parse, lines) if found is not None)


def mark(path: Path, program: str, launcher_pid: int, now_ms: int) -> Path:
    """Note that a launcher runs; return the note, which it removes before it ends. Earlier ones go.

    A launcher that supervisord saw end and whose note is still there was killed.
    """
    folder = path.with_name(MARKS)
    folder.mkdir(parents=True, exist_ok=True)
    for older in folder.glob(f"{program}.*"):
        older.unlink(missing_ok=True)
    made = folder / f"{program}.{launcher_pid}"
    made.write_text(str(now_ms))
    return made


def killed(path: Path, program: str, launcher_pid: int, now_ms: int) -> Exit | None:
    """Return the end of a launcher that left its note behind, None when there is no such note."""
    left = path.with_name(MARKS) / f"{program}.{launcher_pid}"
    try:
        started_ms = int(left.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return Exit(
        f"{left.name}.{started_ms}"[:64], program, KILLED, now_ms, now_ms - started_ms, launcher_pid, 0
    )


def fast_deaths(ends: Iterable[Exit], program: str, now_ms: int) -> int:
    """Return how often *program* has died fast in a row, up to now; any other end begins a new count."""
    count = 0
    for one in ends:
        if one.program == program:
            count = count + 1 if one.is_failure and one.uptime_ms < FAST_MS else 0
            if now_ms - one.at_ms > FORGIVEN_MS:
                count = 0
    return count


def _older(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _parse(line: bytes) -> Exit | None:
    try:
        return Exit(**json.loads(line))
    except (ValueError, TypeError):
        return None
