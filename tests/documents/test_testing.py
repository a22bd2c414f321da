"""What is counted of the tests, and that everything they share says what it is."""

from __future__ import annotations

from pathlib import Path

from tests.documents.contents import testing

WRITTEN = '''
import pytest
from hypothesis import given
from unittest.mock import patch

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

class Double:
    """Stands in."""

def helper(found):
    assert found

@given(number=numbers)
def test_a(number):
    helper(number)
    with pytest.raises(ValueError, match="x"):
        pass

@pytest.mark.alone
def test_b(monkeypatch):
    assert True
    monkeypatch.setattr(module, "LIMIT", 1)
    monkeypatch.setenv("NAME", "no patch")
    with patch.object(module, "name"):
        pass
'''


def test_tests_are_counted_by_kind(tmp_path: Path) -> None:
    """A mark of the file marks each of its tests; checks in what tests call count where they stand."""
    file = tmp_path / "test_it.py"
    file.write_text(WRITTEN)

    assert testing.count(file) == testing.Count(
        functions=2, assertions=3, integration=2, alone=1, properties=1, patches=2
    )


def test_a_double_has_no_tests(tmp_path: Path) -> None:
    """Only files that pytest collects have tests; elsewhere checks and patches alone are counted."""
    file = tmp_path / "doubles.py"
    file.write_text(WRITTEN)

    assert testing.count(file) == testing.Count(assertions=3, patches=2)


def test_what_tests_share_is_explained() -> None:
    """Every fixture of a conftest, and every class beside the tests, has a docstring for the table."""
    rows = testing.doubles_table().splitlines()[2:]

    assert [row for row in rows if row.endswith("|  |")] == []
