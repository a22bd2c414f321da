"""Print constraints.txt's pins from three reports of pip; docs/dependency_graph.md says how the reports are made.

Usage: python .ci/pins.py TESTED OLDEST NEWEST: what is installed and passed the tests (`pip inspect`), and what the
oldest and the newest supported Python would get (`pip install --dry-run --report`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

#: torch brings its own platform packages; the rest belongs to the environment.
LEFT_OUT = ("nvidia-", "cuda-", "triton", "setuptools", "pip", "wheel", "standupbot")


def pins(path: str) -> dict[str, str]:
    """Return version by name in a report of pip."""
    report = json.loads(Path(path).read_text(encoding="utf-8"))
    packages = [one["metadata"] for one in report.get("install", report.get("installed"))]
    versions = {one["name"].lower().replace("_", "-"): one["version"].split("+")[0] for one in packages}
    return {name: version for name, version in versions.items() if not name.startswith(LEFT_OUT)}


def lines(name: str, pin: str | None, old: str | None, new: str | None) -> list[str]:
    """Return the lines for one package: one where the oldest Python takes the tested version too."""
    if pin and old in (pin, None):
        return [f"{name}=={pin}"]
    wanted = [(pin, '>= "3.11"'), (old, '< "3.11"'), (None if pin else new, '>= "3.13"')]
    return [f"{name}=={version}; python_version {which}" for version, which in wanted if version]


if __name__ == "__main__":
    tested, oldest, newest = map(pins, sys.argv[1:4])
    for one in sorted(tested | oldest | newest):
        print(*lines(one, tested.get(one), oldest.get(one), newest.get(one)), sep="\n")
