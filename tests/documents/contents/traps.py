"""What the scripts do when one of their commands fails or a signal comes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.checkout import ROOT
from tests.documents.contents.table import table

TRAP = re.compile(r"^\s*trap (?P<action>-|''|'[^']+') (?P<signals>[A-Z ]+)$")
FUNCTION = re.compile(r"^(?P<name>\w+)\(\) \{")
OPTIONS = re.compile(r"^set -(?P<options>.+)$", re.MULTILINE)


def traps_table() -> str:
    """Return every trap of every script in the order of its lines, with the shell options in force."""
    return table(("script", "in", "on", "does"), _traps())


def _traps() -> Iterator[tuple[str, str, str, str]]:
    for path in sorted(ROOT.glob("*.sh")):
        text = path.read_text(encoding="utf-8")
        found = OPTIONS.search(text)
        assert found, f"{path.name} sets no options"
        yield f"`{path.name}`", "the whole script", "a failed command", f"`set -{found['options']}`"
        place = "the whole script"
        for line in text.splitlines():
            if function := FUNCTION.match(line):
                place = f"`{function['name']}`"
            elif line == "}":
                place = "the whole script"
            if trap := TRAP.match(line):
                yield f"`{path.name}`", place, ", ".join(trap["signals"].split()), _action(trap["action"])


def _action(action: str) -> str:
    return {"-": "takes the trap away", "''": "ignores the signal"}.get(action, f"`{action[1:-1]}`")
