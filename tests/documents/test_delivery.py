"""The tables about scripts, gates, packages and commits leave nothing out."""

from __future__ import annotations

import re

import pytest

from tests.checkout import ROOT
from tests.documents.contents.commits import hooks_table, prefixes_table
from tests.documents.contents.gates import gates_table
from tests.documents.contents.packages import debian_packages, python_table
from tests.documents.contents.scripts import options_table, statuses_table

SCRIPTS = ("setup.sh", "build.sh", "test.sh", "deploy.sh", ".ci/run")


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table below its head."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_option_has_a_row(script: str) -> None:
    """Every option or word that a script takes has a row that says what it does; test.sh's help is in its usage."""
    taken = re.findall(
        r"^ +(?:-h \| )?(--[a-z-]+|[a-z]+(?: \| [a-z]+)+)\)", (ROOT / script).read_text(), re.MULTILINE
    )
    words = {word for one in taken for word in one.split(" | ")} - (
        {"--help"} if script == "test.sh" else set()
    )
    shown = {option.strip("`").split()[0]: meaning for option, meaning in rows(options_table(script))}
    assert words == set(shown)
    assert all(shown.values())


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_status_has_a_row(script: str) -> None:
    """Every status that a script ends with by number has a row, and each row says what it means."""
    text = (ROOT / script).read_text()
    ends = set(re.findall(r"\b(?:exit|fail|roll_back \"[^\"]+\") (\d+)\b", text))
    shown = {status: meaning for status, meaning in rows(statuses_table(script))}
    assert ends - set(shown) == set()
    assert all(shown.values())


@pytest.mark.parametrize(
    ("of", "script", "call"),
    [("build", "build.sh", "gate"), ("test", "test.sh", "run_tests"), ("ci", ".ci/run", "stage")],
)
def test_every_gate_has_a_row(of: str, script: str, call: str) -> None:
    """Each gate, group of tests or stage that a script runs has a row with its limit."""
    called = re.findall(rf"^ +{call} ", (ROOT / script).read_text(), re.MULTILINE)
    shown = rows(gates_table(of))
    assert len(called) == len(shown) > 2
    assert all(re.fullmatch(r"\d+ s", limit) for _, _, limit in shown)


def test_every_requirement_has_a_row_with_its_pin() -> None:
    """Each requirement stands with a version that is pinned, and with its part."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    shown = rows(python_table())
    assert len([line for line in lines if line and not line.startswith("#")]) == len(shown)
    assert all(pin and part in ("runtime", "development") for _, _, pin, _, part in shown)


def test_every_debian_package_says_what_it_is_for() -> None:
    """Each package in a list of setup.sh has its reason behind it."""
    assert [name for name, meaning, _ in debian_packages() if not meaning] == []


def test_conventions_and_hooks_have_rows() -> None:
    """There are five prefixes, and a row for each hook of .pre-commit-config.yaml."""
    hooks = re.findall(r"^ +- id: ", (ROOT / ".pre-commit-config.yaml").read_text(), re.MULTILINE)
    assert (5, len(hooks)) == (len(rows(prefixes_table())), len(rows(hooks_table())))
