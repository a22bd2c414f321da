"""Rehearsals of real recordings."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from standup.bench.recordings import replay
from standup.errors import InputRefused


def record(folder: Path, name: str, text: str) -> None:
    """Speak *text* into a recording, with its text beside it."""
    subprocess.run(
        ["flite", "-voice", "slt", "-t", text, "-o", folder / f"{name}.wav"], check=True, timeout=30
    )
    (folder / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """The message says what belongs there."""
    with pytest.raises(InputRefused, match=r"holds no recordings; put NAME\.wav and NAME\.txt there"):
        replay(tmp_path, tmp_path, 1)


@pytest.mark.parametrize("missing", ["text", "sound"])
def test_half_a_recording_is_refused(tmp_path: Path, missing: str) -> None:
    """Without its text, or without sound in it, the recording is named."""
    (tmp_path / "ann.wav").write_bytes(b"no sound")
    if missing == "sound":
        (tmp_path / "ann.txt").write_text("Hello.", encoding="utf-8")
    with pytest.raises(InputRefused, match=r"ann\.wav or its text ann\.txt cannot be read"):
        replay(tmp_path, tmp_path, 1)


@pytest.mark.integration
def test_recordings_follow_one_another_until_the_time_is_filled(tmp_path: Path) -> None:
    """Each is a speaker, said as often as it fits; utterances lie in it one after the other."""
    source, folder = tmp_path / "source", tmp_path / "tracks"
    source.mkdir()
    folder.mkdir()
    record(source, "ann", "Good morning everyone, let us start.")
    record(source, "bo", "I have no blockers.")
    rehearsal = replay(source, folder, 5 / 60)
    speakers = [one.speaker for one in rehearsal.utterances]

    assert speakers[:3] == ["ann", "bo", "ann"]
    assert rehearsal.words["ann"].count("Good morning") == speakers.count("ann") > 1
    assert all(path.read_bytes().startswith(b"OggS") for path in rehearsal.tracks.values())
    assert list(rehearsal.utterances) == sorted(rehearsal.utterances, key=lambda one: one.start_ms)
