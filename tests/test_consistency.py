"""The shape of the code base itself: names, sizes, docstrings, and a place where each module is tested."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from configparser import ConfigParser
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import grimp
import pytest

from standup.cli import COMMANDS
from tests.checkout import ROOT, files

PACKAGE, TESTS = ROOT / "standup", ROOT / "tests"

MOST_LINES_OF_A_FILE = 345
MOST_LINES_OF_A_FUNCTION = 60
VAGUE = {
    "base",
    "common",
    "const",
    "constants",
    "data",
    "handler",
    "handlers",
    "helper",
    "helpers",
    "info",
    "manager",
}
VAGUE |= {"misc", "util", "utils"}
WRITTEN_BY_ALEMBIC = "archive.migrations."
"""Begins the name of a module that `alembic revision` drafts; tests/archive/test_migrations.py runs them all."""

TESTED_THROUGH = {
    "archive.deaths": "test_worker.py",
    "archive.records": "archive/test_archive.py",  # what an archive gives back is what was stored
    "bench.targets": "cli/test_contest.py",  # met and missed
    "cli.bench": "bench/test_summarize.py",  # options and output; the other benchmarks have tests of their own
    "cli.meetings": "cli/test_cli.py",
    "cli.trial": "cli/test_cli.py",  # its help; acceptance/test_demo.py runs the demo
    "notice.defusing": "test_notice.py",
    "notice.report": "test_notice.py",
    "notice.states": "test_notice.py",
    "notify.refusals": "notify/test_discord_channel.py",
    "simulator.access": "simulator/test_rest.py",
    "simulator.answers": "simulator/test_server.py",
    "simulator.certificates": "simulator/test_server.py",
    "simulator.events": "simulator/test_gateway.py",
    "simulator.relay": "simulator/test_server.py",
    "simulator.trouble": "simulator/test_faults.py",
    "simulator.voice_gateway": "simulator/test_server.py",
    "simulator.voice_rooms": "simulator/test_server.py",
    "summarize.denial": "summarize/test_evidence.py",
    "summarize.words": "summarize/test_likeness.py",
    "transcribe.vad": "transcribe/test_stage.py",
}
"""Modules that no test is named after and none imports, each with the test file that tests it from outside."""


def module_name(path: Path) -> str:
    """Return a module's dotted name below `standup`; a package's is that of its folder."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").strip(".")


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TEST_FILES = sorted(TESTS.rglob("test_*.py"))


@pytest.fixture(autouse=True, scope="module")
def _forget() -> Iterator[None]:
    """Let go of the trees: in a heap of millions of nodes every later test that collects garbage would take seconds."""
    yield
    parsed.cache_clear()


def defines_something(path: Path) -> bool:
    """Tell whether a module has a function or class of its own; a `__main__` is a program, which processes start."""
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return path.stem != "__main__" and any(isinstance(one, kinds) for one in parsed(path).body)


def imported(path: Path) -> set[str]:
    """Return the modules of `standup` that a file imports, by their names below it."""
    found: set[str] = set()
    for one in ast.walk(parsed(path)):
        if isinstance(one, ast.Import):
            found |= {alias.name for alias in one.names}
        elif isinstance(one, ast.ImportFrom) and one.module:
            found |= {one.module, *(f"{one.module}.{alias.name}" for alias in one.names)}
    return {one.removeprefix("standup.") for one in found if one.startswith("standup.")} & set(MODULES)


def has_named_test(module: str) -> bool:
    """Tell whether a test file bears a module's name, in the folder that mirrors its own."""
    *folders, name = module.split(".")
    return any((TESTS.joinpath(*place) / f"test_{name}.py").exists() for place in (folders, [*folders, name]))


def untested() -> set[str]:
    """Return the modules with code that no test file is named after and none imports."""
    known = {one for path in TEST_FILES for one in imported(path)}
    return {
        module
        for module, path in MODULES.items()
        if defines_something(path) and not module.startswith(WRITTEN_BY_ALEMBIC)
        if module not in known and not has_named_test(module)
    }


def test_every_module_has_its_tests() -> None:
    """A module has a test file of its name or one that imports it; else `TESTED_THROUGH` says where it is tested."""
    assert untested() == set(TESTED_THROUGH)


def test_what_is_tested_from_outside_is_reached_from_there() -> None:
    """The file that `TESTED_THROUGH` names, or the conftest beside it, imports something that leads to the module."""
    imports = grimp.build_graph("standup", cache_dir=None)
    for name in COMMANDS:  # loaded by name, when one of their commands is called
        imports.add_import(importer="standup.cli", imported=f"standup.cli.{name}")
    missed = [
        f"{file} does not reach {module}"
        for module, file in TESTED_THROUGH.items()
        if not any(
            imports.chain_exists(f"standup.{one}".rstrip("."), f"standup.{module}", as_packages=False)
            for path in ((TESTS / file), (TESTS / file).with_name("conftest.py"))
            if path.exists()
            for one in imported(path)
        )
    ]
    assert missed == []


def test_files_are_short() -> None:
    """No file of the package is longer than a reader takes in."""
    lengths = {module: path.read_text(encoding="utf-8").count("\n") for module, path in MODULES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}


def test_functions_are_short() -> None:
    """No function is longer than a screen; a migration is a list of columns and may be."""
    lengths = {
        f"{module}.{one.name}": (one.end_lineno or 0) - one.lineno + 1
        for module, path in MODULES.items()
        if not module.startswith(WRITTEN_BY_ALEMBIC)
        for one in ast.walk(parsed(path))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_modules_have_telling_names() -> None:
    """A module's name says what is in it: where none fits, the noun is missing."""
    assert [module for module in MODULES if VAGUE & set(module.split("."))] == []


def undocumented(node: ast.Module | ast.ClassDef, name: str) -> Iterator[str]:
    """Return what is public in a module or class and has no docstring."""
    if ast.get_docstring(node) is None:
        yield name
    for one in node.body:
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            yield from undocumented(one, f"{name}.{one.name}")
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not one.name.startswith("_"):
            if ast.get_docstring(one) is None:
                yield f"{name}.{one.name}"


def test_everything_public_has_a_docstring() -> None:
    """Modules, classes, functions and methods without a leading underscore all say what they do."""
    found = [
        one for module, path in MODULES.items() for one in undocumented(parsed(path), module or "standup")
    ]
    assert found == []


def test_every_test_says_what_it_proves() -> None:
    """Each test function has a docstring: the claim that it holds the code to."""
    silent = [
        f"{path.relative_to(TESTS)}: {one.name}"
        for path in TEST_FILES
        for one in ast.walk(parsed(path))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test_")
        if not ast.get_docstring(one)
    ]
    assert silent == []


DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))


@pytest.mark.parametrize("path", [pytest.param(one, id=one.name) for one in DECISIONS])
def test_a_decision_has_its_parts(path: Path) -> None:
    """A decision has its number in its title, date and status below, then context, decision and consequences."""
    title, _, state, *_ = lines = path.read_text(encoding="utf-8").splitlines()
    assert re.match(rf"# {int(path.name[:4])}\. \S", title)
    assert re.fullmatch(
        r"Date: \d{4}-\d{2}-\d{2} · Status: (proposed|accepted|replaced by \[\d+\]\(\d{4}-[\w-]+\.md\))",
        state,
    )
    assert [one for one in lines if one.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]


def test_decisions_are_numbered_without_gaps() -> None:
    """The numbers run from 1, each once."""
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def texts() -> list[Path]:
    """Return the text files of the checkout."""
    return [path for path in files() if b"\0" not in path.read_bytes()]


def spared(rules: ConfigParser, path: Path) -> bool:
    """Tell whether a section of `.editorconfig` lets a file be as it is."""
    name = path.relative_to(ROOT).as_posix()
    return any(
        fnmatch(name, section)
        for section in rules.sections()
        if rules[section].get("trim_trailing_whitespace") == "unset"
    )


def test_text_files_are_as_editorconfig_says() -> None:
    """Every text file ends with a line feed, has none but line feeds, and no blanks at a line's end."""
    rules = ConfigParser(interpolation=None)
    rules.read_string("[root]\n" + (ROOT / ".editorconfig").read_text(encoding="utf-8"))
    assert (rules["*"]["end_of_line"], rules["*"]["trim_trailing_whitespace"]) == ("lf", "true")
    wrong = [
        f"{path.relative_to(ROOT)}: {trouble}"
        for path in texts()
        if not spared(rules, path)
        for trouble, pattern in (
            ("blanks at a line's end", rb"[ \t]\n"),
            ("carriage returns", rb"\r"),
            ("no line feed at its end", rb"[^\n]\Z"),
        )
        if re.search(pattern, path.read_bytes())
    ]
    assert wrong == []
