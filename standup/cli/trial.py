"""Commands to try StandupBot out without an account: `demo`, `simulate`."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from standup import demo as demonstration
from standup import summary as summaries
from standup import transcript as transcripts
from standup.cli.meetings import print_files, print_transcript
from standup.demo import Performance
from standup.simulator.console import console_session
from standup.simulator.faults import Faults
from standup.simulator.world import Message

PICTURE_COLUMNS = 88
MARKED = re.compile(r"(\*\*.+?\*\*|`[^`]+`)")
ESCAPED = re.compile(r"\\([^\w\s])")


def register(app: typer.Typer) -> None:
    """Add these commands to *app*."""
    app.command(rich_help_panel="Try it out")(demo)
    app.command(rich_help_panel="Try it out")(simulate)


def demo(
    folder: Annotated[
        Path | None,
        typer.Option(help="Where everything it makes is kept; default: demo/<time>.", show_default=False),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the posted message as this SVG file.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Hold one complete standup on this machine: nobody's account, no internet.

    A loopback Discord starts; four people with different voices speak for about a minute through real Opus, RTP,
    transport encryption and DAVE; the bot records, and real Redis, Celery workers and Whisper make the notes.
    Ends with 0 only when what was said stands in the notes under the right people.
    """
    console = Console(stderr=True)
    folder = (folder or Path("demo") / f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with console.status("Starting") as status:

        def tell(step: str) -> None:
            console.print(f"{time.monotonic() - began:6.1f} s  {step}", markup=False, highlight=False)
            status.update(step.replace("[", "\\["))

        performance = asyncio.run(demonstration.run(folder, tell))
    if as_json:
        typer.echo(json.dumps(_document(performance), indent=2, ensure_ascii=False))
    else:
        _print(Console(), performance, time.monotonic() - began)
    if picture:
        _draw(performance.message, picture)
    if performance.missing:
        raise typer.Exit(1)


def simulate(
    people: Annotated[int, typer.Option(help="How many people are in the voice channel.", min=1, max=4)] = 3,
    folder: Annotated[Path, typer.Option(help="Where its certificate is kept.")] = Path("data/simulator"),
    loss_percent: Annotated[
        float, typer.Option("--loss", help="Percent of voice packets lost.", min=0, max=90)
    ] = 0,
    jitter_ms: Annotated[
        float, typer.Option("--jitter", help="Voice packets come this much late.", min=0)
    ] = 0,
) -> None:
    """Run the loopback Discord and command it by hand; the recorder runs in another terminal.

    Names the file with the environment that the recorder and the workers need. Then each line is a command: start,
    stop, status (as a slash command), say NAME WORDS, standup (everybody says the demo's lines), join NAME, leave NAME,
    move (the voice region), drop (the bot's voice connection), restart (the gateway), help, quit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(
        console_session(people, folder.absolute(), Faults(loss=loss_percent / 100, jitter_ms=jitter_ms))
    )


def _print(console: Console, performance: Performance, took_s: float) -> None:
    console.rule("The message in the channel")
    console.print(_post(performance.message))
    print_transcript(console, performance.transcript)
    print_files(console, performance.files)
    console.rule()
    for one in performance.missing:
        console.print(
            f"✗ missing: {one.kind} of {one.person or 'everybody'} ({' '.join(one.words)})", style="red"
        )
    if not performance.missing:
        console.print("✓ Everything that was said stands in the notes under the right people.", style="green")
    console.print(
        f"Notes {performance.notes_after_s:.1f} s after the recording ended; {took_s:.0f} s in all."
    )


def _draw(message: Message, picture: Path) -> None:
    paper = Console(record=True, width=PICTURE_COLUMNS, file=io.StringIO(), force_terminal=True)
    paper.print(_post(message))
    paper.save_svg(str(picture), title="#standup")


def _post(message: Message) -> Panel:
    text = _styled(message.content).append("\n")
    for embed in message.embeds:
        text.append(f"\n{embed.get('title', '')}\n", "bold")
        text.append_text(_styled(embed.get("description", ""))).append("\n")
        for field in embed.get("fields", ()):
            text.append(f"\n{field['name']}\n", "bold cyan")
            text.append_text(_styled(field["value"])).append("\n")
        text.append(f"\n{embed.get('footer', {}).get('text', '')}", "dim")
    for attachment in message.attachments:
        text.append(f"\n📎 {attachment.filename} ({len(attachment.content)} bytes)", "dim")
    return Panel(text, title="StandupBot", title_align="left", border_style="blue")


def _styled(markdown: str) -> Text:
    """Return what Discord makes of the little Markdown that our messages have."""
    text = Text()
    for part in MARKED.split(markdown):
        plain = ESCAPED.sub(r"\1", part.strip("*`") if MARKED.fullmatch(part) else part)
        text.append(plain, "bold" if part.startswith("**") else "dim" if part.startswith("`") else "")
    return text


def _document(performance: Performance) -> dict[str, object]:
    return {
        "meeting": performance.meeting.id,
        "message": {"content": performance.message.content, "embeds": performance.message.embeds},
        "transcript": transcripts.serialize(performance.transcript),
        "summary": summaries.serialize(performance.summary),
        "files": performance.files,
        "missing": [
            {"person": one.person, "kind": one.kind, "words": one.words} for one in performance.missing
        ],
        "notes_after_s": round(performance.notes_after_s, 2),
    }
