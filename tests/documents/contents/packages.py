"""What is installed: Python's packages with their pins, Debian's with what they are for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.checkout import ROOT
from tests.documents.contents.table import table

PYTHONS = ("3.10", "3.11", "3.13")
PARTS = {"apt": "always", "sound": "without PipeWire", "dev": "with `--dev`"}
PACKAGES = re.compile(r"^readonly (?P<part>\w+)_packages=\(\n(?P<lines>.*?)^\)", re.DOTALL | re.MULTILINE)


def python_table() -> str:
    """Return every requirement with its least version, its pin, that of Python 3.10 where it differs, and its part."""
    pins = {python: dict(_pins(python)) for python in PYTHONS}
    return table(
        ("package", "required", "pinned", "with Python 3.10", "part"),
        (
            (*_required(one), *_pinned(canonicalize_name(one.name), pins), part)
            for one, part in _requirements()
        ),
    )


def debian_table() -> str:
    """Return the packages that setup.sh asks apt for."""
    return table(
        ("package", "what for", "when"),
        ((f"`{name}`", meaning, PARTS[part]) for name, meaning, part in debian_packages()),
    )


def debian_packages() -> Iterator[tuple[str, str, str]]:
    """Yield name, meaning and part (`apt`, `sound` or `dev`) of the packages in setup.sh's lists."""
    text = (ROOT / "setup.sh").read_text(encoding="utf-8")
    for found in PACKAGES.finditer(text):
        for line in found["lines"].splitlines():
            name, _, meaning = line.partition("#")
            yield name.strip(), meaning.strip(), found["part"]


def _requirements() -> Iterator[tuple[Requirement, str]]:
    part = ""
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# ----"):
            part = line.strip("# -").lower()
        elif line and not line.startswith("#"):
            yield Requirement(line), part


def _required(one: Requirement) -> tuple[str, str]:
    extras = f"[{','.join(sorted(one.extras))}]" if one.extras else ""
    return f"`{one.name.lower()}{extras}`", f"{one.specifier}" + (f"; {one.marker}" if one.marker else "")


def _pins(python: str) -> Iterator[tuple[str, str]]:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate(environment):
                yield canonicalize_name(pin.name), str(pin.specifier).removeprefix("==")


def _pinned(name: str, pins: dict[str, dict[str, str]]) -> tuple[str, str]:
    """Return the pin, and that of Python 3.10 where it is another."""
    oldest, usual, newest = (pins[python].get(name, "") for python in PYTHONS)
    pin = usual or newest
    return pin, oldest if oldest != pin else ""
