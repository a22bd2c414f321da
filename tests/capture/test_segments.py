"""Segment files: rotation, sync, and a disk that refuses in the middle."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from standup.capture import record as records
from standup.capture.segments import OpenSegment, SegmentedLog, create_segment, segments
from standup.errors import AudioCaptureError


class Quota:
    """A disk with room for *room_bytes* in all; `opened` gives files that share it."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes

    def open(self, path: Path) -> io.RawIOBase:
        """Create a file on this disk."""
        quota = self

        class File(io.FileIO):
            def write(self, data: Any) -> int:
                if data and not quota.room_bytes:
                    raise OSError(errno.ENOSPC, "No space left on device")
                written = super().write(data[: quota.room_bytes])
                quota.room_bytes -= written
                return written

        return File(path, "x")


Begin = Callable[..., SegmentedLog]


@pytest.fixture
def begin(tmp_path: Path, clock: Any) -> Iterator[Begin]:
    """Begin a log in the test's folder with the test's clock; closed when the test is over."""
    begun: list[SegmentedLog] = []

    def begin_one(open_segment: OpenSegment = create_segment) -> SegmentedLog:
        begun.append(SegmentedLog(tmp_path, 77, clock=clock.clock, open_segment=open_segment))
        return begun[-1]

    yield begin_one
    for log in begun:
        log.abandon()


def _bodies(folder: Path) -> list[bytes]:
    return [path.read_bytes()[records.HEADER_LENGTH :] for _, path in segments(folder)]


def _headers(folder: Path) -> list[records.SegmentHeader | None]:
    return [records.parse_header(path.read_bytes()) for _, path in segments(folder)]


def test_segments_are_numbered(tmp_path: Path, clock: Any, begin: Begin) -> None:
    """The first segment is 000001.pkt and says when it and the meeting began."""
    begin().write(b"data")

    assert [path.name for path in tmp_path.iterdir()] == ["000001.pkt"]
    assert _headers(tmp_path) == [records.SegmentHeader(1, 77, clock.wall_ns, clock.monotonic_ns)]


def test_a_segment_lasts_30_s(tmp_path: Path, clock: Any, begin: Begin) -> None:
    """After 30 s the segment ends, and the next write begins another of the same run."""
    log = begin()
    for data, pause_s in ((b"one", 29.9), (b"two", 0.1), (b"three", 0)):
        log.write(data)
        clock.pass_s(pause_s)
        log.sync()

    assert _bodies(tmp_path) == [b"onetwo", b"three"]
    assert [header and header.run for header in _headers(tmp_path)] == [1, 1]


def test_silence_makes_no_segments(tmp_path: Path, clock: Any, begin: Begin) -> None:
    """While nobody speaks no empty segments pile up."""
    log = begin()
    log.write(b"")
    for _ in range(5):
        clock.pass_s(31)
        log.sync()

    assert len(segments(tmp_path)) == 1


def test_a_later_run_goes_on_behind(tmp_path: Path, clock: Any, begin: Begin) -> None:
    """Re-opening a folder leaves its segments alone and begins a run with the next number."""
    begin().write(b"killed here")
    begin().write(b"again")

    assert _bodies(tmp_path) == [b"killed here", b"again"]
    assert [header and header.run for header in _headers(tmp_path)] == [1, 2]


def test_other_files_are_passed_over(tmp_path: Path, clock: Any, begin: Begin) -> None:
    """Only names of six digits and .pkt are segments."""
    for name in ("notes.txt", "1.pkt", "0000007.pkt"):
        (tmp_path / name).write_bytes(b"")
    begin().write(b"data")

    assert [number for number, _ in segments(tmp_path)] == [1]


def test_a_file_that_appeared_is_not_touched(tmp_path: Path, clock: Any, begin: Begin) -> None:
    """A segment written behind our back keeps its content; ours takes the next number."""
    log = begin()
    (tmp_path / "000001.pkt").write_bytes(b"not ours")
    log.write(b"data")

    assert (tmp_path / "000001.pkt").read_bytes() == b"not ours"
    assert (tmp_path / "000002.pkt").read_bytes().endswith(b"data")


@pytest.mark.parametrize("room_bytes", [0, 1, 20, records.HEADER_LENGTH, records.HEADER_LENGTH + 5])
def test_a_full_disk_loses_no_byte(tmp_path: Path, clock: Any, begin: Begin, room_bytes: int) -> None:
    """Wherever the disk fills up, the rest is kept and follows at the very byte when there is room."""
    disk = Quota(room_bytes)
    log = begin(disk.open)
    with pytest.raises(OSError, match="No space left"):
        log.write(b"ten bytes!")
    waited = log.has_rest
    disk.room_bytes = 1000
    log.write(b"")
    log.write(b"more")

    assert waited
    assert (log.has_rest, _bodies(tmp_path)) == (False, [b"ten bytes!more"])


def test_no_room_for_a_file_keeps_the_data(tmp_path: Path, clock: Any, begin: Begin) -> None:
    """When not even the file can be made, what was to be written waits."""
    refusals = [OSError(errno.ENOSPC, "No space left on device")]

    def refuse_once(path: Path) -> io.RawIOBase:
        if refusals:
            raise refusals.pop()
        return io.FileIO(path, "x")

    log = begin(refuse_once)
    with pytest.raises(OSError, match="No space left"):
        log.write(b"data")
    log.write(b"")

    assert _bodies(tmp_path) == [b"data"]


def test_a_segment_with_a_rest_does_not_end(tmp_path: Path, clock: Any, begin: Begin) -> None:
    """A record that is half on the disk is finished in its own segment, however long that takes."""
    disk = Quota(records.HEADER_LENGTH + 5)
    log = begin(disk.open)
    with pytest.raises(OSError, match="No space left"):
        log.write(b"ten bytes!")
    clock.pass_s(60)
    log.sync()
    disk.room_bytes = 1000
    log.write(b"")

    assert _bodies(tmp_path) == [b"ten bytes!"]


def test_unusable_folder_is_named(tmp_path: Path) -> None:
    """A folder that cannot be made is a sentence with the path and the next step."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(AudioCaptureError, match=r"file/journal cannot be used .*check STANDUP_DATA_DIR"):
        SegmentedLog(tmp_path / "file" / "journal", 77)


def test_data_is_synced_every_second(clock: Any, begin: Begin) -> None:
    """What was written is brought to the disk once a second, and not again while nothing is added."""
    synced: list[float] = []
    began_ns = clock.monotonic_ns

    def open_watched(path: Path) -> io.RawIOBase:
        class File(io.FileIO):
            def fileno(self) -> int:
                synced.append((clock.monotonic_ns - began_ns) / 1e9)
                return super().fileno()

        return File(path, "x")

    log = begin(open_watched)
    for _ in range(10):
        log.write(b"data")
        log.sync()
        clock.pass_s(0.25)
    for _ in range(10):
        log.sync()
        clock.pass_s(0.25)

    assert synced == [1.0, 2.0, 3.0]
