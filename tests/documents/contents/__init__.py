"""What the documents show of the code's own data, by the name that a document gives it.

Each is a function from the words behind the name to Markdown; it reads the code, never a document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from standup.failures import failures_markdown
from standup.pipeline import retries_markdown
from tests.documents.contents import dependencies
from tests.documents.contents.commands import commands_reference
from tests.documents.contents.dashboard import dashboard_table
from tests.documents.contents.exceptions import exceptions_graph, exceptions_table
from tests.documents.contents.limits import limits_table
from tests.documents.contents.memory import profiles_table
from tests.documents.contents.scripts import traps_table
from tests.documents.contents.settings import settings_table
from tests.documents.contents.supervision import log_files_table, programs_table
from tests.documents.contents.work import stages_table

CONTENTS: Mapping[str, Callable[..., str]] = {
    "commands": commands_reference,
    "dashboard": dashboard_table,
    "debian-packages-graph": dependencies.system_graph,
    "exception-graph": exceptions_graph,
    "exceptions": exceptions_table,
    "failure-codes": failures_markdown,
    "imports-graph": dependencies.imports_graph,
    "limits": limits_table,
    "log-files": log_files_table,
    "memory-profiles": profiles_table,
    "packages": dependencies.packages_table,
    "packages-graph": dependencies.packages_graph,
    "programs": programs_table,
    "retries": retries_markdown,
    "settings": settings_table,
    "stages": stages_table,
    "traps": traps_table,
}
