"""The command `schedules`: which voice channels are recorded when."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import typer
from rich.console import Console
from rich.table import Table

from standup.cli.meetings import Json, opened
from standup.schedule import describe_days


def register(app: typer.Typer) -> None:
    """Add this command to *app*."""
    app.command(rich_help_panel="Meetings")(schedules)


def schedules(as_json: Json = False) -> None:
    """List the schedules that `/standup schedule` made, the next standup first; times are local to their zone."""
    now = datetime.now(timezone.utc)
    with opened() as archive:
        found = sorted(archive.schedules.all(), key=lambda one: one.next_after(now))
    if as_json:
        rows = [one.serialize() | {"next": one.next_after(now).isoformat()} for one in found]
        typer.echo(json.dumps(rows, indent=2))
        return
    if not found:
        typer.echo("No standup is scheduled; `/standup schedule` in Discord does so.")
        return
    table = Table("voice channel", "text channel", "days", "time", "zone", "next (UTC)", box=None)
    for one in found:
        days, at = describe_days(one.days), f"{one.at:%H:%M}"
        following = f"{one.next_after(now):%Y-%m-%d %H:%M}"
        table.add_row(one.voice_channel_id, one.text_channel_id, days, at, one.zone, following)
    Console().print(table)
