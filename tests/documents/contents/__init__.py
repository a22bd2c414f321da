"""What the documents show of the code's own data, by the name that a document gives it.

Each is a function from the words behind the name to Markdown; it reads the code, never a document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from standup.failures import failures_markdown
from standup.pipeline import retries_markdown
from tests.documents.contents.commands import commands_reference
from tests.documents.contents.settings import settings_table

CONTENTS: Mapping[str, Callable[..., str]] = {
    "commands": commands_reference,
    "failure-codes": failures_markdown,
    "retries": retries_markdown,
    "settings": settings_table,
}
