"""Segment files of a packet journal, written one after the other.

The folder holds ``000001.pkt``, ``000002.pkt``, …; a writer never touches a segment that an earlier run left.
Not thread-safe: `SegmentedLog` belongs to one thread.
"""

from __future__ import annotations

import errno
import io
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from standup.capture.record import SegmentHeader, serialize_header
from standup.errors import AudioCaptureError

SEGMENT_NAME = re.compile(r"(\d{6})\.pkt")
ROTATE_S = 30.0
FSYNC_S = 1.0
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

OpenSegment = Callable[[Path], io.RawIOBase]


@dataclass(frozen=True, slots=True)
class Clock:
    """Where times come from."""

    wall_ns: Callable[[], int] = time.time_ns
    monotonic_ns: Callable[[], int] = time.monotonic_ns


def segments(folder: Path) -> list[tuple[int, Path]]:
    """Return number and path of each segment in *folder*, in order; other files are passed over."""
    found = ((SEGMENT_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


def create_segment(path: Path) -> io.RawIOBase:
    """Create a segment file for appending, unbuffered; an existing one is never opened."""
    return open(path, "xb", buffering=0)


class SegmentedLog:
    """Appends bytes to the newest segment; `sync` begins another every 30 s and calls fsync every second.

    A write that fails for want of space keeps its rest: the next call continues at the very byte, so the file
    stays readable whatever happened between.
    """

    def __init__(
        self,
        folder: Path,
        meeting_start_wall_ns: int,
        *,
        clock: Clock | None = None,
        open_segment: OpenSegment = create_segment,
    ) -> None:
        """Begin behind the segments that *folder* holds.

        Raises AudioCaptureError when the folder can be neither made nor listed.
        """
        self._clock = clock or Clock()
        self._open_segment = open_segment
        self._start_wall_ns = meeting_start_wall_ns
        self._folder = folder
        self._number = _last_number(folder)
        self._run = self._number + 1
        self._file: io.RawIOBase | None = None
        self._rest = b""
        self._opened_ns = self._synced_ns = 0
        self._is_dirty = False

    @property
    def has_rest(self) -> bool:
        """Whether bytes of an earlier call still wait for room."""
        return bool(self._rest)

    def write(self, data: bytes) -> None:
        """Append *data*, which holds whole records; call again, with nothing, to retry after a failure.

        Raises OSError when it could not all be written; what is left is kept. Give no new data before
        ``has_rest`` is false.
        """
        self._rest = self._rest or data
        if self._file is None:
            self._begin_segment()
        self._push()

    def sync(self) -> None:
        """Do what is due: end a segment after 30 s, else bring it to the disk after one.

        Raises OSError when the disk refuses; nothing is lost by that, call again.
        """
        now_ns = self._clock.monotonic_ns()
        if self._file is not None and now_ns - self._opened_ns >= ROTATE_S * 1e9:
            self.end_segment()
        elif self._is_dirty and now_ns - self._synced_ns >= FSYNC_S * 1e9:
            self._sync(now_ns)

    def end_segment(self) -> None:
        """Bring the open segment to the disk and close it; the next write begins another."""
        if self._file is None or self._rest:
            return
        if self._is_dirty:
            self._sync(self._clock.monotonic_ns())
        file, self._file = self._file, None
        file.close()

    def abandon(self) -> None:
        """Close the open segment whatever its state, and forget what could not be written."""
        file, self._file, self._rest = self._file, None, b""
        if file is not None:
            file.close()

    def _begin_segment(self) -> None:
        self._file = self._create_next()
        self._opened_ns = self._synced_ns = self._clock.monotonic_ns()
        header = SegmentHeader(self._run, self._start_wall_ns, self._clock.wall_ns(), self._opened_ns)
        self._rest = serialize_header(header) + self._rest
        _sync_folder(self._folder)

    def _create_next(self) -> io.RawIOBase:
        while True:
            try:
                file = self._open_segment(self._folder / f"{self._number + 1:06}.pkt")
            except FileExistsError:  # written behind our back; it is not ours to touch
                self._number += 1
                continue
            self._number += 1
            return file

    def _push(self) -> None:
        assert self._file is not None
        while self._rest:
            written = self._file.write(self._rest)
            self._is_dirty = True
            self._rest = self._rest[written or 0 :]

    def _sync(self, now_ns: int) -> None:
        assert self._file is not None
        os.fsync(self._file.fileno())
        self._synced_ns = now_ns
        self._is_dirty = False


def _last_number(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return max((number for number, _ in segments(folder)), default=0)
    except OSError as cause:
        raise AudioCaptureError(
            f"The journal folder {folder} cannot be used ({cause.strerror}); check STANDUP_DATA_DIR and its owner."
        ) from cause


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
