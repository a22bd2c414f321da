"""The command line: `standup …`.

Exit statuses: 0 done, 1 failed, 2 wrong usage, 65 a file that cannot be read, 66 no such meeting or model, 69 a program
or server that is missing, 74 disk full, 75 a meeting is being recorded (`idle`), 78 wrong settings. An error is one
sentence on stderr with the next step.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import typer
from rich.console import Console

from standup import __version__
from standup.cli import bench, meetings, models, notes, operation, record, schedules, trial
from standup.errors import DiskFull, StandupError

app = typer.Typer(
    help="Record standups held in Discord voice channels and post who did what. "
    "Try `standup demo`; set up a server with `standup init`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command_group in (trial, operation, models, meetings, notes, record, schedules, bench):
    command_group.register(app)


@app.callback(invoke_without_command=True)
def _options(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        typer.echo(f"standup {__version__}")
        raise typer.Exit


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and end the process with its exit status."""
    # What is written here is people's speech and a token: nobody else on the machine may read it.
    os.umask(0o077)
    try:
        app(args=argv, prog_name="standup")
    except StandupError as problem:
        Console(stderr=True, soft_wrap=True).print(f"[red]✗[/red] {_plain(problem)}", highlight=False)
        sys.exit(problem.exit_status)
    except OSError as problem:
        place = f" ({problem.filename})" if problem.filename else ""
        Console(stderr=True, soft_wrap=True).print(
            f"[red]✗[/red] {problem.strerror}{place}.", highlight=False
        )
        sys.exit(DiskFull.exit_status if problem.errno == errno.ENOSPC else 1)
    except KeyboardInterrupt:
        sys.exit(130)
    return 0


def _plain(problem: StandupError) -> str:
    return str(problem).replace("[", "\\[")
