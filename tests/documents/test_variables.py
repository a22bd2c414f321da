"""The environment variables of StandupBot: what the code reads and what the configuration page names are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from standup.settings import Settings, variable
from tests.checkout import ROOT

VARIABLE = re.compile(r"\bSTANDUP_[A-Z0-9_]*[A-Z0-9]\b")
PAGE = ROOT / "docs" / "configuration.md"
PROGRAMS = ("standup/**/*.py", "*.sh", "deploy/*", ".ci/*", "celeryconfig.py", "supervisord.conf")


def test_every_variable_is_on_the_page() -> None:
    """Whatever variable the programs or scripts speak of, and every setting, is in the configuration page."""
    assert spoken_of(sources()) | {variable(name) for name in Settings.model_fields} <= spoken_of([PAGE])


def test_no_variable_on_the_page_has_gone() -> None:
    """The configuration page names no variable that neither the settings nor a program knows."""
    assert spoken_of([PAGE]) <= spoken_of(sources()) | {variable(name) for name in Settings.model_fields}


def sources() -> Iterator[Path]:
    """Yield the files that may read a variable."""
    for pattern in PROGRAMS:
        yield from ROOT.glob(pattern)


def spoken_of(paths: Iterable[Path]) -> set[str]:
    """Return the variables of StandupBot that files name."""
    return {name for path in paths for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
