"""The recorder's own disk: manifests and journals, reached through threads so that the event loop never waits.

Every change of a manifest wakes the dispatcher, which takes it into the archive when the database is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from standup.archive import manifest as manifests
from standup.archive.manifest import Manifest, meeting_folder
from standup.capture.journal import Journal, read
from standup.capture.segments import segments
from standup.capture.writer import JournalWriter
from standup.errors import ArchiveError
from standup.meeting import Meeting

log = logging.getLogger(__name__)

JOURNAL = "journal"


class Shelf:
    """Manifests and journals under DATA_DIR. Owner: the event loop."""

    def __init__(self, data_dir: Path, wake: Callable[[], None]) -> None:
        self._data_dir = data_dir
        self._wake = wake

    async def keep(self, manifest: Manifest) -> bool:
        """Store *manifest*; return False, with the reason logged, when the disk refuses it."""
        try:
            await asyncio.to_thread(manifests.write, self._data_dir, manifest)
        except OSError as cause:
            log.error(
                "The manifest could not be stored (%s); free space or check the disk. The recording goes on.",
                cause.strerror or type(cause).__name__,
            )
            return False
        self._wake()
        return True

    async def open_journal(self, meeting: Meeting) -> JournalWriter:
        """Begin a segment of the meeting's journal behind those that are there; raise AudioCaptureError."""
        start_ns = round(meeting.started_at.timestamp() * 1_000_000) * 1000
        return await asyncio.to_thread(JournalWriter, self._journal(meeting.id), start_ns)

    async def discard_empty(self, meeting_id: str) -> None:
        """Remove the folder of a meeting that never began: its journal has no packet, and its manifest, if there is
        one, was kept from the archive."""
        await asyncio.to_thread(self._discard_empty, meeting_id)

    async def manifests(self) -> tuple[Manifest, ...]:
        """Return all readable manifests, oldest meeting first; the others are logged and left alone."""
        return tuple(await asyncio.to_thread(lambda: list(self._readable())))

    async def last_packet_at(self, meeting_id: str) -> datetime | None:
        """Return when the newest packet of a meeting arrived; None when there is none. Raises JournalUnreadable."""
        return await asyncio.to_thread(last_packet_at, self._journal(meeting_id))

    async def last_alive_at(self, meeting_id: str) -> datetime | None:
        """Return when a recorder last wrote the manifest or the journal of a meeting; None when it has neither."""
        return await asyncio.to_thread(self._last_alive_at, meeting_id)

    def _last_alive_at(self, meeting_id: str) -> datetime | None:
        changed_ns = [manifests.changed_ns(self._data_dir, meeting_id)]
        journal = self._journal(meeting_id)
        if journal.is_dir():
            changed_ns += [segment.stat().st_mtime_ns for _, segment in segments(journal)]
        newest_ns = max(changed_ns)
        return datetime.fromtimestamp(newest_ns / 1e9, timezone.utc) if newest_ns else None

    def _journal(self, meeting_id: str) -> Path:
        return meeting_folder(self._data_dir, meeting_id) / JOURNAL

    def _readable(self) -> Iterator[Manifest]:
        for meeting_id in manifests.scan(self._data_dir):
            try:
                yield manifests.read(self._data_dir, meeting_id)
            except ArchiveError as problem:
                log.error("%s", problem)

    def _discard_empty(self, meeting_id: str) -> None:
        folder = meeting_folder(self._data_dir, meeting_id)
        journal = self._journal(meeting_id)
        if self._has_begun(meeting_id) or not journal.is_dir() or last_packet_at(journal) is not None:
            return
        (folder / manifests.NAME).unlink(missing_ok=True)
        for segment in journal.iterdir():
            segment.unlink()
        with contextlib.suppress(OSError):  # something else lies there: it stays
            journal.rmdir()
            folder.rmdir()

    def _has_begun(self, meeting_id: str) -> bool:
        """Return whether a meeting has a manifest that the archive has taken or may take."""
        if not manifests.changed_ns(self._data_dir, meeting_id):
            return False
        try:
            found = manifests.read(self._data_dir, meeting_id)
        except ArchiveError as problem:
            log.error("%s", problem)
            return True
        return found.meeting.ended_at is not None or not found.adopted


def last_packet_at(journal: Path) -> datetime | None:
    """Return the arrival of the newest packet in *journal*; None when it holds none or is not there.

    Reads segments from the newest back, only as many as it needs. Raises JournalUnreadable.
    """
    if not journal.is_dir():
        return None
    for segment in reversed(read(journal).segments):
        arrivals = [stored.record.wall_ns for stored in Journal((segment,)).records()]
        if arrivals:
            return datetime.fromtimestamp(max(arrivals) / 1e9, timezone.utc)
    return None
