"""Commands as a user types them."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from standup.cli import application, main


def run(*argv: str, status: int = 0) -> str:
    """Return what a command prints; it must end with *status*."""
    result = CliRunner().invoke(application(), argv)
    assert result.exit_code == status, result.output
    return result.stdout


def refuse(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    """Return a command's exit status and what it says on stderr."""
    with pytest.raises(SystemExit) as ended:
        main(argv)
    code = ended.value.code
    assert isinstance(code, int)
    return code, capsys.readouterr().err
