"""The form of the documents: front matter, links, marks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from standup import __version__
from tests.checkout import ROOT
from tests.documents.document import Document, documents, read, suite, tracked

DOCUMENTS = [pytest.param(one, id=one.name) for one in documents()]
SUITE = [pytest.param(one, id=one.name) for one in suite()]
RUNNABLE = ("sh", "python")


@pytest.mark.parametrize("document", SUITE)
def test_front_matter_names_what_the_document_is(document: Document) -> None:
    """A document in `docs/` has its heading as title, StandupBot's version, and sources that are in the repository."""
    assert set(document.front_matter) == {"title", "version", "sources"}
    assert document.front_matter["version"] == __version__
    assert f"\n# {document.front_matter['title']}\n" in document.text
    missing = [one for one in document.front_matter["sources"] if not any(ROOT.glob(one))]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_resolve(document: Document) -> None:
    """A relative link leads to a file of the repository, its fragment to a heading of that file."""
    broken = [link for link in document.links if not urlsplit(link).scheme and not resolves(document, link)]
    assert not broken


def resolves(document: Document, link: str) -> bool:
    """Tell whether a relative link leads somewhere that a clone has too."""
    address = urlsplit(unquote(link))
    target = (document.path.parent / address.path).resolve() if address.path else document.path
    if target not in tracked():
        return False
    return not address.fragment or target.suffix != ".md" or address.fragment in anchors(target)


@cache
def anchors(path: Path) -> set[str]:
    """Return the fragments of a document's headings."""
    return read(path).anchors


@pytest.mark.parametrize("document", DOCUMENTS)
def test_blocks_name_their_language(document: Document) -> None:
    """Every block of code names its language, and only commands are marked as executable."""
    assert all(one.language for one in document.blocks)
    assert all(one.language in RUNNABLE for one in document.blocks if one.is_executable)
