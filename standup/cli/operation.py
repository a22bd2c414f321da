"""Commands for whoever operates StandupBot: `init`, `migrate`, `run`."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from standup.archive import Archive
from standup.errors import SettingsError
from standup.settings import load
from standup.supervision.launch import run as launch
from standup.supervision.programs import PROGRAMS

Program = Enum("Program", {name: name for name in PROGRAMS}, type=str)  # type: ignore[misc]

ENV_FILE = Path(".env")
ENV_TEXT = """# Written by `standup init`; .env.example explains every setting.
STANDUP_DISCORD_TOKEN={token}
"""


def register(app: typer.Typer) -> None:
    """Add these commands to *app*."""
    panel = "Operation"
    app.command(rich_help_panel=panel)(init)
    app.command(rich_help_panel=panel)(migrate)
    app.command(rich_help_panel=panel)(run)


def init(
    token: Annotated[
        str | None,
        typer.Option(
            envvar="STANDUP_DISCORD_TOKEN",
            help="The bot's token; asked for, unseen, when not given.",
            show_envvar=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace an existing .env.")] = False,
) -> None:
    """Write `.env` with the bot's token, readable by you alone, and prepare the archive."""
    if ENV_FILE.exists() and not force:
        raise SettingsError(f"{ENV_FILE.absolute()} exists and was left alone; add --force to replace it.")
    if token is None and not sys.stdin.isatty():
        raise SettingsError("There is no token; give --token, or run `standup init` in a terminal.")
    token = (token or typer.prompt("Token of the bot (discord.com/developers)", hide_input=True)).strip()
    if not token or any(character.isspace() for character in token):
        raise SettingsError(
            "That is not a bot token; copy it from your application's Bot page and try again."
        )
    ENV_FILE.touch(mode=0o600)
    ENV_FILE.chmod(0o600)
    ENV_FILE.write_text(ENV_TEXT.format(token=token))
    migrate()
    typer.echo(
        f"Wrote {ENV_FILE.absolute()}. Next: `supervisord -c supervisord.conf`, then /standup start in Discord."
    )


def migrate() -> None:
    """Bring the archive's database to the newest schema; may be run at any time."""
    archive = Archive.of(load())
    archive.migrate()
    archive.close()
    typer.echo("The archive is up to date.")


def run(
    program: Annotated[Program, typer.Argument(help="Which program to run.", show_default=False)],
) -> None:
    """Run one program in the foreground; what supervisord calls.

    Ends with the program's exit code, 128 + N when signal N killed it (139 SIGSEGV, 137 SIGKILL).
    """
    raise typer.Exit(launch(program.value, load()))
