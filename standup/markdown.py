"""summary.md: the notes as Markdown, in any template.

No clock and no I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from standup.arrangement import Age, Line, Part, arrange, ordinal
from standup.summary import Summary, author
from standup.template import STANDUP, Template
from standup.transcript import Transcript, escape_markdown


def summary_markdown(
    summary: Summary,
    transcript: Transcript,
    *,
    started_at: datetime | None = None,
    speech_model: str = "",
    template: Template = STANDUP,
) -> str:
    """Return summary.md: what *template* shows, in its order.

    Every item ends with the time it was said at, as ``[1:23]``; the last line says who wrote it. *started_at* is aware;
    without it the heading carries no date and no blocker its age.
    """
    date = f" {started_at.astimezone(timezone.utc):%Y-%m-%d %H:%M UTC}" if started_at else ""
    paragraphs = [f"# {template.title}{date}"]
    for part in arrange(summary, transcript, template, started_at):
        paragraphs.extend(_part(part))
    if not transcript.spoken:
        paragraphs.append("Nobody spoke.")
    model = f" Speech model: {escape_markdown(speech_model)}." if speech_model else ""
    paragraphs += ["---", f"Written by: {escape_markdown(author(summary))}.{model}"]
    return "\n\n".join(paragraphs) + "\n"


def _part(part: Part) -> Iterator[str]:
    yield f"## {escape_markdown(part.title)}"
    for group in part.groups:
        if group.heading:
            yield f"**{group.heading}**"
        yield "\n".join(map(_line, group.lines))
    if not part.groups:
        yield part.nothing


def _line(line: Line) -> str:
    mark = f"{line.mark} " if line.mark else ""
    owner = f"**{escape_markdown(line.owner)}:** " if line.owner else ""
    due = f" — {escape_markdown(line.due)}" if line.due else ""
    remarks = ", ".join(filter(None, (line.remark, _age(line.age) if line.age else "")))
    time = f" [{line.time}]" if line.time else ""
    return f"- {mark}{owner}{escape_markdown(line.text)}{due}{f' ({remarks})' if remarks else ''}{time}"


def _age(age: Age) -> str:
    return f"since {age.since.astimezone(timezone.utc):%a %d %b}, {ordinal(age.day)} day"
