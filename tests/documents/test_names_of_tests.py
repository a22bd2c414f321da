"""What the documents for contributors point at by name is there."""

from __future__ import annotations

import re

import pytest

from tests.checkout import ROOT
from tests.documents.document import Document, documents, read

STYLE = read(ROOT / "docs/style.md")
SHOWN = re.compile(
    r"(?P<names>(?:`[\w.]+`(?:, | and | or | from )?)+) (?:in|of \S+ in) \[[^]]*\]\((?P<file>[^)]+)\)"
)
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("document", [pytest.param(one, id=one.name) for one in documents()])
def test_every_test_that_is_named_exists(document: Document) -> None:
    """A test function that a document names as code is in the tests."""
    named = {one for one in document.code if re.fullmatch(r"test_\w+", one)}
    assert named - TESTS == set()


def test_what_the_style_points_at_is_there() -> None:
    """A name that is shown as an example stands in the file that is linked beside it."""
    found = list(SHOWN.finditer(STYLE.text))
    missing = [
        f"{name} in {one['file']}"
        for one in found
        for name in re.findall(r"\w+(?=`)", one["names"])
        if not re.search(rf"\b{name}\b", (STYLE.path.parent / one["file"]).read_text(encoding="utf-8"))
    ]
    assert missing == []
    assert len(found) > 20


def test_every_rule_has_one_example() -> None:
    """A row of the style has three cells, and the second links to exactly one file."""
    rows = [line.split(" | ") for line in STYLE.text.splitlines() if re.match(r"\| (?!rule|---)", line)]
    assert [row[0] for row in rows if len(row) != 3 or row[1].count("](") != 1] == []
