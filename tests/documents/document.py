"""A document of the repository, taken apart: front matter, blocks, links and what it writes as code.

Reads Markdown with markdown-it-py, front matter with PyYAML. Nothing here writes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.checkout import ROOT, files

FRONT_MATTER = re.compile(r"\A---\n(?P<yaml>.*?)^---\n", re.DOTALL | re.MULTILINE)
MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    line: int
    """Where it begins in its document, from 1."""
    language: str
    is_executable: bool
    text: str


@dataclass(frozen=True)
class Document:
    """One Markdown file."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def front_matter(self) -> dict[str, Any]:
        """What stands between the two lines of dashes at its head; empty without."""
        found = FRONT_MATTER.match(self.text)
        return yaml.safe_load(found["yaml"]) if found else {}

    @cached_property
    def tokens(self) -> list[Token]:
        """The Markdown below the front matter, with line numbers of the whole file."""
        head = FRONT_MATTER.match(self.text)
        skipped = head[0].count("\n") if head else 0
        return MARKDOWN.parse("\n" * skipped + (self.text[head.end() :] if head else self.text))

    @cached_property
    def blocks(self) -> list[Block]:
        """Its fenced blocks in order."""
        found = []
        for token in self.tokens:
            if token.type == "fence":
                language, *marks = token.info.split() or [""]
                line = (token.map or [0])[0] + 1
                found.append(Block(line, language, "executable" in marks, token.content))
        return found

    @cached_property
    def links(self) -> list[str]:
        """Targets of its links and pictures."""
        return [
            str(child.attrs.get("href") or child.attrs.get("src"))
            for child in self._inline()
            if child.type in ("link_open", "image")
        ]

    @cached_property
    def code(self) -> list[str]:
        """What its sentences and tables write as code."""
        return [child.content for child in self._inline() if child.type == "code_inline"]

    @cached_property
    def anchors(self) -> set[str]:
        """The fragments that GitHub gives its headings."""
        pairs = itertools.pairwise(self.tokens)
        return {anchor(text.content) for token, text in pairs if token.type == "heading_open"}

    def _inline(self) -> Iterator[Token]:
        for token in self.tokens:
            yield from token.children or ()


def anchor(heading: str) -> str:
    """Return the fragment of a heading: lower case, punctuation dropped, blanks as dashes."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower()).replace(" ", "-")


def read(path: Path) -> Document:
    """Return the document in a file of the repository."""
    return Document(path, path.read_text(encoding="utf-8"))


@cache
def tracked() -> frozenset[Path]:
    """Return every file of the checkout, and every folder with one in it."""
    return frozenset({*files(), *(folder for path in files() for folder in path.parents)})


def documents() -> list[Document]:
    """Return every Markdown file of the repository that people read; test data aside."""
    paths = (one for one in tracked() if one.suffix == ".md" and ROOT / "tests/data" not in one.parents)
    return [read(path) for path in sorted(paths)]


def suite() -> list[Document]:
    """Return the documents in `docs/`, decisions aside."""
    return [read(path) for path in sorted((ROOT / "docs").glob("*.md"))]
