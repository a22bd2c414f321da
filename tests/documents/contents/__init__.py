"""What the documents show of the code's own data, by the name that a document gives it.

Each is a function from the words behind the name to Markdown; it reads the code, never a document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from standup.failures import failures_markdown
from standup.pipeline import retries_markdown
from tests.documents.contents import bot, commits, dependencies, gates, machine, packages, scripts
from tests.documents.contents.archive import archive_tables
from tests.documents.contents.commands import commands_reference
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
    "archive-tables": archive_tables,
    "branches": commits.branches_table,
    "commands": commands_reference,
    "commit-prefixes": commits.prefixes_table,
    "coverage-floors": gates.floors_table,
    "debian-packages": packages.debian_table,
    "debian-packages-graph": dependencies.system_graph,
    "coverage": coverage_table,
    "failure-codes": failures_markdown,
    "gates": gates.gates_table,
    "hardware": machine.hardware_table,
    "hooks": commits.hooks_table,
    "imports-graph": dependencies.imports_graph,
    "intents": bot.intents,
    "invitation": bot.invitation,
    "packages": dependencies.packages_table,
    "packages-graph": dependencies.packages_graph,
    "permissions": bot.permissions_table,
    "python-packages": packages.python_table,
    "retries": retries_markdown,
    "script-options": scripts.options_table,
    "script-statuses": scripts.statuses_table,
    "server-choices": bot.server_choices,
    "settings": settings_table,
    "slash-commands": bot.slash_commands,
    "test-doubles": doubles_table,
    "test-limits": limits_table,
    "test-markers": markers_table,
    "test-matrix": matrix_table,
    "test-patches": patches_sentence,
}
