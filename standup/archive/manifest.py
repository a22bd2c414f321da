"""``meeting.json``: what the recorder knows of a meeting, beside its journal.

The recorder writes it on its own disk, so that a meeting goes on with the database away; `Archive.adopt`
turns it into rows whenever it can. Written atomically; a reader sees the old or the new one, never half.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from standup.errors import ArchiveError
from standup.meeting import Gap, Meeting, MeetingState, Participant

NAME = "meeting.json"


class ManifestUnreadable(ArchiveError):
    """A meeting's manifest cannot be read; its journal is untouched."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A meeting as the recorder saw it."""

    meeting: Meeting
    participants: tuple[Participant, ...] = ()
    message_id: str = ""
    """The one message of this meeting in its text channel; empty when nothing is posted (an import)."""
    adopted: bool = False
    """The archive has everything in here, and nothing will be added."""


def meeting_folder(data_dir: Path, meeting_id: str) -> Path:
    """Return the folder of a meeting under DATA_DIR."""
    return data_dir / "meetings" / meeting_id


def write(data_dir: Path, manifest: Manifest) -> None:
    """Store *manifest* in its meeting's folder: temporary name, fsync, rename."""
    folder = meeting_folder(data_dir, manifest.meeting.id)
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f".{NAME}.{os.getpid()}"
    with scratch.open("w", encoding="utf-8") as file:
        json.dump(_serialize(manifest), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(folder / NAME)


def read(data_dir: Path, meeting_id: str) -> Manifest:
    """Return the manifest of a meeting; raise ManifestUnreadable when it is not there or broken."""
    path = meeting_folder(data_dir, meeting_id) / NAME
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise ManifestUnreadable(
            f"The manifest of meeting {meeting_id} cannot be read; its journal is untouched. "
            f"Restore {NAME} from a backup, or import the tracks by hand."
        ) from cause


def scan(data_dir: Path) -> Iterator[str]:
    """Yield the ids of all meetings that have a manifest here, oldest first."""
    for path in sorted((data_dir / "meetings").glob(f"*/{NAME}")):
        yield path.parent.name


def changed_ns(data_dir: Path, meeting_id: str) -> int:
    """Return when the manifest of a meeting was last written; 0 when it has gone."""
    try:
        return (meeting_folder(data_dir, meeting_id) / NAME).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _serialize(manifest: Manifest) -> dict[str, object]:
    meeting = manifest.meeting
    return {
        "id": meeting.id,
        "guild_id": meeting.guild_id,
        "voice_channel_id": meeting.voice_channel_id,
        "voice_channel_name": meeting.voice_channel_name,
        "text_channel_id": meeting.text_channel_id,
        "started_at": meeting.started_at.isoformat(),
        "ended_at": meeting.ended_at.isoformat() if meeting.ended_at else None,
        "gaps": [[one.from_ms, one.until_ms] for one in meeting.gaps],
        "unsighted_people": meeting.unsighted_people,
        "participants": [{"id": one.id, "name": one.name} for one in manifest.participants],
        "message_id": manifest.message_id,
        "adopted": manifest.adopted,
    }


def _parse(raw: dict[str, object]) -> Manifest:
    ended_at = raw["ended_at"]
    participants, gaps = raw["participants"], raw["gaps"]
    if not isinstance(participants, list) or not isinstance(gaps, list):
        raise TypeError("participants and gaps must be lists")
    return Manifest(
        Meeting(
            id=str(raw["id"]),
            guild_id=str(raw["guild_id"]),
            voice_channel_id=str(raw["voice_channel_id"]),
            voice_channel_name=str(raw.get("voice_channel_name", "")),
            text_channel_id=str(raw["text_channel_id"]),
            started_at=datetime.fromisoformat(str(raw["started_at"])),
            ended_at=datetime.fromisoformat(str(ended_at)) if ended_at else None,
            state=MeetingState.PROCESSING if ended_at else MeetingState.RECORDING,
            gaps=tuple(Gap(int(from_ms), int(until_ms)) for from_ms, until_ms in gaps),
            unsighted_people=int(str(raw.get("unsighted_people", 0))),
        ),
        tuple(Participant(str(one["id"]), str(one["name"])) for one in participants),
        str(raw["message_id"]),
        bool(raw["adopted"]),
    )
