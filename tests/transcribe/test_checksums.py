"""Whether a model's files are what was published."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.transcribe import checksums, models
from standup.transcribe.checksums import FileCheck, Finding, verify
from tests.transcribe.loopback_hub import LARGE, checksum

CONTENT = b"some content"


def cached(folder: Path, file: str) -> Path:
    """Lay *file* down as the hub's cache does; return the snapshot's folder."""
    blob = folder / "blobs" / checksum(file, CONTENT)
    blob.parent.mkdir()
    blob.write_bytes(CONTENT)
    snapshot = folder / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    (snapshot / file).symlink_to(blob)
    return snapshot


@pytest.mark.parametrize(
    "file", [pytest.param(LARGE, id="by SHA-256"), pytest.param("config.json", id="by Git's SHA-1")]
)
def test_a_file_of_the_hubs_cache_is_known_by_its_name(tmp_path: Path, file: str) -> None:
    """The cache names what it keeps by the checksum; one changed byte is found."""
    snapshot = cached(tmp_path, file)
    sound = list(verify(snapshot))
    (snapshot / file).write_bytes(CONTENT[:-1] + b"?")

    assert sound == [FileCheck(file, len(CONTENT), Finding.SOUND)]
    assert [one.finding for one in verify(snapshot)] == [Finding.DAMAGED]


def test_nothing_is_known_of_a_folder_of_ones_own(tmp_path: Path) -> None:
    """Without a checksum a file is neither sound nor damaged."""
    (tmp_path / LARGE).write_bytes(CONTENT)

    assert list(verify(tmp_path)) == [FileCheck(LARGE, len(CONTENT), Finding.UNKNOWN)]


def test_a_recorded_checksum_is_the_only_one_that_counts(tmp_path: Path) -> None:
    """Where checksums are recorded, a file without one is unknown whatever its name is."""
    (tmp_path / LARGE).write_bytes(CONTENT)
    (tmp_path / "more.txt").write_bytes(CONTENT)
    found = verify(tmp_path, {LARGE: checksum(LARGE, CONTENT)})

    assert [one.finding for one in found] == [Finding.SOUND, Finding.UNKNOWN]


def test_the_bundled_model_is_recorded_whole() -> None:
    """Every file of the installed package has the checksum that is recorded for its version."""
    folder = models.find(models.BUNDLED)
    assert folder is not None
    found = list(verify(folder, checksums.bundled()))

    assert {one.finding for one in found} == {Finding.SOUND}
    assert {one.name for one in found} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}


def test_another_version_of_the_package_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checksums of one version say nothing about the next."""
    monkeypatch.setattr("importlib.metadata.version", lambda _: "0.2.0")

    assert checksums.bundled() == {}
