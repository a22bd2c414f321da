"""What the documents show of the code's own data, by the name that a document gives it.

Each is a function from the words behind the name to Markdown; it reads the code, never a document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from standup.failures import failures_markdown
from standup.pipeline import retries_markdown
from tests.documents.contents import (
    archive,
    bot,
    commands,
    commits,
    dashboard,
    dependencies,
    exceptions,
    gates,
    limits,
    machine,
    memory,
    packages,
    scripts,
    settings,
    supervision,
    testing,
    traps,
    work,
)

CONTENTS: Mapping[str, Callable[..., str]] = {
    "archive-tables": archive.archive_tables,
    "branches": commits.branches_table,
    "commands": commands.commands_reference,
    "commit-prefixes": commits.prefixes_table,
    "coverage": testing.coverage_table,
    "coverage-floors": gates.floors_table,
    "dashboard": dashboard.dashboard_table,
    "debian-packages": packages.debian_table,
    "debian-packages-graph": dependencies.system_graph,
    "exception-graph": exceptions.exceptions_graph,
    "exceptions": exceptions.exceptions_table,
    "failure-codes": failures_markdown,
    "gates": gates.gates_table,
    "hardware": machine.hardware_table,
    "hooks": commits.hooks_table,
    "imports-graph": dependencies.imports_graph,
    "intents": bot.intents,
    "invitation": bot.invitation,
    "limits": limits.limits_table,
    "log-files": supervision.log_files_table,
    "memory-profiles": memory.profiles_table,
    "packages": dependencies.packages_table,
    "packages-graph": dependencies.packages_graph,
    "permissions": bot.permissions_table,
    "programs": supervision.programs_table,
    "python-packages": packages.python_table,
    "retries": retries_markdown,
    "script-options": scripts.options_table,
    "script-statuses": scripts.statuses_table,
    "server-choices": bot.server_choices,
    "settings": settings.settings_table,
    "slash-commands": bot.slash_commands,
    "stages": work.stages_table,
    "test-doubles": testing.doubles_table,
    "test-limits": testing.limits_table,
    "test-markers": testing.markers_table,
    "test-matrix": testing.matrix_table,
    "test-patches": testing.patches_sentence,
    "traps": traps.traps_table,
}
