"""`standup bench …`: figures as ratios against a peer in the same run, also kept as JSON."""

from __future__ import annotations

import dataclasses
import json
import platform
import re
from collections.abc import Callable
from datetime import datetime, timezone
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from standup.cli import notes
from standup.errors import StandupError
from standup.settings import load

if TYPE_CHECKING:
    from standup.bench.operation import OperationFigures
    from standup.bench.summarize import Writer
    from standup.bench.transcribe import TranscribeFigures

bench = typer.Typer(
    help="Measure, beside a peer in the same run. Figures are ratios; the clock of a busy machine wanders.",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

SYNTHETIC = "flite"
#: Where a checkout keeps the annotated standups.
STANDUPS = Path(__file__).parents[2] / "tests" / "data" / "standups"


class Half(str, Enum):
    """The annotated standups to build with, and those to judge by."""

    dev = "dev"
    test = "test"


def register(app: typer.Typer) -> None:
    """Add these commands to *app*."""
    app.add_typer(bench, name="bench", rich_help_panel="Try it out")


@bench.command()
def capture(
    speakers: Annotated[int, typer.Option(help="People who speak at once.", min=1, max=25)] = 4,
    seconds: Annotated[float, typer.Option(help="Seconds of speech of each.", min=1, max=600)] = 30,
    as_json: Json = False,
) -> None:
    """CPU per active speaker of the receive path, journal included, beside a sink that decodes every packet.

    Ends with 1 when the target of 0.5 % of a core per speaker is missed.
    """
    from standup.bench.capture import TARGET_CORE_PERCENT, run

    with Console(stderr=True).status("Receiving"):
        figures = run(speakers, seconds)
    table = Table("", "CPU per packet", "one core per speaker", "ratio", box=None, header_style="bold")
    table.add_row(
        "StandupBot", f"{figures.receive_us:.1f} µs", f"{figures.core_percent:.2f} %", f"{figures.ratio:.2f}"
    )
    table.add_row(
        "decrypt, decode, write WAV",
        f"{figures.sink_us:.1f} µs",
        f"{figures.sink_core_percent:.2f} %",
        "1.00",
    )
    found = dataclasses.asdict(figures) | {
        "core_percent": round(figures.core_percent, 3),
        "ratio": round(figures.ratio, 3),
        "target_core_percent": TARGET_CORE_PERCENT,
        "is_within_target": figures.is_within_target,
    }
    _tell("capture", found, table, as_json)
    if not figures.is_within_target:
        raise StandupError(f"A speaker costs more than {TARGET_CORE_PERCENT} % of a core here.")


@bench.command()
def transcribe(
    minutes: Annotated[float, typer.Option(help="Length of the meeting.", min=0.2, max=60)] = 10,
    repetitions: Annotated[int, typer.Option(help="Runs of each; medians are shown.", min=1, max=20)] = 3,
    model: Annotated[str, typer.Option(help="Speech model; default: the bundled one.")] = "tiny.en",
    voices: Annotated[
        str,
        typer.Option(
            metavar="flite|FOLDER",
            help="Synthetic voices, or a folder of recordings: NAME.wav, and all its words in NAME.txt.",
        ),
    ] = SYNTHETIC,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Also draw wall time against errors.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Time and errors of transcription beside whisper-ctranslate2 and faster-whisper's batches, on the CPU.

    All have the same tracks, model, compute type and cores, take turns, and run in processes of their own; in each
    repetition the voices say other sentences. Ends with 1 when a target is missed: 5 times faster than
    whisper-ctranslate2, 3 times than its --batched, 1.6 times than faster-whisper's batches with a track per core,
    without being less accurate than these.
    """
    from standup.bench.rehearsal import spoken_sentences
    from standup.bench.transcribe import run
    from standup.cli import contest, scores

    draw = _drawer(plot)
    folder = None if voices == SYNTHETIC else Path(voices)
    sentences = spoken_sentences(STANDUPS / "marked")
    settings = load(whisper_model=model, whisper_device="cpu").whisper
    with Console(stderr=True).status("Transcribing"):
        figures = run(settings, minutes, repetitions, sentences, folder)
    _tell("transcribe", contest.describe(figures), contest.table(figures), as_json, contest.in_words(figures))
    console = Console(stderr=as_json)
    for one in figures.targets:
        console.print(scores.verdict(one))
    draw(figures)
    if not all(one.is_met for one in figures.targets):
        raise StandupError("Transcription misses a target here.")


def _drawer(plot: Path | None) -> Callable[[TranscribeFigures], None]:
    """Return what draws the chart, nothing without *plot*; what it lacks is missed before the work."""
    if plot is None:
        return lambda _: None
    from standup.bench.chart import draw

    if not plot.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {plot.parent} for --plot")
    return partial(draw, path=plot)


@bench.command()
def live(
    minutes: Annotated[float, typer.Option(help="Length of each meeting.", min=1, max=240)] = 60,
    meetings: Annotated[int, typer.Option(help="How many.", min=1, max=100)] = 3,
    model: Annotated[str, typer.Option(help="Speech model; default: the bundled one.")] = "tiny.en",
    as_json: Json = False,
) -> None:
    """From the end of a meeting that was read while it ran to its notes in Discord, beside one that was not.

    Redis, workers and dispatcher are real, Discord is the loopback one, and the meetings' clock does not wait: an hour
    takes two minutes or three. One more meeting is held first and not counted. Ends with 1 when a target is missed: 5 s
    at the median, 10 s for nineteen in twenty.
    """
    from standup.bench.live import TARGET_MEDIAN_S, TARGET_P95_S, describe, run

    with Console(stderr=True).status("Holding meetings"):
        figures = run(minutes, meetings, model)
    peer = figures.afterwards
    table = Table(
        "notes after the end", "read while it ran", "read afterwards", "ratio", box=None, header_style="bold"
    )
    table.add_row("median", f"{figures.median_s:.2f} s", f"{peer.after_s:.2f} s", f"{figures.ratio:.1f}")
    table.add_row("nineteen in twenty", f"{figures.p95_s:.2f} s", "", "")
    last = figures.meetings[-1]
    below = (
        f"{len(figures.meetings)} meetings of {minutes:g} min, {last.words} words; read ahead: {last.read_ahead} of "
        f"{last.utterances} utterances in {last.ahead_s:.1f} s."
    )
    _tell("live", describe(figures), table, as_json, below)
    if not figures.is_within_target:
        raise StandupError(
            f"Half of the notes come more than {TARGET_MEDIAN_S:g} s after the end here, or one in twenty more than "
            f"{TARGET_P95_S:g} s."
        )


@bench.command()
def summarize(
    half: Annotated[
        Half, typer.Option(help="dev: to build with and look into; test: held out, scores only.")
    ] = Half.dev,
    model: notes.Model = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="Score another system's notes: JSON of id -> {items}.", show_default=False),
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(metavar="STYLE|ID", help="Also list the mistakes (dev half only).", show_default=False),
    ] = None,
    pauses: Annotated[
        bool, typer.Option("--pauses", help="Cut what is said at its pauses first, as a recorder does.")
    ] = False,
    data: Annotated[
        Path, typer.Option(help="Folder of both halves; default: the checkout's.", show_default=False)
    ] = STANDUPS,
    as_json: Json = False,
) -> None:
    """Precision, recall, attribution and inventions of the notes on annotated standups, by kind and style.

    Ends with 1 when a target is missed on the test half.
    """
    from standup.bench.pauses import paused
    from standup.bench.standups import load as annotated
    from standup.bench.summarize import describe, measure
    from standup.cli import scores

    if show and half is Half.test:
        raise typer.BadParameter("the test half is held out; --show works on the dev half only")
    standups = [paused(one) if pauses else one for one in annotated(data, half.value)]
    known_styles = {one.style for one in annotated(data, Half.dev.value)}
    writer = _writer(model, predictions)
    with Console(stderr=True).status("Summarizing"):
        figures = measure(half.value, standups, writer, known_styles)
    _tell("summarize", describe(figures), scores.table(figures), as_json)
    console = Console(stderr=as_json)
    scores.print_verdicts(console, figures)
    if show:
        scores.print_mistakes(console, figures, show)
    if half is Half.test and not all(one.is_met for one in figures.targets):
        raise StandupError("The notes miss a target on the test half.")


def _writer(model: str | None, predictions: Path | None) -> Writer:
    """Return what makes the notes: the rules, a language model, or a file of another system's."""
    from standup.bench.summarize import by_predictions, by_summarizer, parse_predictions

    if predictions is None:
        return by_summarizer(notes.summarizer(model))
    if model:
        raise typer.BadParameter("give --model or --predictions, not both")
    return by_predictions(parse_predictions(predictions.read_bytes()))


@bench.command()
def operation(
    seconds: Annotated[float, typer.Option(help="Length of the window without work.", min=1, max=600)] = 30,
    as_json: Json = False,
) -> None:
    """Start, memory, idle CPU of all programs and the answer to a `kill -9`, beside a bare Celery worker.

    Starts everything under supervisord in a scratch folder, with a Redis and a loopback Discord of its own. Ends with
    1 when a target is missed: 20 s to start, 2 % of a core idle, 2 s to answer a death.
    """
    from standup.bench.operation import run

    with Console(stderr=True).status("Starting, idling, killing"):
        figures = run(seconds)
    table = Table("", "processes", "memory (PSS)", "idle, one core", box=None, header_style="bold")
    total = (f"{figures.resident_mb:.0f} MB", f"{figures.core_percent:.2f} %")
    rows = [(one.name, one) for one in (*figures.programs, figures.bare)]
    for name, one in rows:
        table.add_row(name, str(one.processes), f"{one.resident_mb:.0f} MB", f"{one.core_percent:.2f} %")
    table.add_row("all of ours", "", *total, style="bold")
    found = dataclasses.asdict(figures) | {
        "core_percent": round(figures.core_percent, 3),
        "resident_mb": round(figures.resident_mb, 1),
        "times_bare_memory": round(figures.times_bare_memory, 2),
        "times_bare_cpu": figures.times_bare_cpu and round(figures.times_bare_cpu, 2),
        "is_within_target": not figures.missed,
    }
    _tell("operation", found, table, as_json, _in_words(figures))
    if figures.missed:
        raise StandupError(f"Missed here: {'; '.join(figures.missed)} (load {figures.load:.1f}).")


def _in_words(figures: OperationFigures) -> str:
    deaths = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in figures.reactions_s.items())
    return (
        f"RUNNING after {figures.running_s:.1f} s, ready after {figures.ready_s:.1f} s; "
        f"the bare Celery worker was ready after {figures.bare_start_s:.1f} s.\n"
        f"All programs take the memory of {figures.times_bare_memory:.1f} bare workers.\n"
        f"Deaths told after: {deaths}. Load {figures.load:.1f}."
    )


def _tell(name: str, figures: dict[str, Any], table: Table, as_json: bool, below: str = "") -> None:
    """Print the figures, and *below* them a text; keep them under DATA_DIR/bench with the machine they come from."""
    now = datetime.now(timezone.utc)
    document = {
        "benchmark": name,
        "measured_at": now.isoformat(timespec="seconds"),
        "machine": {
            "processor": _processor(),
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        "figures": figures,
    }
    target = load().data_dir / "bench" / f"{name}-{now:%Y%m%dT%H%M%SZ}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2)
    target.write_text(text + "\n")
    if as_json:
        typer.echo(text)
        return
    Console().print(table)
    if below:
        Console(soft_wrap=True).print(below, markup=False, highlight=False)
    Console(stderr=True).print(f"Kept as {target}.", markup=False, highlight=False, soft_wrap=True)


def _processor() -> str:
    source = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", source.read_text()) if source.exists() else None
    return found[1] if found else platform.processor()
