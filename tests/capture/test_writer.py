"""The journal's writer thread: nothing lost, nothing waited for, a full disk survived."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from standup.capture import writer
from standup.capture.journal import JournalState, JournalWriter, read

START_NS = 1_700_000_000_000_000_000


class Disk:
    """A disk that refuses with *error* while that is set; counts the refusals."""

    def __init__(self, error: int = 0) -> None:
        self.error = error
        self.refused = threading.Semaphore(0)

    def open(self, path: Path) -> io.RawIOBase:
        """Create a file on this disk."""
        disk = self

        class File(io.FileIO):
            def write(self, data: Any) -> int:
                if disk.error:
                    disk.refused.release()
                    raise OSError(disk.error, "refused")
                return super().write(data)

        return File(path, "x")


def _wait(claim: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline_s, "the writer thread did not get there in 10 s"
        threading.Event().wait(0.005)


def _read(folder: Path) -> list[Any]:
    return [stored.record for stored in read(folder).records()]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY_S", 0.01)


def test_everything_is_written(tmp_path: Path, recording: Any) -> None:
    """What was appended is in the journal after closing, in order."""
    journal = JournalWriter(tmp_path, START_NS)
    records = recording.talk(11, 0, 2500)
    accepted = [journal.append(record) for record in records]
    health = journal.close()

    assert all(accepted)
    assert (health.state, health.written, health.pending, health.dropped) == (JournalState.CLOSED, 2500, 0, 0)
    assert _read(tmp_path) == records


def test_records_reach_the_disk_without_closing(tmp_path: Path, recording: Any) -> None:
    """The writer does not wait for the end to write."""
    journal = JournalWriter(tmp_path, START_NS)
    (record,) = recording.talk(11, 0, 1)
    journal.append(record)
    _wait(lambda: journal.health.written == 1)
    before_closing = _read(tmp_path)
    journal.close()

    assert before_closing == [record]


def test_several_threads_append(tmp_path: Path, recording: Any) -> None:
    """Records from several threads are all written, each whole."""
    journal = JournalWriter(tmp_path, START_NS)
    lots = [recording.talk(user, 0, 300) for user in (11, 22, 33)]
    threads = [threading.Thread(target=lambda lot=lot: [journal.append(one) for one in lot]) for lot in lots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    journal.close()

    written = _read(tmp_path)
    assert [[one for one in written if one.user_id == lot[0].user_id] for lot in lots] == lots


def test_a_full_queue_drops_and_counts(tmp_path: Path, recording: Any) -> None:
    """With the disk refusing, the queue holds what it may; the rest is refused and counted."""
    disk = Disk(errno.ENOSPC)
    journal = JournalWriter(tmp_path, START_NS, open_segment=disk.open, queue_records=10)
    accepted = [journal.append(record) for record in recording.talk(11, 0, 15)]
    disk.error = 0
    journal.close()

    assert accepted == [True] * 10 + [False] * 5
    assert journal.health.dropped == 5
    assert _read(tmp_path) == recording.made[:10]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        pytest.param(errno.ENOSPC, JournalState.DISK_FULL, id="disk full"),
        pytest.param(errno.EDQUOT, JournalState.DISK_FULL, id="quota"),
        pytest.param(errno.EIO, JournalState.FAILING, id="bad disk"),
    ],
)
def test_a_refusing_disk_is_told_and_survived(
    tmp_path: Path, recording: Any, error: int, state: JournalState
) -> None:
    """The state says what is wrong while it lasts; afterwards nothing is missing."""
    disk = Disk()
    journal = JournalWriter(tmp_path, START_NS, open_segment=disk.open)
    first, second = recording.talk(11, 0, 1), recording.talk(11, 20, 50)
    journal.append(first[0])
    _wait(lambda: journal.health.written == 1)
    disk.error = error
    for record in second:
        journal.append(record)
    _wait(lambda: journal.health.state is state)
    full = journal.health
    disk.error = 0
    _wait(lambda: journal.health.state is JournalState.WRITING)
    health = journal.close()

    assert (full.written, full.pending, full.dropped) == (1, 50, 0)
    assert (health.written, health.dropped) == (51, 0)
    assert _read(tmp_path) == [*first, *second]


def test_closing_on_a_full_disk_ends(tmp_path: Path, recording: Any) -> None:
    """Closing does not wait for ever: what the disk never took is counted as dropped."""
    disk = Disk(errno.ENOSPC)
    journal = JournalWriter(tmp_path, START_NS, open_segment=disk.open)
    for record in recording.talk(11, 0, 3):
        journal.append(record)
    health = journal.close(timeout_s=0.05)

    assert (health.state, health.written, health.pending, health.dropped) == (JournalState.CLOSED, 0, 0, 3)


def test_after_closing_nothing_is_taken(tmp_path: Path, recording: Any) -> None:
    """A record that comes too late is refused and counted; closing again changes nothing."""
    journal = JournalWriter(tmp_path, START_NS)
    journal.close()
    accepted = [journal.append(record) for record in recording.talk(11, 0, 1)]

    assert (accepted, journal.close().dropped) == ([False], 1)


def test_appending_never_waits_for_the_disk(tmp_path: Path, recording: Any) -> None:
    """While a write hangs in the disk, appending goes on."""
    release = threading.Event()
    writing = threading.Event()

    def open_slow(path: Path) -> io.RawIOBase:
        class File(io.FileIO):
            def write(self, data: Any) -> int:
                if threading.current_thread().name == "journal-writer":
                    writing.set()
                    assert release.wait(10)
                return super().write(data)

        return File(path, "x")

    journal = JournalWriter(tmp_path, START_NS, open_segment=open_slow)
    records = recording.talk(11, 0, 100)
    journal.append(records[0])
    assert writing.wait(10)
    accepted = [journal.append(record) for record in records[1:]]
    release.set()
    journal.close()

    assert all(accepted)
    assert _read(tmp_path) == records


WRITE_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from standup.capture.journal import JournalWriter
from standup.capture.record import JournalRecord
journal = JournalWriter(Path(sys.argv[1]), 1_700_000_000_000_000_000)
for number in range(10**9):
    journal.append(JournalRecord(11, 1, number & 0xFFFF, number, number, number, 0, bytes([252]) * (1 + number % 300)))
    if number % 50 == 0:
        print(journal.health.written, flush=True)
        time.sleep(0.001)
"""


@pytest.mark.integration
def test_kill_9_leaves_a_readable_prefix(tmp_path: Path) -> None:
    """A recorder killed while writing leaves a journal whose every written record is read, and no other."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_UNTIL_KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        written = 0
        while written < 5000:
            written = int(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().splitlines()
        process.wait(10)
    written = max([written, *(int(line) for line in rest if line.isdigit())])
    journal = read(tmp_path)
    numbers = [stored.record.timestamp for stored in journal.records()]

    assert len(numbers) >= written >= 5000
    assert numbers == list(range(len(numbers)))
    assert (journal.report.torn in (0, 1), journal.report.corrupt) == (True, 0)


@pytest.mark.integration
def test_a_run_after_kill_9_goes_on(tmp_path: Path, recording: Any) -> None:
    """Re-opening after a kill begins another segment and keeps what was there."""
    test_kill_9_leaves_a_readable_prefix(tmp_path)
    before = _read(tmp_path)
    journal = JournalWriter(tmp_path, START_NS)
    records = recording.talk(22, 0, 10)
    for record in records:
        journal.append(record)
    journal.close()

    assert _read(tmp_path) == [*before, *records]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000001.pkt", "000002.pkt"]


FILL_THE_DISK = """
import resource, sys, time
from pathlib import Path
from standup.capture.journal import JournalState, JournalWriter
from standup.capture.record import JournalRecord
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
journal = JournalWriter(Path(sys.argv[1]), 1_700_000_000_000_000_000)
for number in range(200):
    journal.append(JournalRecord(11, 1, number, number, number, number, 0, bytes(100)))
deadline = time.monotonic() + 20
while journal.health.state is not JournalState.DISK_FULL:
    assert time.monotonic() < deadline
    time.sleep(0.01)
print(journal.health.pending, flush=True)
sys.stdin.readline()
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
print(journal.close().written)
"""


@pytest.mark.integration
def test_the_systems_own_limit_is_survived(tmp_path: Path) -> None:
    """When the kernel refuses in the middle of a record, all before is readable, and later all is there."""
    with subprocess.Popen(
        [sys.executable, "-c", FILL_THE_DISK, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pending = int(process.stdout.readline())
        full = read(tmp_path)
        readable = len(list(full.records()))
        process.stdin.write("room again\n")
        process.stdin.flush()
        written = int(process.stdout.readline())
        process.wait(20)

    assert os.path.getsize(tmp_path / "000001.pkt") > 4000
    assert (pending, full.report.torn, readable > 20) == (200, 1, True)
    assert (written, len(_read(tmp_path))) == (200, 200)
