"""The recorder's `meeting.json`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from standup.archive import manifest
from standup.archive.manifest import ManifestUnreadable
from standup.meeting import MeetingState

from .conftest import MEETING, ended, running


@pytest.mark.parametrize("made", [ended(), running()], ids=["ended", "running"])
def test_round_trip(tmp_path: Path, made: manifest.Manifest) -> None:
    """What was written is read, times and people included."""

    manifest.write(tmp_path, made)
    state = MeetingState.PROCESSING if made.meeting.ended_at else MeetingState.RECORDING
    assert manifest.read(tmp_path, MEETING) == dataclasses.replace(
        made, meeting=dataclasses.replace(made.meeting, state=state)
    )


def test_a_manifest_of_an_older_release(tmp_path: Path) -> None:
    """A recording that an older release began, without its channel's name and without a count, goes on."""
    manifest.write(tmp_path, running())
    path = manifest.meeting_folder(tmp_path, MEETING) / manifest.NAME
    raw = json.loads(path.read_text(encoding="utf-8"))
    del raw["voice_channel_name"], raw["unsighted_people"]
    path.write_text(json.dumps(raw), encoding="utf-8")
    read = manifest.read(tmp_path, MEETING).meeting
    assert (read.voice_channel_name, read.unsighted_people) == ("", 0)


def test_scan_finds_meetings_oldest_first(tmp_path: Path) -> None:
    """Only folders with a manifest are meetings."""
    manifest.write(tmp_path, ended())
    (tmp_path / "meetings" / "20250101T000000Z-00000000").mkdir()
    assert list(manifest.scan(tmp_path)) == [MEETING]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"], ids=["empty", "cut", "a list", "no fields"])
def test_a_broken_manifest_names_the_meeting(tmp_path: Path, content: str) -> None:
    """A manifest that cannot be read is told with its meeting and the next step."""
    manifest.write(tmp_path, ended())
    (manifest.meeting_folder(tmp_path, MEETING) / manifest.NAME).write_text(content)
    with pytest.raises(ManifestUnreadable, match=f"{MEETING}.*journal is untouched"):
        manifest.read(tmp_path, MEETING)


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    """After a write there is the manifest and nothing else."""
    manifest.write(tmp_path, running())
    manifest.write(tmp_path, ended())
    assert [one.name for one in manifest.meeting_folder(tmp_path, MEETING).iterdir()] == [manifest.NAME]
