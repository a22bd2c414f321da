"""Commands that delete: `delete` a meeting, `forget` a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from standup.cli.meetings import Id, Json, checked, opened
from standup.errors import MeetingBusy, StandupError
from standup.settings import Settings, load
from standup.transcript import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from standup.archive import Archive
    from standup.archive.people import Removed
    from standup.messages import Message
    from standup.removal import Forgotten

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add these commands to *app*."""
    panel = "Meetings"
    app.command(rich_help_panel=panel)(delete)
    app.command(rich_help_panel=panel)(forget)


def delete(
    meeting: Id,
    yes: Yes = False,
    keep_message: Annotated[
        bool, typer.Option("--keep-message", help="Leave the message in Discord as it is.")
    ] = False,
) -> None:
    """Delete a meeting everywhere: sound, words, notes, names, and its message in Discord.

    What the notes of later meetings had quoted from it goes too. There is no way back.
    """
    from standup import messages, removal
    from standup.work import now_ms

    settings = load()
    with _ready(settings) as archive:
        _refuse_draft(settings, checked(meeting))
        value = archive.meeting(meeting)
        _confirm(
            f"Delete meeting {value.id} of {value.started_at:%Y-%m-%d %H:%M} ({clock(value.duration_ms)}) for good?",
            yes,
        )
        archive.erasure.condemn(value.id, now_ms())
        if keep_message:
            told = [messages.keep(archive, value.id)]
        else:
            told = [messages.take_down(archive, settings, value.id)]
        changed = removal.delete(archive, settings.data_dir, value.id)
        told += _revised(archive, settings, changed, keep_message)
        typer.echo(f"Meeting {value.id} is deleted: rows, journal, tracks and manifest.")
        _tell(told)
        _scrub(archive)


def forget(
    user: Annotated[
        str,
        typer.Argument(
            metavar="USER", help="Discord id, or a display name that only one has.", show_default=False
        ),
    ],
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be removed, and change nothing.")
    ] = False,
    keep_messages: Annotated[
        bool, typer.Option("--keep-messages", help="Leave the messages in Discord as they are.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take somebody out of every meeting: track, words, items and name; the meetings stay for the others.

    The journals of these meetings go, which hold all voices together. Where others say the name it becomes […] in their
    words; their sound stays. A meeting that is being recorded, worked on or not read yet waits: then it ends with 75,
    and the same command takes the rest. There is no way back.
    """
    from standup import messages, removal
    from standup.work import now_ms

    settings = load()
    with _ready(settings) as archive:
        person = archive.people.find(user)
        if dry_run:
            _report(removal.look(archive, person, now_ms()), (), as_json)
            return
        _confirm(f"Take this person out of {len(person.places)} meetings for good?", yes)
        told: list[Message] = []

        def write(one: Removed) -> None:
            if keep_messages:
                told.append(messages.keep(archive, one.meeting_id))
            else:
                # A live thread has words of those who were there.
                emptied = bool(one.participant)
                told.append(messages.revise(archive, settings, one.meeting_id, empties_thread=emptied))

        found = removal.forget(archive, settings.data_dir, person, now_ms(), write)
        later = {name for one in found.removed for name in one.later} - set(dict(person.places))
        told += _revised(archive, settings, sorted(later), keep_messages)
        _report(found, told, as_json)
        _scrub(archive)
        _refuse_waiting(found)


@contextmanager
def _ready(settings: Settings) -> Iterator[Archive]:
    """Give the archive, with everything that has ended taken into it."""
    from standup import draft, room

    with opened() as archive:
        draft.rescue(settings.data_dir)  # a killed `standup record` has not ended its meeting
        room.hand_over(archive, settings.data_dir)
        yield archive


def _refuse_draft(settings: Settings, meeting_id: str) -> None:
    from standup import draft
    from standup.archive.manifest import meeting_folder

    if meeting_folder(settings.data_dir / draft.FOLDER, meeting_id).exists():
        raise MeetingBusy(f"Meeting {meeting_id} is being recorded; end it with Ctrl-C in `standup record`.")


def _confirm(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise StandupError("Nothing was deleted: there is nobody to ask; add --yes.")
    typer.confirm(question, abort=True, err=True)


def _revised(
    archive: Archive, settings: Settings, meetings: Iterable[str], keep_messages: bool
) -> list[Message]:
    from standup import messages

    if keep_messages:
        return [messages.keep(archive, one) for one in meetings]
    return [messages.revise(archive, settings, one) for one in meetings]


def _tell(told: Iterable[Message], *, err: bool = False) -> None:
    from standup.messages import Fate

    for one in told:
        if one.fate is not Fate.NONE:
            typer.echo(one.sentence, err=err)


def _scrub(archive: Archive) -> None:
    if not archive.erasure.scrub():
        typer.echo(
            "SQLite's files are in use, or their disk is full, and still hold what was deleted; worker-cpu tidies them "
            "within the hour.",
            err=True,
        )


def _report(found: Forgotten, told: Sequence[Message], as_json: bool) -> None:
    fates = {one.meeting_id: one for one in told}
    if as_json:
        typer.echo(json.dumps(_describe(found, told), indent=2))
        return
    names = ("Meeting", "Utterances", "Items", "Mentions", "Sound", "Message")
    table = Table(*names, box=None, header_style="bold")
    for one in found.removed:
        fate = fates[one.meeting_id].fate.value if one.meeting_id in fates else ""
        counts = (one.utterances, one.items, one.mentions)
        table.add_row(one.meeting_id, *map(str, counts), clock(one.speech_ms), fate)
    Console(soft_wrap=True).print(table)
    _tell(told)
    for busy in found.waiting:
        typer.echo(str(busy), err=True)


def _describe(found: Forgotten, told: Sequence[Message]) -> dict[str, Any]:
    return {
        "meetings": [
            {
                "id": one.meeting_id,
                "utterances": one.utterances,
                "items": one.items,
                "mentions": one.mentions,
                "speech_ms": one.speech_ms,
            }
            for one in found.removed
        ],
        "messages": [
            {"meeting": one.meeting_id, "fate": one.fate.value, "address": one.address} for one in told
        ],
        "waiting": [str(one) for one in found.waiting],
    }


def _refuse_waiting(found: Forgotten) -> None:
    if found.waiting:
        raise MeetingBusy(
            f"{len(found.waiting)} meetings are still to be done; the same command takes them up when that can be. "
            "Until then the archive knows this person's names, and shows them nowhere else."
        )
