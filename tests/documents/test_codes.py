"""Every failure code has its part in the runbook, and no other number is spoken of as one."""

from __future__ import annotations

import re

import pytest

from standup.failures import MODES
from tests.checkout import ROOT
from tests.documents.document import Document, read, suite

SECTION = re.compile(r"^### (?P<codes>\d[^:\n]*): ", re.MULTILINE)
MENTION = re.compile(r"\bcode (?P<code>\d+)\b")


def test_every_code_has_a_section() -> None:
    """The sections of docs/operations.md are those of the codes that have a row, each once."""
    headed = SECTION.findall(read(ROOT / "docs/operations.md").text)
    assert sorted(int(code) for codes in headed for code in re.findall(r"\d+", codes)) == sorted(MODES)


@pytest.mark.parametrize("document", [pytest.param(one, id=one.name) for one in suite()])
def test_a_code_that_is_named_has_a_row(document: Document) -> None:
    """A page speaks of no code that the programs do not end with."""
    assert {int(one) for one in MENTION.findall(document.text)} <= set(MODES)
