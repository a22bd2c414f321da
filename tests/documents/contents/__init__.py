"""What the documents show of the code's own data, by the name that a document gives it.

Each is a function from the words behind the name to Markdown; it reads the code, never a document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from standup.failures import failures_markdown
from standup.pipeline import retries_markdown
from tests.documents.contents.settings import settings_table
from tests.documents.contents.testing import (
    coverage_table,
    doubles_table,
    limits_table,
    markers_table,
    matrix_table,
    patches_sentence,
)

CONTENTS: Mapping[str, Callable[..., str]] = {
    "coverage": coverage_table,
    "failure-codes": failures_markdown,
    "retries": retries_markdown,
    "settings": settings_table,
    "test-doubles": doubles_table,
    "test-limits": limits_table,
    "test-markers": markers_table,
    "test-matrix": matrix_table,
    "test-patches": patches_sentence,
}
