"""The command line: `standup …`.

Exit statuses: 0 done, 1 failed, 2 wrong usage, 65 a file that cannot be read, 66 no such meeting, person or model, 69 a
program or server that is missing, 74 disk full, 75 a meeting is being recorded or worked on, 78 wrong settings. An
error is one sentence on stderr with the next step.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import typer
from rich.console import Console

from standup import __version__
from standup.errors import DiskFull, StandupError

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "trial": ("demo", "simulate"),
    "operation": ("init", "doctor", "migrate", "idle", "run"),
    "models": ("models",),
    "meetings": ("list", "show", "export", "retry"),
    "importing": ("import",),
    "removal": ("delete", "forget"),
    "notes": ("summarize", "schema"),
    "record": ("record",),
    "schedules": ("schedules",),
    "bench": ("bench",),
}
#: By the module that has them, in the order of `--help`. A command loads its own module alone: all of them take a
#: second of a core, which every program under supervisord would pay at each start.


def application(*modules: str) -> typer.Typer:
    """Return the command line with the commands of these modules; of all of them without any."""
    made = typer.Typer(
        help="Record standups held in Discord voice channels and post who did what. "
        "Try `standup demo`; set up a server with `standup init`.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    made.callback(invoke_without_command=True)(_options)
    for name in modules or COMMANDS:
        import_module(f"standup.cli.{name}").register(made)
    return made


def _options(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        typer.echo(f"standup {__version__}")
        raise typer.Exit


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and end the process with its exit status."""
    # What is written here is people's speech and a token: nobody else on the machine may read it.
    os.umask(0o077)
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        application(*_modules(words))(args=words, prog_name="standup")
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


def _modules(words: Sequence[str]) -> list[str]:
    """Return the module of the command that *words* begin with; none for an overview or a wrong command."""
    return [name for name, commands in COMMANDS.items() if words and words[0] in commands]


def _plain(problem: StandupError) -> str:
    return str(problem).replace("[", "\\[")
