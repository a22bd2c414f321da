"""A recording by microphone on disk, until it has ended.

It lies under ``DATA_DIR/microphone``, where the bot's programs, which would miss its voice channel, do not look;
then it is renamed into place as a whole, and the dispatchers find it. Who records holds a lock on the folder, so
that what a killed one left is known for it: `rescue` ends it at its last packet.
"""

from __future__ import annotations

import dataclasses
import fcntl
import logging
import os
from datetime import datetime
from pathlib import Path

from standup.archive import manifest as manifests
from standup.archive.manifest import Manifest, ManifestUnreadable, meeting_folder
from standup.bot.shelf import JOURNAL, last_packet_at
from standup.errors import JournalUnreadable
from standup.meeting import Meeting, MeetingState

FOLDER = "microphone"

log = logging.getLogger(__name__)


class Draft:
    """The folder of a meeting that is being recorded, locked while this object lives. One owner."""

    def __init__(self, data_dir: Path, meeting_id: str) -> None:
        """Lock the folder, which is there; raise BlockingIOError when another process records into it."""
        self._data_dir = data_dir
        self.folder = meeting_folder(data_dir / FOLDER, meeting_id)
        self._lock = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise

    @classmethod
    def make(cls, data_dir: Path, manifest: Manifest) -> Draft:
        """Make the folder of a new meeting and store its manifest."""
        meeting_folder(data_dir / FOLDER, manifest.meeting.id).mkdir(parents=True)
        # The lock comes first: without a manifest `rescue` does not see the folder.
        draft = cls(data_dir, manifest.meeting.id)
        manifests.write(data_dir / FOLDER, manifest)
        return draft

    @property
    def manifest(self) -> Manifest:
        """What is known of the meeting. Raises ManifestUnreadable."""
        return manifests.read(self._data_dir / FOLDER, self.folder.name)

    def keep(self, **changes: object) -> None:
        """Store the manifest with *changes* to its meeting."""
        manifest = self.manifest
        meeting = dataclasses.replace(manifest.meeting, **changes)  # type: ignore[arg-type]
        manifests.write(self._data_dir / FOLDER, dataclasses.replace(manifest, meeting=meeting))

    def finish(self, ended_at: datetime) -> Meeting:
        """End the meeting and put it, as a whole, where the pipeline finds it."""
        self.keep(ended_at=ended_at, state=MeetingState.PROCESSING)
        meeting = self.manifest.meeting
        target = meeting_folder(self._data_dir, meeting.id)
        target.parent.mkdir(parents=True, exist_ok=True)
        self.folder.rename(target)
        self.close()
        return meeting

    def close(self) -> None:
        """Give the lock back; an unfinished recording is left to `rescue`."""
        os.close(self._lock)


def rescue(data_dir: Path) -> tuple[str, ...]:
    """End what a killed recording left, at its last packet; return the ids of these meetings.

    Recordings that go on in another process are left alone; one whose manifest cannot be read is logged.
    """
    found = []
    for meeting_id in list(manifests.scan(data_dir / FOLDER)):
        try:
            draft = Draft(data_dir, meeting_id)
        except (BlockingIOError, FileNotFoundError):  # it goes on, or has just ended
            continue
        try:
            draft.finish(_ended_at(draft))
        except ManifestUnreadable as problem:
            log.error("%s", problem)
            draft.close()
        else:
            found.append(meeting_id)
    return tuple(found)


def _ended_at(draft: Draft) -> datetime:
    """Return when a killed recording ended: at its last packet, or as it had just written itself."""
    meeting = draft.manifest.meeting
    try:
        return meeting.ended_at or last_packet_at(draft.folder / JOURNAL) or meeting.started_at
    except JournalUnreadable as problem:
        log.error("%s", problem)
        return meeting.started_at
