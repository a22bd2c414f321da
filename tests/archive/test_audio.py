"""Journals and tracks on a local disk and on a remote storage."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from standup.archive.audio import AudioStore, free_bytes

MEETING = "20261123T095800Z-1f0c9a2b"


@pytest.fixture(params=["local", "remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> AudioStore:
    """A storage in a folder, and one that is not on the local disk (fsspec's memory file system)."""
    return AudioStore(str(tmp_path / "data") if request.param == "local" else f"memory://{uuid.uuid4().hex}")


def recorded(tmp_path: Path, payload: bytes = b"packets") -> Path:
    folder = tmp_path / "data" / "meetings" / MEETING
    (folder / "journal").mkdir(parents=True, exist_ok=True)
    (folder / "journal" / "000001.pkt").write_bytes(payload)
    return folder


def read(store: AudioStore, kind: str) -> dict[str, bytes]:
    with store.fetched(MEETING, kind) as folder:
        return {file.name: file.read_bytes() for file in folder.glob("*")}


def test_a_kept_journal_can_be_fetched(store: AudioStore, tmp_path: Path) -> None:
    """What the recorder wrote on its own disk reaches a worker."""
    store.keep(MEETING, recorded(tmp_path))
    assert read(store, "journal") == {"000001.pkt": b"packets"}


def test_keeping_twice_is_harmless(store: AudioStore, tmp_path: Path) -> None:
    """A second keep changes nothing."""
    store.keep(MEETING, recorded(tmp_path))
    store.keep(MEETING, recorded(tmp_path))
    assert read(store, "journal") == {"000001.pkt": b"packets"}


def test_nothing_is_replaced_by_less(tmp_path: Path) -> None:
    """A rerun that made a shorter file does not overwrite the longer one."""
    store = AudioStore(f"memory://{uuid.uuid4().hex}")
    store.keep(MEETING, recorded(tmp_path, b"a whole meeting"))
    store.keep(MEETING, recorded(tmp_path, b""))
    assert read(store, "journal") == {"000001.pkt": b"a whole meeting"}


def test_stored_files_are_there_after_the_block(store: AudioStore) -> None:
    """Tracks written inside the block are in the storage after it."""
    with store.stored(MEETING, "tracks") as folder:
        (folder / "11.ogg").write_bytes(b"OggS")
    assert read(store, "tracks") == {"11.ogg": b"OggS"}


def test_a_kind_that_is_not_there_is_empty(store: AudioStore) -> None:
    """A meeting without tracks gives no files, and the storage says that it has none."""
    assert not store.has(MEETING, "tracks")
    assert read(store, "tracks") == {}


def test_location_is_for_people(tmp_path: Path) -> None:
    """Locally a location is a path, remotely an address."""
    assert (
        AudioStore(str(tmp_path)).location(MEETING, "tracks/1.ogg")
        == f"{tmp_path}/meetings/{MEETING}/tracks/1.ogg"
    )
    assert AudioStore("memory://bucket").location(MEETING, "x").startswith("memory://")


def test_free_space_of_a_folder_to_come(tmp_path: Path) -> None:
    """The space left is known before the folder is made."""
    assert free_bytes(tmp_path / "not" / "yet") > 0
