"""What is remembered of a journal while it grows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from standup.capture import ahead
from standup.capture import record as records
from standup.capture.arrival import Arrival
from standup.capture.journal import JournalReport, read
from standup.capture.record import JournalRecord, SegmentHeader
from standup.errors import JournalUnreadable

START_NS = 1_700_000_000_000_000_000
HEADER = records.serialize_header(SegmentHeader(1, START_NS, START_NS, 0))


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    """Nothing is remembered from another test, nor for one."""
    ahead._remembered.clear()
    yield
    ahead._remembered.clear()


def packet(number: int) -> bytes:
    """A packet of one of two speakers, as the journal holds it."""
    at_ns = 20_000_000 * number
    return records.serialize(
        JournalRecord(11 + number % 2, 1, number, 960 * number, at_ns, START_NS, 0, b"\xf8voice")
    )


def write(folder: Path, *segments: range, torn: bool = False) -> None:
    """Write segments of numbered packets; the last packet of each may be cut off."""
    for number, packets in enumerate(segments, 1):
        data = HEADER + b"".join(map(packet, packets))
        (folder / f"{number:06}.pkt").write_bytes(data[:-1] if torn else data)


def told(folder: Path) -> tuple[dict[int, list[Arrival]], JournalReport]:
    """Everything that the capture stage wants to know at first."""
    journal = read(folder)
    came = ahead.arrivals(journal)
    return {user: list(log) for user, log in came.items()}, journal.report


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
def test_what_was_read_ahead_is_what_is_read_afterwards(tmp_path: Path, *, torn: bool) -> None:
    """The same times, and the same damage, whether closed segments were read before or not; it is read once."""
    write(tmp_path, range(9), range(9, 20), range(20, 25), torn=torn)
    expected = told(tmp_path)
    assert (ahead.remember(tmp_path), ahead.remember(tmp_path)) == (2, 0)

    assert told(tmp_path) == expected
    assert expected[1] == JournalReport(records=22 if torn else 25, torn=3 if torn else 0)


def test_nothing_is_remembered_of_a_captured_meeting(tmp_path: Path) -> None:
    """What was needed once is forgotten."""
    write(tmp_path, range(9), range(9, 20))
    ahead.remember(tmp_path)
    told(tmp_path)

    assert not ahead._remembered


def test_a_segment_that_changed_is_read_anew(tmp_path: Path) -> None:
    """What is remembered counts only for the very bytes that were read."""
    write(tmp_path, range(9), range(9, 20))
    ahead.remember(tmp_path)
    write(tmp_path, range(12), range(12, 20))

    arrivals, report = told(tmp_path)
    assert report.records == sum(map(len, arrivals.values())) == 20


def test_little_is_remembered(tmp_path: Path) -> None:
    """The latest so many segments, of all meetings together."""
    write(tmp_path, *(range(number, number + 1) for number in range(8)))
    expected = told(tmp_path)

    assert ahead.remember(tmp_path, most=3) == 7
    assert len(ahead._remembered) == 3
    assert told(tmp_path) == expected


def test_a_journal_that_is_gone(tmp_path: Path) -> None:
    """A sentence, no OSError."""
    write(tmp_path, range(9), range(9, 20))
    journal = read(tmp_path)
    (tmp_path / "000001.pkt").unlink()

    with pytest.raises(JournalUnreadable, match=r"000001\.pkt"):
        ahead.arrivals(journal)
