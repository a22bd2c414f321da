"""JSON Schemas (https://json-schema.org/draft/2020-12) of the documents that programs exchange, as package data.

The forms are open: a document may carry more fields than its schema names, and readers leave them alone.
"""

from __future__ import annotations

from enum import Enum
from importlib.resources import files


class Document(str, Enum):
    """The documents that have a schema."""

    transcript = "transcript"
    """Written by `standup export --format json`, read by `standup summarize`."""
    summary = "summary"
    """Written by `standup summarize --json`."""


def schema(document: Document) -> str:
    """Return the JSON Schema of *document* as text."""
    return (files(__name__) / f"{document.value}.schema.json").read_text(encoding="utf-8")
