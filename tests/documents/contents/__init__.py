"""What the documents show of the code's own data, by the name that a document gives it.

Each is a function from the words behind the name to Markdown; it reads the code, never a document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from standup.failures import failures_markdown
from standup.pipeline import retries_markdown
from tests.documents.contents import bot, dependencies
from tests.documents.contents.archive import archive_tables
from tests.documents.contents.commands import commands_reference
from tests.documents.contents.settings import settings_table

CONTENTS: Mapping[str, Callable[..., str]] = {
    "archive-tables": archive_tables,
    "commands": commands_reference,
    "debian-packages-graph": dependencies.system_graph,
    "failure-codes": failures_markdown,
    "imports-graph": dependencies.imports_graph,
    "intents": bot.intents,
    "invitation": bot.invitation,
    "packages": dependencies.packages_table,
    "packages-graph": dependencies.packages_graph,
    "permissions": bot.permissions_table,
    "retries": retries_markdown,
    "server-choices": bot.server_choices,
    "settings": settings_table,
    "slash-commands": bot.slash_commands,
}
