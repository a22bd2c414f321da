"""The form of CHANGELOG.md, and that it and the code name the same version."""

from __future__ import annotations

import re
from datetime import date

import pytest
from packaging.version import Version

from standup import __version__
from tests.documents.document import ROOT

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
RELEASE = re.compile(r"\[(?P<version>\d+\.\d+\.\d+)\] - (?P<day>\d{4}-\d{2}-\d{2})")


def faults(text: str, version: str) -> list[str]:
    """Return what is wrong with a changelog for code of *version*; https://keepachangelog.com/en/1.1.0/ is the form."""
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    found = (
        []
        if text.startswith("# Changelog\n") and titles[:1] == ["[Unreleased]"]
        else ["Unreleased is not first"]
    )
    others = [title for title in titles if title != "[Unreleased]"]
    releases = [RELEASE.fullmatch(title) for title in others]
    found += [f"{title} is no release" for title, one in zip(others, releases, strict=True) if not one]
    released = [(Version(one["version"]), one["day"]) for one in releases if one]
    if released != sorted(released, reverse=True):
        found.append("the newest is not first")
    found += [f"{day} is no day" for _, day in released if not is_day(day)]
    if released and released[0][0] != Version(version):
        found.append(f"{released[0][0]} is released, the code is {version}")
    for section in re.split(r"^## .*$", text, flags=re.MULTILINE):
        kinds = re.findall(r"^### (.*)$", section, re.MULTILINE)
        found += [f"{kind} is no kind of change" for kind in kinds if kind not in KINDS]
        found += ["a kind stands twice"] * (len(kinds) != len(set(kinds)))
    return found


def is_day(text: str) -> bool:
    """Tell whether a text is a day of the calendar."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def test_changelog_is_kept() -> None:
    """CHANGELOG.md has the form of Keep a Changelog, and its newest release is the version of the code."""
    assert [] == faults((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), __version__)


HEAD = "# Changelog\n\n## [Unreleased]\n"
TWO = "\n## [0.10.0] - 2026-12-01\n\n### Added\n- b\n\n## [0.9.0] - 2026-11-30\n\n### Fixed\n- a\n"


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        pytest.param(HEAD, "0.1.0", [], id="nothing released"),
        pytest.param(HEAD + TWO, "0.10.0", [], id="two releases"),
        pytest.param(HEAD + TWO, "0.11.0", ["0.10.0 is released, the code is 0.11.0"], id="another version"),
        pytest.param("# Changelog\n" + TWO, "0.10.0", ["Unreleased is not first"], id="no Unreleased"),
        pytest.param(
            HEAD + "## [0.1.0] - 2026-11-01\n## [0.2.0] - 2026-12-01\n",
            "0.1.0",
            ["the newest is not first"],
            id="oldest first",
        ),
        pytest.param(HEAD + "## 0.1.0\n", "0.1.0", ["0.1.0 is no release"], id="no date"),
        pytest.param(HEAD + "## [0.1.0] - 2026-13-01\n", "0.1.0", ["2026-13-01 is no day"], id="no such day"),
        pytest.param(HEAD + "### Improved\n- a\n", "0.1.0", ["Improved is no kind of change"], id="kind"),
        pytest.param(HEAD + "### Added\n- a\n### Added\n- b\n", "0.1.0", ["a kind stands twice"], id="twice"),
    ],
)
def test_faulty_changelog_is_found(text: str, version: str, expected: list[str]) -> None:
    """Each fault of a changelog is told once."""
    assert expected == faults(text, version)
