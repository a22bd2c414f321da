"""What was done about the latest occurrence of each schedule, on disk: a restart does nothing twice.

Kept beside the meetings and not in the database, which may be what is away.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from standup.schedule import Schedule

log = logging.getLogger(__name__)

KEPT_DAYS = 8
#: Longer than from one occurrence to the next.


@dataclass(frozen=True, slots=True)
class Note:
    """What one program did about one occurrence."""

    due_s: int
    """When it is, in seconds since the epoch."""
    is_settled: bool = False
    """Nothing is left to do."""
    messages: Mapping[str, int] = field(default_factory=dict)
    """The messages posted about it, by channel."""


class ScheduleNotes:
    """The notes of one program. Owner: the event loop; disk work goes through a thread."""

    def __init__(self, path: Path) -> None:
        """Read what an earlier run left at *path*; a file that cannot be read counts as none."""
        self._path = path
        self._notes = _read(path)
        self._writing = asyncio.Lock()

    def of(self, schedule: Schedule, due: datetime) -> Note:
        """Return the note on the occurrence at *due*, a blank one when there is none."""
        found = self._notes.get(schedule.voice_channel_id)
        due_s = int(due.timestamp())
        return found if found is not None and found.due_s == due_s else Note(due_s)

    async def settle(self, schedule: Schedule, due: datetime) -> None:
        """Note that nothing is left to do about the occurrence at *due*."""
        await self.keep(schedule, dataclasses.replace(self.of(schedule, due), is_settled=True))

    async def keep(self, schedule: Schedule, note: Note) -> None:
        """Store *note* in place of the former one; a disk that refuses it is logged, this run knows it all the same."""
        self._notes[schedule.voice_channel_id] = note
        oldest_s = note.due_s - KEPT_DAYS * 86_400
        self._notes = {channel: one for channel, one in self._notes.items() if one.due_s >= oldest_s}
        text = json.dumps(
            {channel: dataclasses.asdict(one) for channel, one in self._notes.items()}, indent=1
        )
        async with self._writing:
            try:
                await asyncio.to_thread(_write, self._path, text)
            except OSError as cause:
                log.warning(
                    "What was done about a scheduled meeting could not be noted (%s); free space or check the disk.",
                    cause.strerror or type(cause).__name__,
                )


def nonce(kind: str, schedule: Schedule, due_s: int) -> str:
    """Return what names a message about an occurrence, in the form Discord takes: the same is posted once."""
    name = f"{kind} {schedule.voice_channel_id} {due_s}"
    return hashlib.blake2s(name.encode(), digest_size=12).hexdigest()


def stamp(due_s: int, style: str = "t") -> str:
    """Return a moment as Discord shows it to everybody in their own time; *style* t: time, F: with the date, R: in …"""
    return f"<t:{due_s}:{style}>"


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(timezone.utc)


def _read(path: Path) -> dict[str, Note]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(channel): Note(int(one["due_s"]), bool(one["is_settled"]), dict(one["messages"]))
            for channel, one in raw.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        log.warning("The notes on scheduled meetings at %s cannot be read and are begun anew.", path.name)
        return {}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
