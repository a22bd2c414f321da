"""What killed processes leave of their coverage data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import coverage
import pytest

from tests.coverage_data import drop_torn

PAGE_BYTES = 4096


def sound(path: Path) -> None:
    data = coverage.CoverageData(str(path))
    data.add_lines({f"file{number}.py": range(1, 9000, 3) for number in range(50)})


def short(path: Path) -> None:
    sound(path)
    path.write_bytes(path.read_bytes()[: 3 * PAGE_BYTES])


def holed(path: Path) -> None:
    sound(path)
    content = path.read_bytes()
    path.write_bytes(content[: 8 * PAGE_BYTES] + bytes(len(content) - 8 * PAGE_BYTES))


def foreign(path: Path) -> None:
    path.write_bytes(b"\x01" * PAGE_BYTES)


@pytest.mark.parametrize("tear", [short, holed, foreign])
def test_torn_files_are_dropped(tmp_path: Path, tear: Callable[[Path], None]) -> None:
    """What is torn goes, what is sound stays and can be combined."""
    kept, torn = tmp_path / ".coverage.kind.host.1", tmp_path / ".coverage.kind.host.2"
    sound(kept)
    tear(torn)

    assert drop_torn(tmp_path / ".coverage.kind") == [torn]

    assert [one.name for one in tmp_path.iterdir()] == [kept.name]
    whole = coverage.Coverage(data_file=str(tmp_path / ".coverage.kind"), config_file=False)
    whole.combine(strict=True)
    assert len(whole.get_data().measured_files()) == 50


def test_a_file_that_is_being_written_stays(tmp_path: Path) -> None:
    """A process that outlives the tests may still be writing; an empty file is its beginning."""
    (tmp_path / ".coverage.kind.host.1").touch()

    assert drop_torn(tmp_path / ".coverage.kind") == []
