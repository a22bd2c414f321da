"""Options and exit statuses of the scripts, from their help."""

from __future__ import annotations

import re
import subprocess
from functools import cache

from tests.checkout import ROOT
from tests.documents.contents.table import table

OPTION = re.compile(r"^  (?P<name>\S(?:\S| (?=\S))*)  +(?P<meaning>.*(?:\n {4,}.*)*)", re.MULTILINE)
STATUSES = re.compile(r"^Exit status: (?P<list>.*?)(?:\n\n|\Z)", re.DOTALL | re.MULTILINE)
NEXT_STATUS = re.compile(r" · |\s(?=\d+ [a-z])")
HELP_LIMIT_S = 20


@cache
def help_of(script: str) -> str:
    """Return what a script of the repository, given by its path there, prints for ``--help``."""
    done = subprocess.run(
        ["bash", script, "--help"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=HELP_LIMIT_S
    )
    return done.stdout


def options_table(script: str) -> str:
    """Return the words and options that a script takes, and what each does."""
    found = OPTION.finditer(help_of(script))
    return table(("option", "what it does"), ((f"`{one['name']}`", one["meaning"]) for one in found))


def statuses_table(script: str) -> str:
    """Return the exit statuses of a script; what passes on those of another program has a line without a number."""
    (listed,) = STATUSES.findall(help_of(script))
    return table(("status", "meaning"), map(_status, NEXT_STATUS.split(listed.strip().rstrip("."))))


def _status(text: str) -> tuple[str, str]:
    number, _, meaning = text.partition(" ")
    return (number, meaning) if number.isdigit() else ("—", text)
