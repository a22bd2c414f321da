"""Journals and tracks on a local disk and on a remote storage."""

from __future__ import annotations

import uuid
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from standup.archive.audio import AudioStore, free_bytes
from standup.errors import ArchiveError, ArchiveUnreachable

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


class NoOSError(Exception):
    """What botocore's errors are."""


class Away(MemoryFileSystem):
    """A storage whose library has errors of its own."""

    protocol = "away"

    def exists(self, path: str, **_: object) -> bool:
        raise NoOSError("https://key:secret@bucket")


def test_a_storage_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """Whatever class its library raises; nothing of its text, which may hold a key, is told."""
    fsspec.register_implementation("away", Away)
    store = AudioStore("away://bucket")
    with pytest.raises(ArchiveUnreachable, match="NoOSError") as told:
        store.keep(MEETING, recorded(tmp_path))
    assert "secret" not in str(told.value)


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


def test_what_is_removed_is_gone_and_the_rest_stays(store: AudioStore, tmp_path: Path) -> None:
    """A folder, a file or all of a meeting is deleted; removing what is not there is harmless."""
    store.keep(MEETING, recorded(tmp_path))
    with store.stored(MEETING, "tracks") as folder:
        for name in ("11.ogg", "12.ogg"):
            (folder / name).write_bytes(b"OggS")
    store.remove(MEETING, "tracks/11.ogg")
    assert read(store, "tracks") == {"12.ogg": b"OggS"}
    for _ in range(2):
        store.remove(MEETING, "journal")
    assert [store.has(MEETING, one) for one in ("journal", "tracks")] == [False, True]
    for _ in range(2):
        store.remove(MEETING)
    assert not store.has(MEETING, "")


@pytest.mark.parametrize("other", ["..", "../..", "", "20261123T095800Z-1f0c9a2b/../x", "/etc"])
def test_nothing_but_a_meeting_is_removed(store: AudioStore, tmp_path: Path, other: str) -> None:
    """What is no meeting id is refused before anything is touched."""
    store.keep(MEETING, recorded(tmp_path))
    with pytest.raises(ValueError, match="not a meeting id"):
        store.remove(other)
    assert store.has(MEETING, "journal")


@pytest.mark.parametrize("place", ["", "journal"])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, place: str) -> None:
    """Where a link leads out of the storage nothing is deleted, and the sentence says what to do."""
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "data" / "meetings" / MEETING
    elsewhere.mkdir()
    (elsewhere / "000001.pkt").write_bytes(b"packets")
    link = folder / place if place else folder
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    store = AudioStore(str(tmp_path / "data"))
    for path in ("", "journal", "journal/000001.pkt"):
        with pytest.raises(ArchiveError, match="symbolic link"):
            store.remove(MEETING, path)
    assert (elsewhere / "000001.pkt").exists()
