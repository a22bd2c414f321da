"""Who uses which package, and what comes along with it: read from the code and from what is installed."""

from __future__ import annotations

import ast
import importlib.metadata
import itertools
import platform
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.checkout import ROOT
from tests.documents.contents.packages import debian_packages
from tests.documents.contents.place import NotHere
from tests.documents.contents.table import table

PINNED_FOR = {"python_version": "3.11", "python_full_version": "3.11.9", "implementation_name": "cpython"} | {
    "platform_system": "Linux",
    "sys_platform": "linux",
    "platform_machine": "x86_64",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "extra": "",
}
#: The graph is that of the pins: what another Python needs besides is left out, and so are torch's CUDA packages.
PLATFORM_PACKAGES = re.compile(r"^(nvidia-|cuda-|triton$|setuptools$|pip$|wheel$)")
TOO_COMMON = {"typing-extensions", "packaging"}
#: Needed by so many that their lines would hide the others.
DEBIAN = "12"
#: The system's packages are named differently in each release; the graph is this one's.
EVERYWHERE = {"libc6", "libgcc-s1", "libgcc1", "libstdc++6"}


def imports_graph() -> str:
    """Return a graph of the parts of `standup`, benchmarks aside, and the packages whose modules they import."""
    known = importlib.metadata.packages_distributions()
    uses: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "standup").rglob("*.py")):
        part = path.relative_to(ROOT / "standup").parts[0].removesuffix(".py")
        for module in _imported(ast.parse(path.read_text(encoding="utf-8"))):
            if module not in sys.stdlib_module_names and module not in ("standup", "celeryconfig"):
                uses[part].add(canonicalize_name(known.get(module, [module])[0]))
    del uses["bench"]
    return _graph((f"standup.{part}", package) for part in sorted(uses) for package in sorted(uses[part]))


def packages_graph() -> str:
    """Return a graph of the runtime's packages: which of them need each other, and what at least two of them need."""
    needs = _needs(_runtime())
    wanted_by: dict[str, set[str]] = defaultdict(set)
    for package, others in needs.items():
        for one in others:
            wanted_by[one].add(package)
    shown = {*_runtime(), *(one for one, by in wanted_by.items() if len(by & _runtime()) > 1)}
    shown -= TOO_COMMON
    edges = (
        (package, one) for package in sorted(_runtime()) for one in sorted(needs[package]) if one in shown
    )
    return _graph(edges)


def packages_table() -> str:
    """Return every package of the runtime with what it needs itself."""
    needs = _needs(_runtime())
    rows = (
        (f"**{one}**" if one in _runtime() else one, ", ".join(sorted(needs[one])) or "—")
        for one in sorted(needs)
    )
    return table(("package", "needs"), rows)


def system_graph() -> str:
    """Return a graph of the Debian packages that `setup.sh` installs and what each of them needs."""
    if platform.freedesktop_os_release().get("VERSION_ID") != DEBIAN:
        raise NotHere(f"the graph is that of Debian {DEBIAN}")
    wanted = [name for name, _, part in debian_packages() if part != "dev"]
    done = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package}: ${Depends}\n", *wanted],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if done.returncode:
        raise NotHere("not every Debian package of setup.sh is installed")
    lines = (line.partition(": ")[::2] for line in sorted(done.stdout.splitlines()))
    return _graph((package, one) for package, needs in lines for one in _first_choices(needs))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@cache
def _runtime() -> frozenset[str]:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").partition("# ---- Development")[0]
    named = (Requirement(line) for line in text.splitlines() if line and not line.startswith("#"))
    return frozenset(canonicalize_name(one.name) for one in named if _applies(one, ""))


def _needs(roots: Iterable[str]) -> Mapping[str, set[str]]:
    """Return what each of the packages, and each that comes along, needs."""
    found: dict[str, set[str]] = {}
    waiting = [(one, "voice" if one == "discord-py" else "") for one in sorted(roots)]
    while waiting:
        package, extra = waiting.pop()
        if package in found and not extra:
            continue
        here = [one for one in _requirements(package) if _applies(one, extra)]
        found[package] = found.get(package, set()) | {canonicalize_name(one.name) for one in here}
        waiting += [(canonicalize_name(one.name), extra) for one in here for extra in (*one.extras, "")]
    return found


def _requirements(package: str) -> list[Requirement]:
    try:
        named = importlib.metadata.requires(package) or []
    except importlib.metadata.PackageNotFoundError:  # wanted by another Python than this one
        return []
    return [
        one for one in map(Requirement, named) if not PLATFORM_PACKAGES.match(canonicalize_name(one.name))
    ]


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**PINNED_FOR, "extra": extra})


def _first_choices(needs: str) -> list[str]:
    """Return the names in a Depends line, of alternatives the first, without versions."""
    names = {re.split(r"[\s(|:]", one.strip())[0] for one in needs.split(",")}
    return sorted(names - EVERYWHERE - {""})


def _graph(edges: Iterable[tuple[str, str]]) -> str:
    """Return a graph; what one node alone needs, and needs nothing itself, is one node together."""
    edges = list(edges)
    users, needing = Counter(other for _, other in edges), {one for one, _ in edges}
    lines = []
    for node, group in itertools.groupby(edges, key=lambda edge: edge[0]):
        others = [other for _, other in group]
        alone = [one for one in others if users[one] == 1 and one not in needing]
        targets = [_node(one) for one in others if one not in alone]
        targets += [_node(alone[0], "<br/>".join(alone))] if alone else []
        lines.append(f"    {_node(node)} --> {' & '.join(targets)}")
    return "```mermaid\ngraph LR\n" + "\n".join(lines) + "\n```"


def _node(name: str, label: str = "") -> str:
    return f'{re.sub(r"[^a-z0-9]", "_", name.lower())}["{label or name}"]'
