"""The packet journal of a meeting: written by `JournalWriter` while people talk, read by `read` afterwards.

`read` takes whatever a killed writer, a full disk or a bad sector left: a cut-off last record is dropped and
counted as torn, a damaged record is counted as corrupt and reading goes on at the next whole one.
The meeting clock starts at the meeting's start. Within one run of the recorder it follows the monotonic clock,
so a stepped wall clock moves nothing; runs are placed by the wall clock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from standup.capture import record as records
from standup.capture.record import JournalRecord, SegmentHeader
from standup.capture.segments import Clock, segments
from standup.capture.writer import JournalHealth, JournalState, JournalWriter
from standup.errors import JournalUnreadable

__all__ = [
    "Clock",
    "Journal",
    "JournalHealth",
    "JournalReport",
    "JournalState",
    "JournalWriter",
    "StoredRecord",
    "read",
    "unreadable",
]


SEGMENTS_IN_MEMORY = 2  # packets out of order cross at most one border


class StoredRecord(NamedTuple):
    """A record, when it arrived on the meeting clock, and where it lies."""

    record: JournalRecord
    arrival_ns: int
    """On the meeting clock; negative when it came before the meeting's start."""
    segment: int
    """Index into the journal's segments."""
    position: int
    """Byte of the segment at which the record begins."""


@dataclass
class JournalReport:
    """What was found wrong while reading; complete once the records have been read to the end."""

    records: int = 0
    torn: int = 0
    """Records cut off at the end of a segment; dropped."""
    corrupt: int = 0
    """Stretches of damaged bytes, one or more records each; skipped."""
    missing_segments: int = 0
    """Numbers absent between the first segment and the last."""

    def add(self, other: JournalReport) -> None:
        """Count what *other* counts too, which is of another segment."""
        self.records += other.records
        self.torn += other.torn
        self.corrupt += other.corrupt


class Journal:
    """A readable journal; *segments* are each file's path and the first header of its run.

    Keeps the two segments last read in memory; one thread uses it.
    """

    def __init__(self, segments: tuple[tuple[Path, SegmentHeader], ...], missing_segments: int = 0) -> None:
        self.segments = segments
        self.report = JournalReport(missing_segments=missing_segments)
        self._loaded: OrderedDict[int, bytes] = OrderedDict()

    def records(self) -> Iterator[StoredRecord]:
        """Yield all records, segment by segment, in the order they were written, and fill ``report`` anew.

        Raises JournalUnreadable when a segment can no longer be read.
        """
        self.report = JournalReport(missing_segments=self.report.missing_segments)
        self._loaded.clear()
        for index in range(len(self.segments)):
            yield from self.segment(index, self.report)

    def segment(self, index: int, report: JournalReport) -> Iterator[StoredRecord]:
        """Yield the records of one segment, and count in *report* what is found there.

        Raises JournalUnreadable when it can no longer be read.
        """
        _, run = self.segments[index]
        shift_ns = run.open_wall_ns - run.meeting_start_wall_ns - run.open_monotonic_ns
        for found, position in _scan(self._load(index), report):
            yield StoredRecord(found, found.monotonic_ns + shift_ns, index, position)

    def payload(self, segment: int, position: int) -> bytes:
        """Return the payload of the record at a place that `records` named; cheap for neighbouring places."""
        found = records.payload(self._load(segment), position)
        if found is None:
            path = self.segments[segment][0]
            raise JournalUnreadable(
                f"The journal segment {path} changed while it was read; run the stage again."
            )
        return found

    def _load(self, index: int) -> bytes:
        if index not in self._loaded:
            if len(self._loaded) >= SEGMENTS_IN_MEMORY:
                self._loaded.popitem(last=False)
            self._loaded[index] = _read_bytes(self.segments[index][0])
        return self._loaded[index]


def read(folder: Path) -> Journal:
    """Open the journal in *folder*; one without segments is empty.

    Raises JournalUnreadable, naming the file and the next step, when the folder is not there, a segment is
    no journal of ours, or no segment at all has a readable header.
    """
    try:
        found = segments(folder)
    except OSError as cause:
        raise JournalUnreadable(
            f"The journal folder {folder} cannot be read ({cause.strerror}); check that the disk is mounted."
        ) from cause
    headers = [(path, _read_header(path)) for _, path in found]
    numbers = [number for number, _ in found]
    missing = numbers[-1] - numbers[0] + 1 - len(numbers) if numbers else 0
    return Journal(_by_run(headers), missing)


def unreadable(path: Path, cause: OSError) -> JournalUnreadable:
    """Return what is raised for a segment that is there no more, or cannot be read."""
    return JournalUnreadable(f"{path} cannot be read ({cause.strerror}); check the disk and retry.")


def _by_run(headers: list[tuple[Path, SegmentHeader | None]]) -> tuple[tuple[Path, SegmentHeader], ...]:
    """Give each segment the first header of its run; a damaged header takes its neighbour's."""
    filled = [path for path, _ in headers if path.stat().st_size > records.HEADER_LENGTH]
    readable = [header for _, header in headers if header is not None]
    if not readable:
        if not filled:
            return ()
        raise JournalUnreadable(
            f"The header of {filled[0]} is damaged and there is no other segment to tell its times; "
            "restore the file from a copy, or remove it."
        )
    runs: dict[int, SegmentHeader] = {}
    placed = []
    present = readable[0]
    for path, header in headers:
        present = header or present
        placed.append((path, runs.setdefault(present.run, present)))
    return tuple(placed)


def _read_header(path: Path) -> SegmentHeader | None:
    try:
        with path.open("rb") as file:
            return records.parse_header(file.read(records.HEADER_LENGTH))
    except ValueError as cause:
        raise JournalUnreadable(
            f"{path} is not a journal segment of ours: {cause}; move it out of the folder and retry the meeting."
        ) from cause
    except OSError as cause:
        raise unreadable(path, cause) from cause


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise unreadable(path, cause) from cause


def _scan(data: bytes, report: JournalReport) -> Iterator[tuple[JournalRecord, int]]:
    position = min(records.HEADER_LENGTH, len(data))
    while position < len(data):
        found = records.parse(data, position)
        if found is not None:
            report.records += 1
            yield found[0], position
            position = found[1]
            continue
        following = _next_whole(data, position + 1)
        if following is None:
            if records.is_cut_off(data, position):
                report.torn += 1
            else:
                report.corrupt += 1
            return
        report.corrupt += 1
        position = following


def _next_whole(data: bytes, position: int) -> int | None:
    while (position := data.find(records.MARK, position)) >= 0:
        if records.parse(data, position) is not None:
            return position
        position += 1
    return None
