"""The exception tree: every class below StandupError, wherever it is declared."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache

from standup.errors import StandupError, Transient
from tests.checkout import ROOT
from tests.documents.contents.table import table


def exceptions_graph() -> str:
    """Return the tree as a Mermaid graph; a dashed line says that waiting may cure an error."""
    lines = [
        f"    {parent.__name__} {'-.->' if parent is Transient else '-->'} {one.__name__}"
        for one in _classes()
        for parent in one.__bases__
        if issubclass(parent, StandupError)
    ]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def exceptions_table() -> str:
    """Return every class with what it derives from, the exit status, its meaning and its module."""
    return table(
        ("exception", "is a", "exit status", "meaning", "module"),
        (
            (
                f"`{one.__name__}`",
                ", ".join(f"`{parent.__name__}`" for parent in one.__bases__),
                one.exit_status,
                (one.__doc__ or "").splitlines()[0],
                f"`{one.__module__}`",
            )
            for one in _classes()
        ),
    )


@cache
def _classes() -> list[type[StandupError]]:
    """Return the tree from its root down, each class once, children by name.

    Only the modules that declare one are loaded: all of them would take torch along.
    """
    for module in _declaring():
        importlib.import_module(module)
    return list(dict.fromkeys(_below(StandupError)))


def _below(parent: type[StandupError]) -> Iterator[type[StandupError]]:
    yield parent
    for one in sorted(parent.__subclasses__(), key=lambda found: found.__name__):
        if one.__module__.startswith("standup."):  # tests have theirs
            yield from _below(one)


def _declaring() -> set[str]:
    """Return the modules of the package in which a class is, by name, derived from one of the tree."""
    declared = [
        (".".join(path.relative_to(ROOT).with_suffix("").parts), node)
        for path in sorted((ROOT / "standup").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    known, before = {StandupError.__name__}, 0
    while len(known) > before:
        before = len(known)
        known |= {node.name for _, node in declared if known & set(map(_name, node.bases))}
    return {module.removesuffix(".__init__") for module, node in declared if node.name in known}


def _name(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
