"""Figures that the code goes by, from the modules that name them."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re

from tests.documents.contents.table import table


def limits_table(*names: str) -> str:
    """Return the value and meaning of constants, each given as ``standup.module:NAME``."""
    return table(("limit", "value", "meaning"), map(_row, names))


def _row(full_name: str) -> tuple[str, str, str]:
    module_name, _, name = full_name.partition(":")
    module = importlib.import_module(module_name)
    meaning = _meaning(inspect.getsource(module), name)
    assert meaning, f"{full_name} has no comment that tells what it is"
    return f"`{name}` ({_link(module_name)})", _with_unit(name, getattr(module, name)), meaning


def _link(module_name: str) -> str:
    path = module_name.replace(".", "/") + ".py"
    return f"[{path}](../{path})"


def _with_unit(name: str, value: float) -> str:
    """Return a value with the unit that its name ends with, as people say it."""
    number, unit = f"{value:g}" if isinstance(value, float) else f"{value}", name.rpartition("_")[2]
    if unit == "MS":
        return f"{value / 1000:g} s"
    return f"{number} s" if unit == "S" else number


def _meaning(source: str, name: str) -> str:
    """Return the ``#:`` comment or the docstring below the constant."""
    found = re.search(rf"^{name}\b.*\n(?P<comment>(?:#: .*\n)+)", source, re.MULTILINE)
    if found:
        return " ".join(line.removeprefix("#: ") for line in found["comment"].splitlines())
    for one, text in itertools.pairwise(ast.parse(source).body):
        is_it = isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == name
        if is_it and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            return str(text.value.value)
    return ""
