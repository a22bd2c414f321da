"""Every diagram is drawn: by Mermaid, in headless Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import CHROMIUM
from tests.documents.diagrams import MERMAID, Drawing, draw
from tests.documents.document import documents

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (./setup.sh --dev)"),
    pytest.mark.skipif(not MERMAID.exists(), reason="Mermaid is not installed (./setup.sh --dev)"),
]

DIAGRAMS = {
    f"{document.name}:{block.line}": block.text
    for document in documents()
    for block in document.blocks
    if block.language == "mermaid"
}


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drawing]:
    """All diagrams, drawn on one page."""
    return dict(zip(DIAGRAMS, draw([*DIAGRAMS.values()], tmp_path_factory.mktemp("diagrams")), strict=True))


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_diagram_is_drawn(name: str, drawings: dict[str, Drawing]) -> None:
    """Mermaid parses the diagram, and what it draws has a size."""
    assert drawings[name].problem == ""
    assert min(drawings[name].width, drawings[name].height) > 20


def test_a_wrong_diagram_is_told(tmp_path: Path) -> None:
    """What is no diagram has a problem, and those beside it are drawn all the same."""
    wrong, right = draw(["graph LR\n  a --> --> b", "graph LR\n  a --> b"], tmp_path)
    assert "Parse error" in wrong.problem
    assert (right.type, right.problem) == ("flowchart-v2", "")
