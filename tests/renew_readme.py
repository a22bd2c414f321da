"""Fill README's blocks of shown output anew: `python tests/renew_readme.py`.

A block is headed by a comment ``<!-- output of: standup … -->``; the test of README compares each with what the command
prints.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from standup.cli import app

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(
    r"(?P<head><!-- output of: standup (?P<command>[^\n]+) -->\n```\w*\n)(?P<shown>.*?)(?P<foot>^```$)",
    re.DOTALL | re.MULTILINE,
)


def printed(command: str) -> str:
    """Return what ``standup COMMAND``, given in this checkout, prints."""
    result = CliRunner().invoke(app, shlex.split(command))
    if result.exit_code:
        raise RuntimeError(f"standup {command} ended with {result.exit_code}")
    return result.stdout


def renewed(text: str) -> str:
    """Return README's *text* with every block as its command prints it."""
    return BLOCK.sub(lambda block: block["head"] + printed(block["command"]) + block["foot"], text)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
