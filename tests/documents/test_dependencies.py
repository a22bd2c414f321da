"""docs/dependency_graph.md says of every requirement why it is there."""

from __future__ import annotations

import re

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.checkout import ROOT
from tests.documents.document import read

FIRST_CELL = re.compile(r"^\| (?!dependency|package|\*\*|---)(?P<names>[^|]+?) \|", re.MULTILINE)
NAME = re.compile(r"[A-Za-z][\w.-]*\w")


def explained() -> set[str]:
    """Return the packages that have a row in a table of reasons."""
    text = read(ROOT / "docs/dependency_graph.md").text
    reasons = re.sub(r"<!-- generated.*?<!-- end -->", "", text, flags=re.DOTALL)
    cells = (re.sub(r"\[.*?\]|\(.*?\)", "", one["names"]) for one in FIRST_CELL.finditer(reasons))
    return {
        canonicalize_name(found[0])
        for cell in cells
        for one in cell.split(",")
        if (found := NAME.search(one))
    }


def required() -> set[str]:
    """Return the packages of requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("#")}


def test_every_requirement_is_explained() -> None:
    """A package has a row exactly when requirements.txt names it."""
    assert required() == explained()
