"""The conventions of commits and branches, and the hooks that hold them."""

from __future__ import annotations

import re

import yaml

from tests.checkout import ROOT
from tests.documents.contents.scripts import help_of
from tests.documents.contents.table import table

LINE = re.compile(r"^  (?P<name>\S+) +(?P<meaning>\S.*)$", re.MULTILINE)


def prefixes_table() -> str:
    """Return what a commit message begins with, as `.ci/commit-msg` says."""
    return _table(".ci/commit-msg", "prefix")


def branches_table() -> str:
    """Return the names of branches, as `.ci/branch-name` says."""
    return _table(".ci/branch-name", "branch")


def hooks_table() -> str:
    """Return git's hooks in order, with the files that they look at and their commands."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for place in config["repos"] for hook in place["hooks"]]
    return table(
        ("hook", "when", "looks at", "command"),
        ((one["name"], _when(one, config), _looked_at(one), f"`{one['entry']}`") for one in hooks),
    )


def _table(script: str, head: str) -> str:
    lines = LINE.finditer(help_of(script))
    return table((head, "what for"), ((f"`{one['name']}`", one["meaning"]) for one in lines))


def _when(hook: dict[str, list[str]], config: dict[str, list[str]]) -> str:
    return ", ".join(hook.get("stages", config["default_stages"]))


def _looked_at(hook: dict[str, list[str]]) -> str:
    if kinds := hook.get("types"):
        return f"staged files: {', '.join(kinds)}"
    return "the message" if "commit-msg" in hook.get("stages", []) else "the repository"
