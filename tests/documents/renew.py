"""Write what the documents hold of the code's own data anew: `python -m tests.documents.renew`.

Two kinds of place are filled: ``<!-- generated: NAME … -->`` up to ``<!-- end -->`` with what `CONTENTS` makes, and the
block below ``<!-- output of: COMMAND -->`` with what the command prints in this checkout. A test compares both.
"""

from __future__ import annotations

import re
import shlex
import subprocess

from typer.testing import CliRunner

from standup.cli import application
from tests.checkout import ROOT
from tests.documents.contents import CONTENTS
from tests.documents.contents.place import NotHere
from tests.documents.document import documents

GENERATED = re.compile(
    r"(?P<head><!-- generated: (?P<name>\S+)(?P<arguments>[^\n]*?) -->\n)(?P<shown>.*?)(?P<foot>^<!-- end -->$)",
    re.DOTALL | re.MULTILINE,
)
OUTPUT = re.compile(
    r"(?P<head><!-- output of: (?P<command>[^\n]+) -->\n```\w*\n)(?P<shown>.*?)(?P<foot>^```$)",
    re.DOTALL | re.MULTILINE,
)
COMMAND_LIMIT_S = 60


def made(name: str, arguments: str = "") -> str:
    """Return a generated table or diagram."""
    return f"\n{CONTENTS[name](*shlex.split(arguments)).strip()}\n\n"


def printed(command: str) -> str:
    """Return what a command, given in this checkout, prints; it has to end with 0."""
    program, *arguments = shlex.split(command)
    if program == "standup":
        result = CliRunner().invoke(application(), arguments)
        if result.exit_code:
            raise RuntimeError(f"{command} ended with {result.exit_code}")
        return result.stdout
    done = subprocess.run(
        [program, *arguments], cwd=ROOT, check=True, capture_output=True, text=True, timeout=COMMAND_LIMIT_S
    )
    return done.stdout


def renewed(text: str) -> str:
    """Return a document's *text* with every place as the code has it."""
    text = GENERATED.sub(_filled, text)
    return OUTPUT.sub(lambda block: block["head"] + printed(block["command"]) + block["foot"], text)


def _filled(place: re.Match[str]) -> str:
    try:
        return place["head"] + made(place["name"], place["arguments"]) + place["foot"]
    except NotHere as reason:
        print(f"{place['name']} stays as it is: {reason}")
        return place[0]


def main() -> None:
    """Renew every document and name those that changed."""
    for document in documents():
        text = renewed(document.text)
        if text != document.text:
            document.path.write_text(text, encoding="utf-8")
            print(f"renewed {document.name}")


if __name__ == "__main__":
    main()
