"""What the documents show of the code's own data, by the name that a document gives it.

Each is a function from the words behind the name to Markdown; it reads the code, never a document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from standup.failures import failures_markdown
from standup.pipeline import retries_markdown
from tests.documents.contents.archive import archive_tables
from tests.documents.contents.bot import (
    intents,
    invitation,
    permissions_table,
    server_choices,
    slash_commands,
)
from tests.documents.contents.settings import settings_table

CONTENTS: Mapping[str, Callable[..., str]] = {
    "archive-tables": archive_tables,
    "failure-codes": failures_markdown,
    "intents": intents,
    "invitation": invitation,
    "permissions": permissions_table,
    "retries": retries_markdown,
    "server-choices": server_choices,
    "settings": settings_table,
    "slash-commands": slash_commands,
}
