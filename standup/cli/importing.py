"""The command `import`: audio files become a meeting."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID

from standup.cli.meetings import opened
from standup.errors import ArchiveError, BrokerUnreachable, InputRefused
from standup.meeting import meeting_id

if TYPE_CHECKING:
    from standup.imports import OnRead


def register(app: typer.Typer) -> None:
    """Add this command to *app*."""
    app.command("import", rich_help_panel="Meetings")(import_files)


def import_files(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]FILE...", help="One audio file per speaker; the name defaults to the file's."
        ),
    ],
) -> None:
    """Bring audio files in as a meeting; the running workers transcribe and summarize it.

    All files start at the same moment. Any format that ffmpeg reads will do. Without Redis the meeting is kept
    and waits.
    """
    from standup import imports
    from standup.dispatcher import sweep

    speakers: dict[str, Path] = {}
    for given in files:
        name, _, path = given.rpartition("=")
        name = (name or Path(path).stem).strip()
        if name in speakers:
            raise InputRefused(f"Two files are for one speaker ({name}); name them with NAME=FILE.")
        speakers[name] = Path(path)
    now = datetime.now(timezone.utc)
    with opened() as archive:
        archive.migrate()
        with _reading() as on_read:
            made = imports.bring_in(archive, speakers, meeting_id(now, secrets.token_hex(4)), now, on_read)
        try:
            sweep(archive, time.time_ns() // 1_000_000)
        except (ArchiveError, BrokerUnreachable) as problem:
            typer.echo(f"{problem} The import is safe on disk and waits for that.", err=True)
    typer.echo(made.id)


@contextmanager
def _reading() -> Iterator[OnRead]:
    """Show a bar for each file that is read, where somebody looks at a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bars:
        shown: dict[str, TaskID] = {}

        def read(speaker: str, read_ms: int, declared_ms: int) -> None:
            if speaker not in shown:
                shown[speaker] = bars.add_task(escape(speaker), total=declared_ms or None)
            bars.update(shown[speaker], completed=read_ms)

        yield read
