"""The glossary speaks of terms that somebody meets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.checkout import ROOT

PAGE = ROOT / "docs" / "glossary.md"
ROW = re.compile(r"^\| (?P<term>[^|]+?) \| [^|]+ \| \[[^|]+ \|$", re.MULTILINE)
TERMS = [found["term"] for found in ROW.finditer(PAGE.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_used(term: str) -> None:
    """A term stands, as a word of its own, in the code or in another document."""
    assert re.search(rf"\b{re.escape(term.lower())}", everything())


def test_terms_are_sorted() -> None:
    """Terms stand in the order of the alphabet, each once, and every row of the table is one."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(TERMS) == len(rows) - 1  # the head
    assert sorted(set(TERMS), key=str.casefold) == TERMS


@cache
def everything() -> str:
    """Return the text of the code and of the other documents, in lower case."""
    return "\n".join(path.read_text(encoding="utf-8").lower() for path in sources())


def sources() -> Iterator[Path]:
    """Yield the files that a reader of the glossary may come from."""
    yield ROOT / "README.md"
    yield from (ROOT / "standup").rglob("*.py")
    yield from (one for one in (ROOT / "docs").rglob("*.md") if one != PAGE)
