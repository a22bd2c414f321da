"""README: what it shows is what the commands print."""

from __future__ import annotations

import pytest

from standup.template import TEMPLATES
from tests.renew_readme import BLOCK, README, printed

BLOCKS = [(one["command"], one["shown"]) for one in BLOCK.finditer(README.read_text(encoding="utf-8"))]


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """README's commands are given in the checkout's folder."""
    monkeypatch.chdir(README.parent)


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_what_is_shown_is_what_is_printed(command: str, shown: str) -> None:
    """When it is not, `python tests/renew_readme.py` fills README anew."""
    assert shown == printed(command)


def test_every_template_is_shown() -> None:
    """README shows notes in each template there is."""
    shown = {
        command.partition("--template ")[2].split()[0] for command, _ in BLOCKS if "--template" in command
    }
    assert set(TEMPLATES) == shown
