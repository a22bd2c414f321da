"""The tests themselves: how many of which kind, what they have run, and what stands in for the world around the code.

Read from syntax trees, so that nothing has to be collected or run. A parametrised test counts once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.checkout import ROOT
from tests.documents.contents.table import table
from tests.documents.coverage import ALL, KINDS, kept, measured_by

TESTS = ROOT / "tests"
WITHOUT_PACKAGE = {
    "tests": "Modules without a package, the scripts at the root, and the shape of the code itself.",
    "acceptance": "A whole installation: the demo, troubles in the middle of it, Flower.",
    "documents": "Every Markdown file: form, links, generated content; the figures of coverage.",
    "pipeline": "Real Celery workers on a real Redis, killed and started again.",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Count:
    """What the tests of a folder come to."""

    functions: int = 0
    assertions: int = 0
    """`assert` statements, and blocks of `pytest.raises` and `pytest.warns`; those of doubles too."""
    integration: int = 0
    alone: int = 0
    """Of the integration tests."""
    properties: int = 0
    """Tests to which Hypothesis gives cases."""
    patches: int = 0
    """Calls of `monkeypatch.setattr` and of what `unittest.mock.patch` is."""

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, one) + getattr(other, one) for one in self.__slots__))


def matrix_table() -> str:
    """Return a row for each folder of tests: what it covers, and what its tests come to."""
    counts = {folder: sum((count(path) for path in _files(folder)), Count()) for folder in _folders()}
    rows = [(f"`{_name(folder)}`", _scope(folder), *_cells(one)) for folder, one in counts.items()]
    rows.append(("all", "", *_cells(sum(counts.values(), Count()))))
    head = (
        "folder",
        "covers",
        "tests",
        "assertions",
        "integration",
        "of these alone",
        "properties",
        "patches",
    )
    return table(head, rows)


def patches_sentence() -> str:
    """Return one sentence on how often the tests replace a piece of the code for their time."""
    whole = sum((count(path) for folder in _folders() for path in _files(folder)), Count())
    per_100 = 100 * whole.patches / whole.functions
    return f"{whole.patches} patches in {whole.functions} tests: {per_100:.1f} for each 100."


def markers_table() -> str:
    """Return the markers that pytest knows here, with what each is for."""
    # tomllib comes with Python 3.11; what is looked for is a list of texts in either language.
    listed = re.search(
        r"^markers = (\[.*?^\])", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE
    )
    pairs = [one.split(": ", 1) for one in ast.literal_eval(listed[1] if listed else "[]")]
    return table(("marker", "meaning"), ((f"`{name}`", meaning) for name, meaning in pairs))


def limits_table() -> str:
    """Return the limits of `test.sh`, `build.sh` and pytest, as they name them."""
    rows = [
        (f"`{name}`", value, f"`{file}`")
        for file, pattern in (
            ("test.sh", r"\b(\w+_(?:percent|limit_s))=(\d+)"),
            ("build.sh", r"\b(\w+_limit_s)=(\d+)"),
            ("pyproject.toml", r"^(timeout) = (\d+)"),
        )
        for name, value in re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE)
    ]
    return table(("limit", "value", "set in"), rows)


def doubles_table() -> str:
    """Return the fixtures of every conftest, and the classes beside the tests, with what each stands for."""
    rows = [
        (f"`{name}`", kind, f"`{path.relative_to(ROOT).as_posix()}`", first_line)
        for folder in _folders()
        for path in _files(folder)
        if folder.name != "documents" and not path.name.startswith("test_")
        for name, kind, first_line in _shared(path)
    ]
    return table(("name", "kind", "file", "what it is"), rows)


def coverage_table() -> str:
    """Return how much of each package the unit and the integration tests run, as `docs/coverage.json` keeps it."""
    rows = [
        (
            package if package == ALL else f"`{package}`",
            *(f"{kinds[kind]:.1f}" if kind in kinds else "–" for kind in KINDS),
        )
        for package, kinds in kept().items()
    ]
    return f"Measured by: {measured_by()}.\n\n{table(('package', *(f'{kind} %' for kind in KINDS)), rows)}"


def _folders() -> list[Path]:
    """Return the folder of tests, then those below it that hold tests."""
    below = sorted({path.parent for path in TESTS.rglob("test_*.py")} - {TESTS})
    return [TESTS, *below]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.py"))


def _name(folder: Path) -> str:
    return f"{folder.relative_to(ROOT).as_posix()}/"


def _cells(count: Count) -> Iterator[object]:
    return (getattr(count, one) or "–" for one in count.__slots__)


def _scope(folder: Path) -> str:
    """Return the package that a folder covers, with its docstring's first sentence."""
    if folder.name in WITHOUT_PACKAGE:
        return WITHOUT_PACKAGE[folder.name]
    return f"`standup.{folder.name}`: {_first_line(_parsed(ROOT / 'standup' / folder.name / '__init__.py'))}"


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _first_line(node: ast.Module | ast.ClassDef | Function) -> str:
    return (ast.get_docstring(node) or "").split("\n\n")[0]


@cache
def count(path: Path) -> Count:
    """Return what one file of tests comes to; a file that pytest does not collect has no tests."""
    tree = _parsed(path)
    tests = [one for one in ast.walk(tree) if isinstance(one, Function) and one.name.startswith("test_")]
    tests = tests if path.name.startswith("test_") else []
    common = [
        ast.unparse(one.value) for one in tree.body if isinstance(one, ast.Assign) and _is_pytestmark(one)
    ]
    marks = [" ".join([*common, *(ast.unparse(mark) for mark in one.decorator_list)]) for one in tests]
    calls = [ast.unparse(one.func) for one in ast.walk(tree) if isinstance(one, ast.Call)]
    return Count(
        functions=len(tests),
        assertions=sum(isinstance(one, ast.Assert) for one in ast.walk(tree))
        + sum(one in ("pytest.raises", "pytest.warns") for one in calls),
        integration=sum("pytest.mark.integration" in one for one in marks),
        alone=sum("pytest.mark.alone" in one for one in marks),
        properties=sum(
            any(ast.unparse(mark).startswith("given(") for mark in one.decorator_list) for one in tests
        ),
        patches=sum(
            one in ("monkeypatch.setattr", "patch", "patch.object", "mock.patch", "mock.patch.object")
            for one in calls
        ),
    )


def _is_pytestmark(one: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in one.targets)


def _shared(path: Path) -> Iterator[tuple[str, str, str]]:
    """Return name, kind and docstring of each public class and, in a conftest, of each fixture."""
    for one in _parsed(path).body:
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            yield one.name, "class", _first_line(one)
        elif isinstance(one, Function):
            for mark in one.decorator_list:
                if ast.unparse(mark).startswith("pytest.fixture"):
                    yield _fixture_name(one, mark), _fixture_kind(mark), _first_line(one)


def _fixture_options(mark: ast.expr) -> dict[str, ast.expr]:
    return {one.arg or "": one.value for one in mark.keywords} if isinstance(mark, ast.Call) else {}


def _fixture_name(function: Function, mark: ast.expr) -> str:
    named = _fixture_options(mark).get("name")
    return str(ast.literal_eval(named)) if named else function.name


def _fixture_kind(mark: ast.expr) -> str:
    options = _fixture_options(mark)
    if "autouse" in options:
        return "for every test"
    scope = options.get("scope")
    return f"one for each {ast.literal_eval(scope) if scope else 'test'}".replace("session", "run")
