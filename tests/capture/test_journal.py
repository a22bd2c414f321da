"""Reading a journal back, whatever became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.capture import record as records
from standup.capture.journal import read
from standup.capture.record import JournalRecord, SegmentHeader
from standup.errors import JournalUnreadable

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000


def _record(number: int) -> JournalRecord:
    return JournalRecord(
        11, 1, number, 960 * number, 20_000_000 * number, START_NS, 0, b"\xfc" + bytes(number % 50)
    )


def _segment(*numbers: int, run: int = 1, wall_ns: int = START_NS, monotonic_ns: int = 0) -> bytes:
    header = SegmentHeader(run, START_NS, wall_ns, monotonic_ns)
    return records.serialize_header(header) + b"".join(records.serialize(_record(one)) for one in numbers)


def _write(folder: Path, *segments: bytes) -> None:
    for number, data in enumerate(segments, 1):
        (folder / f"{number:06}.pkt").write_bytes(data)


def _numbers(folder: Path) -> tuple[list[int], dict[str, int]]:
    journal = read(folder)
    numbers = [stored.record.sequence for stored in journal.records()]
    report = journal.report
    assert report.records == len(numbers)
    return numbers, {"torn": report.torn, "corrupt": report.corrupt, "missing": report.missing_segments}


NOTHING_WRONG = {"torn": 0, "corrupt": 0, "missing": 0}


def test_segments_are_read_in_order(tmp_path: Path) -> None:
    """Records of all segments come in the order they were written."""
    _write(tmp_path, _segment(1, 2), _segment(3), _segment(4, 5))

    assert _numbers(tmp_path) == ([1, 2, 3, 4, 5], NOTHING_WRONG)


def test_records_can_be_read_again(tmp_path: Path) -> None:
    """A second reading gives the same records, and the report is not doubled."""
    _write(tmp_path, _segment(1, 2)[:-1])
    journal = read(tmp_path)
    rounds = [([one.record.sequence for one in journal.records()], journal.report.torn) for _ in range(2)]

    assert rounds == [([1], 1), ([1], 1)]


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([], id="no segment"),
        pytest.param([_segment()], id="header only"),
        pytest.param([b""], id="killed before the header"),
        pytest.param([_segment()[:20]], id="killed in the header"),
    ],
)
def test_nothing_recorded(tmp_path: Path, segments: list[bytes]) -> None:
    """A journal in which nothing was recorded is empty, not an error."""
    _write(tmp_path, *segments)

    assert _numbers(tmp_path) == ([], NOTHING_WRONG)


@given(st.data())
def test_every_prefix_is_readable(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Cut a segment anywhere: the whole records before the cut are read, a cut record counts as torn."""
    folder = tmp_path_factory.mktemp("journal")
    whole = _segment(*range(20))
    length = data.draw(st.integers(records.HEADER_LENGTH, len(whole)))
    _write(folder, whole[:length])
    ends = [len(_segment(*range(count))) for count in range(21)]

    numbers, report = _numbers(folder)

    assert numbers == list(range(sum(end <= length for end in ends) - 1))
    assert report == {"torn": int(length not in ends), "corrupt": 0, "missing": 0}


@given(st.data())
def test_damage_costs_what_it_hits(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Overwrite a stretch of bytes: records that it does not touch are all read, and nothing is invented."""
    folder = tmp_path_factory.mktemp("journal")
    whole = _segment(*range(20))
    begin = data.draw(st.integers(records.HEADER_LENGTH, len(whole) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=150))[: len(whole) - begin]
    _write(folder, whole[:begin] + junk + whole[begin + len(junk) :])
    starts = [len(_segment(*range(count))) for count in range(21)]
    untouched = [n for n in range(20) if starts[n + 1] <= begin or starts[n] >= begin + len(junk)]

    numbers, report = _numbers(folder)

    assert numbers == sorted(set(numbers))
    assert set(untouched) <= set(numbers) <= set(range(20))
    assert len(numbers) == 20 or report["torn"] + report["corrupt"] > 0


def test_a_record_cut_in_the_middle_of_the_journal(tmp_path: Path) -> None:
    """A torn record at the end of an earlier run does not stop the later one."""
    _write(tmp_path, _segment(1, 2)[:-3], _segment(3, run=2))

    assert _numbers(tmp_path) == ([1, 3], {"torn": 1, "corrupt": 0, "missing": 0})


def test_missing_segments_are_counted(tmp_path: Path) -> None:
    """A number that is not there between two that are is reported."""
    for number, data in ((3, _segment(1)), (4, _segment(2)), (7, _segment(3))):
        (tmp_path / f"{number:06}.pkt").write_bytes(data)

    assert _numbers(tmp_path) == ([1, 2, 3], {"torn": 0, "corrupt": 0, "missing": 2})


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    """A file that is not named like a segment does not matter."""
    _write(tmp_path, _segment(1))
    (tmp_path / "notes.txt").write_bytes(b"hello")

    assert _numbers(tmp_path) == ([1], NOTHING_WRONG)


@pytest.mark.parametrize("foreign", [b"OggS" + bytes(100), b"x", b"STANDUPX" + bytes(60)])
def test_a_foreign_file_is_named(tmp_path: Path, foreign: bytes) -> None:
    """A segment that is no journal is refused with its path and the next step."""
    _write(tmp_path, _segment(1), foreign)

    with pytest.raises(
        JournalUnreadable, match=r"000002\.pkt is not a journal segment .*move it out of the folder"
    ):
        read(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A journal that is not there is refused with its path."""
    with pytest.raises(JournalUnreadable, match=r"gone cannot be read .*check that the disk is mounted"):
        read(tmp_path / "gone")


def _damage_header(data: bytes) -> bytes:
    return data[:15] + bytes([data[15] ^ 0xFF]) + data[16:]


def test_a_damaged_header_takes_its_neighbours(tmp_path: Path) -> None:
    """The records behind a damaged header are read, on the clock of the segments around it."""
    _write(tmp_path, _damage_header(_segment(1)), _segment(2, monotonic_ns=7), _damage_header(_segment(3)))
    placed = [(one.record.sequence, one.arrival_ns) for one in read(tmp_path).records()]

    assert placed == [(number, 20_000_000 * number - 7) for number in (1, 2, 3)]


def test_no_header_at_all_is_refused(tmp_path: Path) -> None:
    """Without any header there is no clock to place records on: the file and the next step are named."""
    _write(tmp_path, _damage_header(_segment(1)))

    with pytest.raises(JournalUnreadable, match=r"header of .*000001\.pkt is damaged .*restore the file"):
        read(tmp_path)


def test_a_segment_that_vanishes_is_named(tmp_path: Path) -> None:
    """A segment deleted while the journal is read is a sentence, not a traceback."""
    _write(tmp_path, _segment(1), _segment(2))
    journal = read(tmp_path)
    (tmp_path / "000002.pkt").unlink()

    with pytest.raises(JournalUnreadable, match=r"000002\.pkt cannot be read"):
        list(journal.records())


def test_meeting_clock(tmp_path: Path) -> None:
    """An arrival counts from the meeting's start, by the monotonic clock of its run."""
    opened_ns = START_NS + 3 * SECOND_NS
    _write(tmp_path, _segment(0, 50, wall_ns=opened_ns, monotonic_ns=0))

    assert [one.arrival_ns for one in read(tmp_path).records()] == [3 * SECOND_NS, 4 * SECOND_NS]


def test_a_stepped_wall_clock_moves_nothing(tmp_path: Path) -> None:
    """Within a run only the first segment's wall time counts."""
    stepped_ns = START_NS + 3600 * SECOND_NS
    _write(tmp_path, _segment(0), _segment(50, wall_ns=stepped_ns, monotonic_ns=SECOND_NS))

    assert [one.arrival_ns for one in read(tmp_path).records()] == [0, SECOND_NS]


def test_another_run_is_placed_by_its_wall_clock(tmp_path: Path) -> None:
    """After a reboot the monotonic clock starts over; the run is placed where the wall clock says."""
    _write(tmp_path, _segment(500), _segment(0, run=2, wall_ns=START_NS + 60 * SECOND_NS))

    assert [one.arrival_ns for one in read(tmp_path).records()] == [10 * SECOND_NS, 60 * SECOND_NS]


def test_payloads_are_found_again(tmp_path: Path) -> None:
    """Segment and position of each record lead back to its payload, in any order."""
    _write(tmp_path, *(_segment(*range(10 * n, 10 * n + 10)) for n in range(5)))
    journal = read(tmp_path)
    stored = list(journal.records())

    found = [journal.payload(one.segment, one.position) for one in reversed(stored)]

    assert found == [one.record.payload for one in reversed(stored)]


def test_a_changed_segment_is_named(tmp_path: Path) -> None:
    """A place that holds no record any more is refused with the segment's path."""
    _write(tmp_path, _segment(1))
    journal = read(tmp_path)
    (stored,) = journal.records()

    with pytest.raises(JournalUnreadable, match=r"000001\.pkt changed while it was read"):
        journal.payload(stored.segment, stored.position + 1)


def test_what_the_writer_writes_is_read(tmp_path: Path, recording: Any) -> None:
    """The recording helper's records come back with their meeting time."""
    header = SegmentHeader(1, recording.start_wall_ns, recording.start_wall_ns, recording.start_monotonic_ns)
    made = recording.talk(11, 1500, 2)
    _write(tmp_path, records.serialize_header(header) + b"".join(map(records.serialize, made)))

    assert [one.arrival_ns // 1_000_000 for one in read(tmp_path).records()] == [1500, 1520]
