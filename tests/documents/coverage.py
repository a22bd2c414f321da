"""How much of each package of `standup` the tests run, as a full `./test.sh` measured it: `docs/coverage.json`.

A test cannot measure that again, so the figures are kept. `python -m tests.documents.coverage` writes them from the
`.coverage.unit` and `.coverage.integration` that `./test.sh` leaves. With ``--compare``, as the end of `./test.sh`
calls it, nothing is written: it ends with 1 where what was just measured is lower by more than `SLACK_POINTS`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import coverage
from coverage.exceptions import NoDataError

ROOT = Path(__file__).parents[2]
KEPT = Path("docs/coverage.json")
KINDS = ("unit", "integration")
ALL = "all"
SLACK_POINTS = 3.0
COMMAND = "python -m tests.documents.coverage"

Percents = Mapping[str, Mapping[str, float]]
"""By package, then by kind of tests; `ALL` has all packages together. A package that a kind leaves out is not there."""


def measured(root: Path) -> Percents:
    """Return the percent of lines and branches that each kind of tests has run, as the data in *root* says.

    Raises FileNotFoundError where a kind has no data.
    """
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for kind in KINDS:
        data = root / f".coverage.{kind}"
        if not data.exists():
            raise FileNotFoundError(f"{data.name} is missing; run ./test.sh, without arguments, first.")
        for package, percent in by_package(data, edges(root) if kind == "unit" else []).items():
            found[package][kind] = percent
    return {package: found[package] for package in sorted(found, key=lambda one: (one == ALL, one))}


def edges(root: Path) -> list[str]:
    """Return the files that `test.sh` leaves out of the unit figure."""
    listed = re.search(
        r"^readonly edges=\((.*?)^\)", (root / "test.sh").read_text(), re.DOTALL | re.MULTILINE
    )
    return re.findall(r"'([^']+)'", listed[1]) if listed else []


def by_package(data: Path, omitted: Sequence[str]) -> dict[str, float]:
    """Return the percent that a file of coverage data has of each package and of all; `standup` has the rest."""
    run_of: dict[str, int] = defaultdict(int)
    there_are: dict[str, int] = defaultdict(int)
    for file, counts in _counts(data, omitted):
        within = Path(file).parts[Path(file).parts.index("standup") :]
        for package in (".".join(within[:2]) if len(within) > 2 else "standup", ALL):
            run_of[package] += counts["covered_lines"] + counts["covered_branches"]
            there_are[package] += counts["num_statements"] + counts["num_branches"]
    return {one: round(100 * run_of[one] / count, 1) for one, count in there_are.items() if count}


def _counts(data: Path, omitted: Sequence[str]) -> Iterator[tuple[str, dict[str, int]]]:
    """Return coverage.py's counts for each file."""
    whole = coverage.Coverage(str(data), config_file=str(data.parent / "pyproject.toml"))
    whole.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        try:
            whole.json_report(outfile=str(report), omit=[str(data.parent / one) for one in omitted])
        except NoDataError:
            return
        for file, one in json.loads(report.read_text())["files"].items():
            yield file, one["summary"]


def kept(root: Path = ROOT) -> Percents:
    """Return the figures of `docs/coverage.json`; none where there is no such file."""
    path = root / KEPT
    return json.loads(path.read_text())["percent"] if path.exists() else {}


def measured_by(root: Path = ROOT) -> str:
    """Return the command whose figures are kept."""
    return str(json.loads((root / KEPT).read_text())["measured_by"])


def keep(root: Path, percents: Percents, command: str = "./test.sh") -> None:
    """Write `docs/coverage.json` with what *command* has measured."""
    content = {"measured_by": command, "percent": percents}
    (root / KEPT).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def losses(before: Percents, after: Percents) -> list[str]:
    """Return a sentence for each package that has lost more than `SLACK_POINTS`, also by being gone."""
    return [
        f"{kind} tests run {after.get(package, {}).get(kind, 0.0):.1f} % of {package}, and {percent:.1f} % "
        f"when it was last kept: add tests, or keep the new figures with {COMMAND}"
        for package, kinds in before.items()
        for kind, percent in kinds.items()
        if percent - after.get(package, {}).get(kind, 0.0) > SLACK_POINTS
    ]


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Keep what was measured, or compare it with what is kept."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument(
        "--compare", action="store_true", help="write nothing; 1 when a package has lost too much"
    )
    options = parser.parse_args(argv)
    try:
        percents = measured(root)
    except FileNotFoundError as problem:
        print(problem, file=sys.stderr)
        return 1
    if not options.compare:
        keep(root, percents)
        return 0
    found = losses(kept(root), percents)
    print("".join(f"{one}\n" for one in found), end="", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
