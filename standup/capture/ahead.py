"""When the packets of a journal came, in this process read once while the meeting runs and not again after it.

Reading a journal's records is half of the work of the capture stage. A closed segment does not change any more, so what
it says of the packets' times is remembered (31 bytes a packet, nothing of their sound) until the journal is captured.
A segment that has another size or time of change is read anew: what is remembered is never wrong, only absent.
For one thread of a process.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from standup.capture.arrival import Arrival, ArrivalLog
from standup.capture.journal import Journal, JournalReport, StoredRecord, read, unreadable
from standup.capture.opus import duration_samples, is_silence
from standup.capture.record import SegmentHeader
from standup.errors import MalformedPacket

SEGMENTS = 1024
"""So many are remembered: eight hours and a half of meetings, some 45 MB when four people speak in turn."""

_Key = tuple[int, int, int, int, int, SegmentHeader]


@dataclass(frozen=True, slots=True)
class _Segment:
    """What one segment says: each user's arrivals, and what was wrong with it."""

    logs: dict[int, ArrivalLog]
    report: JournalReport


_remembered: dict[_Key, _Segment] = {}


def remember(folder: Path, most: int = SEGMENTS) -> int:
    """Read the closed segments of the journal in *folder* that are not remembered; return how many that were.

    No more than *most* are remembered in all, the latest. Raises JournalUnreadable.
    """
    journal = read(folder)
    new = 0
    for index in range(len(journal.segments) - 1):
        key = _key(journal, index)
        if key not in _remembered:
            _remembered[key] = _read(journal, index)
            new += 1
    while len(_remembered) > most:
        del _remembered[next(iter(_remembered))]
    return new


def arrivals(journal: Journal) -> dict[int, ArrivalLog]:
    """Return when each user's packets came, and fill the journal's report; what was remembered of it is forgotten.

    Raises JournalUnreadable when a segment can no longer be read.
    """
    logs: defaultdict[int, ArrivalLog] = defaultdict(ArrivalLog)
    journal.report = JournalReport(missing_segments=journal.report.missing_segments)
    for index in range(len(journal.segments)):
        part = _remembered.pop(_key(journal, index), None) or _read(journal, index)
        for user, log in part.logs.items():
            logs[user].extend(log)
        journal.report.add(part.report)
    return logs


def arrival(stored: StoredRecord) -> Arrival:
    """Return what the timeline needs to know of a record."""
    record = stored.record
    samples = 0
    if not record.is_undecryptable:
        try:
            samples = duration_samples(record.payload)
        except MalformedPacket:
            pass  # not Opus: it decrypted to nothing usable, and counts as undecryptable
    return Arrival(
        record.ssrc,
        record.sequence,
        record.timestamp,
        stored.arrival_ns,
        samples,
        is_silence(record.payload),
        stored.segment,
        stored.position,
    )


def _read(journal: Journal, index: int) -> _Segment:
    logs: defaultdict[int, ArrivalLog] = defaultdict(ArrivalLog)
    report = JournalReport()
    for stored in journal.segment(index, report):
        logs[stored.record.user_id].add(arrival(stored))
    return _Segment(dict(logs), report)


def _key(journal: Journal, index: int) -> _Key:
    path, run = journal.segments[index]
    try:
        found = path.stat()
    except OSError as cause:
        raise unreadable(path, cause) from cause
    # By the file and not its name, which may be spelt in two ways.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, index, run
