"""Commands for whoever operates StandupBot: `init`, `doctor`, `migrate`, `idle`, `run`."""

from __future__ import annotations

import json
import logging
import secrets
import sys
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from standup import logs
from standup.errors import ArchiveError, SettingsError, StandupError
from standup.settings import Settings, load, readable, store
from standup.supervision import exits
from standup.supervision.launch import refuse
from standup.supervision.launch import run as launch
from standup.supervision.programs import PROGRAMS, check_port, environment, folder

if TYPE_CHECKING:
    from standup.health import Check

Program = Enum("Program", {name: name for name in PROGRAMS}, type=str)  # type: ignore[misc]

ENV_FILE = Path(".env")
ENV_TEXT = """# Written by `standup init`; .env.example explains every setting.
STANDUP_DISCORD_TOKEN={token}
STANDUP_FLOWER_PASSWORD={flower_password}
"""
PASSWORD_BYTES = 18
STILL_RECORDING = 75  # EX_TEMPFAIL
LOOK_EVERY_S = 1.0
STYLES = {"ok": "green", "warning": "yellow", "failed": "red"}
#: By the value of a check's grade.


def register(app: typer.Typer) -> None:
    """Add these commands to *app*."""
    panel = "Operation"
    app.command(rich_help_panel=panel)(init)
    app.command(rich_help_panel=panel)(doctor)
    app.command(rich_help_panel=panel)(migrate)
    app.command(rich_help_panel=panel)(idle)
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
    force: Annotated[bool, typer.Option(help="Set both in an existing .env, and keep the rest.")] = False,
) -> None:
    """Write `.env` with the bot's token and a password for Flower, readable by you alone; prepare the archive."""
    if ENV_FILE.exists() and not force:
        raise SettingsError(
            f"{ENV_FILE.absolute()} exists and was left alone; --force sets both in it and keeps the rest."
        )
    if token is None and not sys.stdin.isatty():
        raise SettingsError("There is no token; give --token, or run `standup init` in a terminal.")
    token = (token or typer.prompt("Token of the bot (discord.com/developers)", hide_input=True)).strip()
    if not token or any(character.isspace() for character in token):
        raise SettingsError(
            "That is not a bot token; copy it from your application's Bot page and try again."
        )
    _keep_secrets(token, secrets.token_urlsafe(PASSWORD_BYTES))
    migrate()
    typer.echo(
        f"Wrote {ENV_FILE.absolute()} with the token and Flower's password. Next: `standup doctor`, "
        "`supervisord -c supervisord.conf`, then /standup start in Discord."
    )


def _keep_secrets(token: str, flower_password: str) -> None:
    """Write both to `.env`; whatever else stands there stays."""
    is_new = not ENV_FILE.exists()
    ENV_FILE.touch(mode=0o600)
    ENV_FILE.chmod(0o600)
    if is_new:
        ENV_FILE.write_text(ENV_TEXT.format(token=token, flower_password=flower_password))
    else:
        store("discord_token", token)
        store("flower_password", flower_password)


def doctor(
    channel: Annotated[
        list[int] | None,
        typer.Option(help="Look at this channel too (its id); may be repeated.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Look at everything that a meeting needs: one line per check with the next step.

    ✓ is well, ! is worse than it could be, ✗ would stop a meeting. Looks at the channels of the last two weeks'
    meetings. Ends with 78 when there is a ✗, with 0 otherwise.
    """
    from standup import health

    # What the looked-at parts log is said by the checks.
    logging.getLogger().addHandler(logging.NullHandler())
    checks = []
    for check in health.examine(load(), channel or ()):
        checks.append(check)
        if not as_json:
            _print(check)
    is_go = health.is_go(checks)
    if as_json:
        report = {"go": is_go, "checks": [one.serialize() for one in checks]}
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    if not is_go:
        raise typer.Exit(SettingsError.exit_status)


def _print(check: Check) -> None:
    Console(soft_wrap=True).print(
        check.line(), style=STYLES[check.grade.value], markup=False, highlight=False
    )


def migrate() -> None:
    """Bring the archive's database to the newest schema; may be run at any time."""
    from standup.archive import Archive

    archive = Archive.of(load())
    archive.migrate()
    archive.close()
    typer.echo("The archive is up to date.")


def idle(
    wait_s: Annotated[float, typer.Option("--wait", help="Wait so many seconds for it.", min=0)] = 0,
) -> None:
    """Say whether no meeting is being recorded, so that the recorder may be restarted unnoticed.

    Ends with 0 as soon as that is so, and with 75 when a meeting is still being recorded after the wait.
    """
    settings, deadline = load(), time.monotonic() + wait_s
    while True:
        recording = _recording(settings)
        if not recording:
            typer.echo("No meeting is being recorded.")
            return
        if time.monotonic() >= deadline:
            break
        time.sleep(LOOK_EVERY_S)
    typer.echo(f"Being recorded: {', '.join(recording)}.")
    raise typer.Exit(STILL_RECORDING)


def _recording(settings: Settings) -> list[str]:
    """Return the meetings that the recorder's own manifests call unfinished; they are right with the database away."""
    from standup.archive import manifest

    found = []
    for meeting_id in manifest.scan(settings.data_dir):
        try:
            meeting = manifest.read(settings.data_dir, meeting_id).meeting
        except ArchiveError:  # the recorder cannot read it either, and so does not go on with it
            continue
        if meeting.ended_at is None:
            found.append(meeting_id)
    return found


def run(
    program: Annotated[Program, typer.Argument(help="Which program to run.", show_default=False)],
) -> None:
    """Run one program in the foreground; what supervisord calls.

    Ends with the program's exit code, 128 + N when signal N killed it (139 SIGSEGV, 137 SIGKILL).
    """
    try:
        settings = load()
        variables = environment(program.value, settings)
        check_port(program.value)
        needed = folder(program.value, settings)
        if needed is not None:
            needed.mkdir(parents=True, exist_ok=True)
        launch(program.value, settings, variables)
    except StandupError as problem:
        _tell_of(program.value, problem)
        raise


def _tell_of(program: str, problem: StandupError) -> None:
    """Have the sentinel and `errors.log` know of a program that did not come as far as its launcher."""
    settings = readable()
    with suppress(OSError):  # it stands on stderr too
        logs.report(f"{program} is not started: {problem}", settings.log_dir)
    refuse(program, problem.exit_status, settings.data_dir / exits.FILE_NAME)
