"""Exit records: appended whole, bounded, read back."""

from __future__ import annotations

import dataclasses
import multiprocessing
from pathlib import Path

import pytest

from standup.supervision import exits
from standup.supervision.exits import FAST_MS, FORGIVEN_MS, FULL_BYTES, Exit

NOW = 1_800_000_000_000
CRASH = Exit("1", "worker-gpu", 139, NOW, 200, 10, 11)


def crash(number: int, **changes: object) -> Exit:
    return dataclasses.replace(CRASH, id=str(number), **changes)  # type: ignore[arg-type]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "data" / exits.FILE_NAME


def test_what_is_appended_is_read(record: Path) -> None:
    """Records come back as they were, in order, from a folder that was made for them."""
    ends = (crash(1), crash(2, code=0), crash(3, program="redis"))
    for one in ends:
        exits.append(record, one)
    assert exits.read(record) == ends


def test_nothing_yet_is_no_record(record: Path) -> None:
    """Before the first end there is nothing to read."""
    assert exits.read(record) == ()


def test_the_operator_alone_may_read_it(record: Path) -> None:
    """The file is for its owner."""
    exits.append(record, CRASH)
    assert record.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("line", [b"torn {", b"[]", b'{"id": "1"}', b"\xff"])
def test_a_spoilt_line_spoils_no_other(record: Path, line: bytes) -> None:
    """What is no record is left out, the records around it stay."""
    exits.append(record, crash(1))
    with record.open("ab") as file:
        file.write(line + b"\n")
    exits.append(record, crash(2))
    assert [one.id for one in exits.read(record)] == ["1", "2"]


def test_the_files_are_bounded_and_keep_the_latest(record: Path) -> None:
    """A crash loop fills two files and no more; the last hundreds of ends are kept."""
    line_bytes = 150
    record.parent.mkdir()
    for number in range(0, 3 * FULL_BYTES // line_bytes, 1000):
        # Most lines are written at once: what is tested is the turn of the files.
        with record.open("ab") as file:
            file.write((b" " * (line_bytes - 1) + b"\n") * 999)
        exits.append(record, crash(number))
    files = [path for path in record.parent.iterdir() if path.name.startswith(f"{record.name}")]
    assert {path.name for path in files} == {"exits.jsonl", "exits.jsonl.1", "exits.jsonl.lock"}
    assert exits.read(record)[-1].id == str(number)


def append_many(record: Path, launcher: int) -> None:
    for number in range(50):
        exits.append(record, crash(number, launcher_pid=launcher))


def test_launchers_that_write_at_once_lose_nothing(record: Path) -> None:
    """Records of several processes stay whole, and none is overwritten."""
    forking = multiprocessing.get_context("fork")
    writers = [forking.Process(target=append_many, args=(record, launcher)) for launcher in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join(30)
    found = {(one.launcher_pid, one.id) for one in exits.read(record)}
    assert found == {(launcher, str(number)) for launcher in range(4) for number in range(50)}


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        pytest.param([], 0, id="never ran"),
        pytest.param([crash(1), crash(2)], 2, id="twice in a row"),
        pytest.param([crash(1), crash(2, code=0), crash(3)], 1, id="asked to stop in between"),
        pytest.param([crash(1), crash(2, uptime_ms=FAST_MS), crash(3)], 1, id="a longer run in between"),
        pytest.param([crash(1), crash(2, program="redis", uptime_ms=FAST_MS)], 1, id="another program's run"),
        pytest.param([crash(1, program="redis")], 0, id="another program's death"),
        pytest.param([crash(1, at_ms=NOW - FORGIVEN_MS - 1)], 0, id="long ago"),
        pytest.param([crash(1, at_ms=NOW - FORGIVEN_MS - 1), crash(2)], 1, id="long ago and once more"),
    ],
)
def test_fast_deaths(ends: list[Exit], expected: int) -> None:
    """Deaths count while they follow each other fast; any other end begins anew."""
    assert expected == exits.fast_deaths(ends, "worker-gpu", NOW)


def test_a_killed_launcher_is_known_by_its_note(record: Path) -> None:
    """A launcher whose note is still there after its end was killed; its uptime is told too."""
    exits.mark(record, "monitor", 77, NOW)
    found = exits.killed(record, "monitor", 77, NOW + 500)
    assert found is not None
    assert (found.program, found.code, found.uptime_ms, found.is_failure) == ("monitor", 137, 500, True)
    assert found == exits.killed(record, "monitor", 77, NOW + 500)


@pytest.mark.parametrize("after", ["ended", "started again"])
def test_a_launcher_that_is_done_leaves_no_note(record: Path, after: str) -> None:
    """A launcher takes its note away, and the next one an older note."""
    mark = exits.mark(record, "monitor", 77, NOW)
    if after == "ended":
        mark.unlink()
    else:
        exits.mark(record, "monitor", 78, NOW)
    assert exits.killed(record, "monitor", 77, NOW) is None
