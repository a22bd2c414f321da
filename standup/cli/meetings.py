"""Commands about meetings: `list`, `show`, `export`, `retry`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from standup import summary as summaries
from standup import template as templates
from standup import transcript as transcripts
from standup.errors import InputRefused, MeetingNotFound, StandupError
from standup.markdown import summary_markdown
from standup.meeting import Meeting, Track, check_meeting_id
from standup.notice.states import unheard, unsighted
from standup.pipeline import Stage
from standup.retention import Sound
from standup.settings import load
from standup.summary import Summary
from standup.template import STANDUP, Template
from standup.transcript import Transcript, clock

if TYPE_CHECKING:
    from standup.archive import Archive

STATE_COLOURS = {"recording": "red", "processing": "yellow", "done": "green", "parked": "bold red"}

Id = Annotated[
    str, typer.Argument(metavar="ID", help="Meeting id, as `standup list` shows it.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
TemplateName = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar=f"[{'|'.join(templates.TEMPLATES)}]",
        help="How to show the notes.",
        show_default=False,
    ),
]


class TextFormat(str, Enum):
    """What `export` writes."""

    md = "md"
    vtt = "vtt"
    srt = "srt"
    json = "json"


def _json(transcript: Transcript) -> str:
    return json.dumps(transcripts.serialize(transcript), indent=2, ensure_ascii=False) + "\n"


RENDERINGS: Mapping[TextFormat, Callable[[Transcript], str]] = {
    TextFormat.md: transcripts.transcript_markdown,
    TextFormat.vtt: transcripts.transcript_webvtt,
    TextFormat.srt: transcripts.transcript_srt,
    TextFormat.json: _json,
}


def register(app: typer.Typer) -> None:
    """Add these commands to *app*."""
    panel = "Meetings"
    app.command("list", rich_help_panel=panel)(list_meetings)
    app.command(rich_help_panel=panel)(show)
    app.command(rich_help_panel=panel)(export)
    app.command(rich_help_panel=panel)(retry)


@contextmanager
def opened() -> Iterator[Archive]:
    """Give the archive that the settings name."""
    from standup.archive import Archive

    archive = Archive.of(load())
    try:
        yield archive
    finally:
        archive.close()


def list_meetings(
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 20, as_json: Json = False
) -> None:
    """List the latest meetings with their state."""
    with opened() as archive:
        found = archive.meetings(limit)
    if as_json:
        typer.echo(json.dumps([describe(one) for one in found], indent=2))
        return
    table = Table("Meeting", "Started (UTC)", "Length", "State", box=None, header_style="bold")
    for one in found:
        state = Text(one.state.value, STATE_COLOURS[one.state.value])
        table.add_row(one.id, f"{one.started_at:%Y-%m-%d %H:%M}", clock(one.duration_ms), state)
    Console().print(table if found else "No meeting yet; `/standup start` in Discord begins one.")


def show(meeting: Id, template: TemplateName = None, as_json: Json = False) -> None:
    """Show a meeting: its state, stages, notes, transcript and files."""
    with opened() as archive:
        value = archive.meeting(checked(meeting))
        chosen = named(template) if template else archive.guilds.template(value.guild_id)
        transcript, summary = archive.transcript(value.id), archive.summary(value.id)
        tracks, stages = archive.tracks(value.id), archive.statuses(value.id)
        has_sound = archive.erasure.sound(value.id) in (Sound.WHOLE, Sound.TRACKS)
        files = {
            one.speaker: archive.audio.location(value.id, one.path) if has_sound else None for one in tracks
        }
    if as_json:
        document = describe(value) | {
            "stages": [
                {"stage": one.stage.value, "state": one.state.value, "error": one.error} for one in stages
            ],
            "transcript": transcripts.serialize(transcript),
            "summary": summaries.serialize(summary) if summary else None,
            "tracks": [describe_track(one) | {"file": files[one.speaker]} for one in tracks],
        }
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    console = Console()
    console.print(
        Text(f"Meeting {value.id}", "bold"), Text(value.state.value, STATE_COLOURS[value.state.value])
    )
    for one in stages:
        console.print(f"  {one.stage.value:<11}{one.state.value}  {one.error}", markup=False, highlight=False)
    print_notes(console, summary, transcript, chosen, value.started_at)
    for sentence in filter(None, (unheard(value.gaps), unsighted(value.unsighted_people))):
        console.print(sentence, highlight=False)
    print_transcript(console, transcript)
    print_files(console, {transcript.name_of(speaker): path for speaker, path in files.items()})


def export(
    meeting: Id,
    form: Annotated[TextFormat, typer.Option("--format", help="md, vtt, srt or json.")] = TextFormat.md,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: stdout.")
    ] = None,
) -> None:
    """Write a meeting's transcript as Markdown, WebVTT, SRT or JSON."""
    with opened() as archive:
        transcript = archive.transcript(checked(meeting))
    text = RENDERINGS[form](transcript)
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)


def retry(
    meeting: Id,
    stage: Annotated[
        Stage | None,
        typer.Option("--from", help="First stage to do again; default: the first that is not done."),
    ] = None,
) -> None:
    """Work a meeting off again; the running programs take it up within seconds."""
    from standup import draft, room

    with opened() as archive:
        data_dir = load().data_dir
        if draft.rescue(data_dir):  # a killed `standup record` has not ended its meeting
            room.hand_over(archive, data_dir)
        try:
            first = archive.retry(checked(meeting), stage)
        except ValueError as cause:
            raise StandupError(
                f"Meeting {meeting} is still being recorded; end it with /standup stop, or Ctrl-C in `standup record`."
            ) from cause
    typer.echo(f"Meeting {meeting} starts again from {first.value}.")


def named(name: str) -> Template:
    """Return the template called *name*; wrong usage when there is none."""
    try:
        return templates.template(name)
    except InputRefused as refusal:
        raise typer.BadParameter(str(refusal)) from None


def checked(text: str) -> str:
    """Return a meeting id; raise MeetingNotFound for anything that is none."""
    try:
        return check_meeting_id(text)
    except ValueError as cause:
        raise MeetingNotFound(f"{text} is no meeting id; `standup list` shows the known ones.") from cause


def describe(value: Meeting) -> dict[str, Any]:
    """Return a meeting's JSON form."""
    return {
        "id": value.id,
        "state": value.state.value,
        "started_at": value.started_at.isoformat(),
        "ended_at": value.ended_at.isoformat() if value.ended_at else None,
        "duration_ms": value.duration_ms,
        "gaps": [[one.from_ms, one.until_ms] for one in value.gaps],
        "unsighted_people": value.unsighted_people,
    }


def describe_track(value: Track) -> dict[str, Any]:
    """Return a track's JSON form."""
    counts = value.counts
    return {
        "speaker": value.speaker,
        "duration_ms": value.duration_ms,
        "speech_ms": value.speech_ms,
        "received": counts.received,
        "lost": counts.lost,
        "late": counts.late,
        "duplicated": counts.duplicated,
        "undecryptable": counts.undecryptable,
    }


def print_notes(
    console: Console,
    summary: Summary | None,
    transcript: Transcript,
    template: Template = STANDUP,
    started_at: datetime | None = None,
) -> None:
    """Print the notes as they were posted, in the server's template or another."""
    if summary is None:
        return
    text = summary_markdown(summary, transcript, started_at=started_at, template=template)
    console.rule("Notes")
    from rich.markdown import Markdown

    console.print(Markdown(text))


def print_transcript(console: Console, transcript: Transcript) -> None:
    """Print who said what when."""
    console.rule("Transcript")
    table = Table(box=None, show_header=False, padding=(0, 1))
    for one in transcript.spoken:
        table.add_row(
            Text(f"{clock(one.start_ms)}–{clock(one.end_ms)}", "dim"),
            Text(transcript.name_of(one.speaker), "bold"),
            Text(one.text),
        )
    console.print(table)


def print_files(console: Console, files: Mapping[str, str | None]) -> None:
    """Print what lies where; a file that is not named was deleted."""
    console.rule("Files")
    for name, path in files.items():
        console.print(f"{name:<12} {path or 'deleted'}", markup=False, highlight=False, soft_wrap=True)
