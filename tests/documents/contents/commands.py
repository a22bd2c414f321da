"""Every command of the command line, with its arguments and options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from standup.cli import application
from tests.checkout import ROOT
from tests.documents.contents.table import table


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield path and click's object of `standup` and every command below it, in the order of `--help`."""
    yield from _below(("standup",), typer.main.get_command(application()))


def commands_reference() -> str:
    """Return a section per command: what it does, and a table of what it takes."""
    return "\n".join(_section(path, command) for path, command in commands())


def options(command: Any) -> set[str]:
    """Return every spelling of a command's options."""
    spelled = {word for one in command.params for word in (*one.opts, *one.secondary_opts)}
    return {word for word in spelled if word.startswith("-")} | {"--help"}


def _below(path: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        yield from _below((*path, name), one)


def _section(path: Sequence[str], command: Any) -> str:
    taken = [(_spelling(one), _default(one), (one.help or "").replace("<", "\\<")) for one in command.params]
    reference = table(("takes", "default", "meaning"), taken) if taken else ""
    return f"{'#' * (len(path) + 1)} {' '.join(path)}\n\n{_paragraphs(command.help)}\n\n{reference}"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(one.split()) for one in text.split("\n\n"))


def _spelling(parameter: Any) -> str:
    if not parameter.opts[0].startswith("-"):
        name = (parameter.metavar or parameter.name.upper()).replace("[NAME]", "NAME")
        return f"`{name}`" if parameter.required else f"`[{name}]`"
    return " or ".join(f"`{word}`" for word in (*parameter.opts, *parameter.secondary_opts))


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or value is False or value == [] or parameter.required:
        return ""
    if isinstance(value, Path) and value.is_relative_to(ROOT):
        value = value.relative_to(ROOT)
    return f"`{value.value if isinstance(value, Enum) else value}`"
