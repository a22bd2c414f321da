"""Commands about notes alone: `summarize`, `schema`. They need neither an archive nor a running program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from standup import summary as summaries
from standup import transcript as transcripts
from standup.cli.meetings import Json, TemplateName, named, print_notes
from standup.errors import MeetingNotFound
from standup.markdown import summary_markdown
from standup.schemas import Document
from standup.schemas import schema as text_of
from standup.settings import load
from standup.summary import Summarizer
from standup.template import STANDUP

Model = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="An OpenAI-compatible endpoint to ask; default: the rules. "
        "STANDUP_LLM_MODEL and STANDUP_LLM_API_KEY apply.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to *app*."""
    app.command(rich_help_panel="Meetings")(summarize)
    app.command(rich_help_panel="Meetings")(schema)


def summarize(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A transcript as `standup export --format json` writes it; - is stdin."
        ),
    ],
    model: Model = None,
    template: TemplateName = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print summary.md as it is.")] = False,
    as_json: Json = False,
) -> None:
    """Write the notes of a transcript: who did what, what comes next, blockers, decisions, action items.

    Nothing is stored or posted. With --model the transcript is sent to that endpoint, without it nowhere.
    """
    chosen = named(template) if template else STANDUP
    transcript = transcripts.parse(_read(file))
    summary = summarizer(model).summarize(transcript)
    if as_json:
        typer.echo(json.dumps(summaries.serialize(summary), indent=2, ensure_ascii=False))
    elif as_markdown:
        typer.echo(summary_markdown(summary, transcript, template=chosen), nl=False)
    else:
        print_notes(Console(), summary, transcript, chosen)


def schema(
    document: Annotated[Document, typer.Argument(help="The document whose schema is wanted.")],
) -> None:
    """Print the JSON Schema of a transcript or of a summary."""
    typer.echo(text_of(document), nl=False)


def summarizer(model: str | None) -> Summarizer:
    """Return the language model at the URL *model*, or the rules without one; raise SettingsError for a bad URL."""
    from standup.summarize import choose

    return choose(load(llm_url=model).language_model) if model else choose()


def _read(file: str) -> bytes:
    """Return what is in *file*; raise MeetingNotFound when there is none of that name."""
    if file == "-":
        return typer.get_binary_stream("stdin").read()
    try:
        return Path(file).read_bytes()
    except FileNotFoundError as cause:
        raise MeetingNotFound(
            f"There is no file {file}; write one with `standup export ID --format json -o {file}`."
        ) from cause
