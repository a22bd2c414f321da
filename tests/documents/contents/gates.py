"""Gates and stages with their commands and limits, from the scripts that enforce them."""

from __future__ import annotations

import re
import shlex

from tests.checkout import ROOT
from tests.documents.contents.table import table

CONSTANT = re.compile(r"(\w+)=(\d+|\([^)]*\))")
GATE = re.compile(r'\bgate "(?P<name>[^"]+)" "\$(?P<limit>\w+)" (?P<command>.+)')
TESTS = re.compile(
    r'\brun_tests \w+ "(?P<name>[^"]+)" "\$(?P<limit>\w+)" (?P<command>.+?)(?: \|\| .*)?$', re.MULTILINE
)
STAGE = re.compile(r'\bstage "\$(?P<limit>\w+)" (?P<command>(?P<name>\S+).*)')
FLOOR = re.compile(r"(?P<kind>\w+)_floor_percent=(?P<percent>\d+)")
PLACES = {"build": ("build.sh", GATE), "test": ("test.sh", TESTS), "ci": (".ci/run", STAGE)}


def gates_table(of: str) -> str:
    """Return the gates of `build`, the groups of tests of `test` or the stages of `ci`, in order."""
    script, shape = PLACES[of]
    text = (ROOT / script).read_text(encoding="utf-8").replace("\\\n", " ")
    constants = _constants(text)
    return table(
        ("name", "command", "limit"),
        (
            (one["name"], f"`{_command(one['command'], constants)}`", f"{constants[one['limit']]} s")
            for one in shape.finditer(text)
        ),
    )


def floors_table() -> str:
    """Return the least branch coverage of each kind of tests."""
    text = (ROOT / "test.sh").read_text(encoding="utf-8")
    return table(
        ("tests", "coverage at least"), ((one["kind"], f"{one['percent']} %") for one in FLOOR.finditer(text))
    )


def _constants(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line.startswith("readonly ")]
    return {name: value.strip("()") for line in lines for name, value in CONSTANT.findall(line)}


def _command(text: str, constants: dict[str, str]) -> str:
    """Return a command with the script's own constants in it."""
    text = re.sub(r'"\$\{(\w+)\[@\]\}"', lambda array: constants[array[1]], text)
    return shlex.join(shlex.split(text.replace("$bin/", ".venv/bin/")))
