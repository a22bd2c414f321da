"""Journals and tracks behind fsspec: a local folder by default, ``s3://…`` when workers are on other hosts.

Files are write-once: stored under a new name and never replaced by less. When the storage is the local
DATA_DIR nothing is copied; `fetched` and `stored` then hand out the files in place.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fsspec
from fsspec.core import url_to_fs

from standup.archive import manifest
from standup.errors import ArchiveError, ArchiveUnreachable, DiskFull, SettingsError, StandupError
from standup.meeting import check_meeting_id

REMOVALS = 20
"""How often a folder is removed that another process removes too, or writes into."""


class AudioStore:
    """Where the audio of all meetings lies."""

    def __init__(self, url: str) -> None:
        """Open the storage at *url*; raise SettingsError when fsspec does not know such an address."""
        try:
            self._fs, root = url_to_fs(url)
        except (ValueError, ImportError) as cause:
            raise SettingsError(
                "STANDUP_STORAGE_URL is not a usable storage address; leave it empty for DATA_DIR, "
                "or use s3://bucket/folder (with the s3fs package installed)."
            ) from cause
        self._root = root.rstrip("/")
        self._local = isinstance(self._fs, fsspec.implementations.local.LocalFileSystem)

    def keep(self, meeting_id: str, folder: Path) -> None:
        """Copy the files of a meeting's local *folder* (journal, tracks) that the storage lacks.

        Does nothing when the folder already lies in the storage.
        """
        if self._local and Path(self._path(meeting_id)) == folder:
            return
        with self._guarded(meeting_id):
            for file in sorted(folder.rglob("*.*")):
                if file.is_file() and not file.name.startswith("."):
                    self._put_once(file, f"{self._path(meeting_id)}/{file.relative_to(folder).as_posix()}")

    def has(self, meeting_id: str, path: str) -> bool:
        """Return whether a file or folder of a meeting is in the storage."""
        with self._guarded(meeting_id):
            return bool(self._fs.exists(f"{self._path(meeting_id)}/{path}"))

    def has_journal(self, meeting_id: str) -> bool:
        """Return whether there is what a recorder wrote; of an imported meeting there are only the tracks."""
        return any(self.has(meeting_id, one) for one in ("journal", manifest.NAME))

    @contextmanager
    def fetched(self, meeting_id: str, kind: str) -> Iterator[Path]:
        """Give a local folder with the meeting's files of one *kind* (``journal``, ``tracks``).

        The folder is only to be read, and may be missing when the storage has no such files.
        """
        if self._local:
            yield Path(self._path(meeting_id)) / kind
            return
        with tempfile.TemporaryDirectory(prefix="standup-") as scratch:
            with self._guarded(meeting_id):
                source = f"{self._path(meeting_id)}/{kind}"
                for path in self._fs.ls(source, detail=False) if self._fs.exists(source) else []:
                    self._fs.get_file(path, str(Path(scratch) / Path(path).name))
            yield Path(scratch)

    @contextmanager
    def stored(self, meeting_id: str, kind: str) -> Iterator[Path]:
        """Give a local folder to write files of one *kind* into; they are in the storage after the block."""
        if self._local:
            local = Path(self._path(meeting_id)) / kind
            local.mkdir(parents=True, exist_ok=True)
            yield local
            return
        with tempfile.TemporaryDirectory(prefix="standup-") as scratch:
            folder = Path(scratch) / kind
            folder.mkdir()
            yield folder
            with self._guarded(meeting_id):
                for file in sorted(folder.iterdir()):
                    self._put_once(file, f"{self._path(meeting_id)}/{kind}/{file.name}")

    def remove(self, meeting_id: str, path: str = "") -> None:
        """Delete a file or folder of a meeting, or all of its folder; does nothing where there is none.

        With a file goes what was begun of it, as ``1011.ogg.part`` and ``.meeting.json.4711``. Several may do so at
        once. Never follows a symbolic link. Raises ArchiveError when something is left.
        """
        target = f"{self._path(check_meeting_id(meeting_id))}/{path}"
        with self._guarded(meeting_id):
            self._refuse_links(meeting_id)
            for _ in range(REMOVALS):
                self._fs.invalidate_cache()
                found = self._standing(target)
                if not found:
                    return
                for one in found:
                    self._remove(one)
        raise ArchiveUnreachable(
            f"The audio of meeting {meeting_id} comes back while it is deleted; try again."
        )

    def location(self, meeting_id: str, path: str) -> str:
        """Return where a file of a meeting lies, for people."""
        return str(self._fs.unstrip_protocol(f"{self._path(meeting_id)}/{path}")).removeprefix("file://")

    def _standing(self, target: str) -> list[str]:
        """Return *target* and the unfinished files of its name, as far as they are there."""
        if target.endswith("/"):
            return [target.rstrip("/")] if self._fs.exists(target.rstrip("/")) else []
        folder, _, name = target.rpartition("/")
        try:
            beside = self._fs.ls(folder, detail=False)
        except FileNotFoundError:
            return []
        names = {one: one.rstrip("/").rpartition("/")[2] for one in beside}
        return [
            path for path, one in names.items() if one == name or one.startswith((f"{name}.", f".{name}."))
        ]

    def _remove(self, target: str) -> None:
        """Delete once; another process may have been faster with a file, or have written one."""
        try:
            self._fs.rm(target, recursive=True)
        except FileNotFoundError:
            pass
        except OSError as cause:
            if cause.errno != errno.ENOTEMPTY:
                raise

    def _refuse_links(self, meeting_id: str) -> None:
        if not self._local:
            return
        folder = Path(self._path(meeting_id))
        found = [folder]
        with suppress(FileNotFoundError):
            found += folder.iterdir()
        if any(one.is_symlink() for one in found):
            raise ArchiveError(
                f"In the folder of meeting {meeting_id} is a symbolic link, so nothing there was deleted; delete what "
                "it leads to by hand, then the link, and try again."
            )

    def _path(self, meeting_id: str) -> str:
        return f"{self._root}/meetings/{meeting_id}"

    def _put_once(self, file: Path, target: str) -> None:
        size_bytes = file.stat().st_size
        if self._fs.exists(target) and self._fs.size(target) >= size_bytes:
            return
        scratch = f"{target}.part"
        self._fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        self._fs.put_file(str(file), scratch)
        if self._fs.size(scratch) != size_bytes:
            raise ArchiveUnreachable("The audio storage cut a file short; it is stored again.")
        self._fs.mv(scratch, target)

    @contextmanager
    def _guarded(self, meeting_id: str) -> Iterator[None]:
        try:
            yield
        except StandupError:
            raise
        except OSError as cause:
            if cause.errno == errno.ENOSPC:
                raise DiskFull(
                    f"No space is left for the audio of meeting {meeting_id}; free some."
                ) from cause
            raise ArchiveUnreachable(
                f"The audio storage of meeting {meeting_id} does not answer; check STANDUP_STORAGE_URL."
            ) from cause
        except Exception as cause:
            if self._local:
                raise
            # What a storage elsewhere raises when it is away has no common class: botocore's are no OSError.
            raise ArchiveUnreachable(
                f"The audio storage of meeting {meeting_id} does not answer ({type(cause).__name__}); "
                "check STANDUP_STORAGE_URL and its credentials."
            ) from None


def free_bytes(folder: Path) -> int:
    """Return the space left on the disk that holds *folder* (its nearest existing parent)."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
