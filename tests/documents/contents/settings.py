"""Every setting."""

from __future__ import annotations

import ast
import inspect
import itertools
from typing import get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from standup.settings import Settings, variable
from tests.documents.contents.table import table

KINDS = {"bool": "`true`, `false`", "Path": "folder", "str": "text"}


def settings_table() -> str:
    """Return variable, default, values and meaning of every setting, as `standup.settings` declares them."""
    meanings = _field_docstrings(Settings)
    return table(
        ("variable", "default", "values", "meaning"),
        (
            (f"`{variable(name)}`", _default(one), _values(one), _as_markdown(meanings[name]))
            for name, one in Settings.model_fields.items()
        ),
    )


def _default(field: FieldInfo) -> str:
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{shown}`" if shown else "empty"


def _values(field: FieldInfo) -> str:
    kind = field.annotation
    if kind is SecretStr:
        return "secret"
    if choices := get_args(kind):
        return ", ".join(f"`{one}`" for one in choices)
    limits = [f"{sign} {bound}" for one in field.metadata for sign, bound in _bounds(one)]
    return ", ".join([KINDS.get(kind.__name__, "number"), *limits])


def _bounds(constraint: object) -> list[tuple[str, object]]:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    return [(sign, getattr(constraint, key)) for key, sign in signs.items() if hasattr(constraint, key)]


def _field_docstrings(model: type) -> dict[str, str]:
    body = ast.parse(inspect.getsource(model)).body[0].body  # type: ignore[attr-defined]
    return {
        field.target.id: text.value.value
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }


def _as_markdown(text: str) -> str:
    return text.replace("``", "`")
