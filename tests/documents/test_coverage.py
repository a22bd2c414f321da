"""The figures of coverage that are kept, and what is said when they fall."""

from __future__ import annotations

import json
from pathlib import Path

import coverage
import pytest

from tests.documents.coverage import KEPT, SLACK_POINTS, edges, kept, losses, main, measured, measured_by

SCRIPT = """
readonly edges=(
    'standup/voice/client.py' # a gateway
)
"""
MODULE = "def double(x):\n    return x * 2\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of three modules; unit tests have run all of one, integration tests half of all."""
    files = [tmp_path / "standup" / one for one in ("words.py", "voice/journal.py", "voice/client.py")]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(MODULE)
    (tmp_path / "docs").mkdir()
    (tmp_path / "test.sh").write_text(SCRIPT)
    (tmp_path / "pyproject.toml").write_text('[tool.coverage.run]\nsource = ["standup"]\nbranch = true\n')
    names = [str(one) for one in files]
    whole, half = {(-1, 1), (1, -1), (-1, 2), (2, -1)}, {(-1, 1), (1, -1)}
    write(tmp_path / ".coverage.unit", {names[0]: whole, names[1]: half, names[2]: set()})
    write(tmp_path / ".coverage.integration", dict.fromkeys(names, half))
    return tmp_path


def write(path: Path, arcs: dict[str, set[tuple[int, int]]]) -> None:
    """Write coverage data as a run leaves it."""
    data = coverage.CoverageData(str(path))
    data.add_arcs(arcs)
    data.touch_files(arcs)
    data.write()


def test_each_package_has_its_percent(checkout: Path) -> None:
    """Modules count for their package, those without one for `standup`; what test.sh leaves out of unit is out."""
    assert edges(checkout) == ["standup/voice/client.py"]
    assert measured(checkout) == {
        "standup": {"unit": 100.0, "integration": 50.0},
        "standup.voice": {"unit": 50.0, "integration": 50.0},
        "all": {"unit": 75.0, "integration": 50.0},
    }


def test_what_was_measured_is_kept(checkout: Path) -> None:
    """The file holds the figures and what measured them, and comparing them with themselves finds nothing."""
    assert main([], checkout) == 0

    assert kept(checkout) == measured(checkout)
    assert measured_by(checkout) == "./test.sh"
    assert main(["--compare"], checkout) == 0


def test_a_fall_fails_and_names_the_command(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Comparing fails with a sentence for the package and writes nothing."""
    main([], checkout)
    content = json.loads((checkout / KEPT).read_text())
    content["percent"]["standup.voice"]["unit"] = 50.0 + SLACK_POINTS + 0.1
    (checkout / KEPT).write_text(json.dumps(content))

    assert main(["--compare"], checkout) == 1

    assert capsys.readouterr().err == (
        "unit tests run 50.0 % of standup.voice, and 53.1 % when it was last kept: "
        "add tests, or keep the new figures with python -m tests.documents.coverage\n"
    )
    assert kept(checkout) == content["percent"]


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        pytest.param({"unit": 80.0}, {"unit": 77.0}, 0, id="three points less are borne"),
        pytest.param({"unit": 80.0}, {"unit": 76.9}, 1, id="more are not"),
        pytest.param({"unit": 80.0}, {"unit": 99.0}, 0, id="better is no loss"),
        pytest.param({"unit": 80.0, "integration": 70.0}, {}, 2, id="a package that is gone has lost all"),
        pytest.param({}, {"unit": 10.0}, 0, id="a package that is new has lost nothing"),
    ],
)
def test_losses(before: dict[str, float], after: dict[str, float], count: int) -> None:
    """A kind of tests may lose `SLACK_POINTS` of a package."""
    assert len(losses({"standup.voice": before}, {"standup.voice": after})) == count


def test_without_data_nothing_is_kept(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run of one kind alone has no figures for the other: the sentence names what to run."""
    (checkout / ".coverage.integration").unlink()

    assert main([], checkout) == 1

    assert "./test.sh" in capsys.readouterr().err
    assert not (checkout / KEPT).exists()
