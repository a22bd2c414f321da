"""The command `record`: people in one room, by microphone."""

from __future__ import annotations

import json
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from standup import draft, room
from standup.archive import Archive
from standup.capture.devices import Device, devices, portaudio
from standup.capture.microphone import Microphones
from standup.cli.meetings import Json, opened, print_notes, print_transcript
from standup.dispatcher import sweep
from standup.errors import ArchiveError, BrokerUnreachable, InputRefused, StandupError
from standup.meeting import Meeting, MeetingState, meeting_id
from standup.notice.states import unheard
from standup.pipeline import StageState
from standup.room import Reading, Recording
from standup.settings import load
from standup.transcript import clock

ROOM = "Room"
#: Whoever speaks into the only microphone, when nobody is named.
METER_COLUMNS = 12
WAIT_S = 7_200.0
LOOK_EVERY_S = 0.5
MS_PER_MINUTE = 60_000


def register(app: typer.Typer) -> None:
    """Add this command to *app*."""
    app.command(rich_help_panel="Meetings")(record)


def record(
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|NUMBER",
            help="A microphone as `--list` shows it; may be repeated. Default: the sound system's.",
            show_default=False,
        ),
    ] = None,
    speaker: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Who speaks into it, in the same order.", show_default=False),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="End after so many minutes.", min=0.01, show_default=False)
    ] = None,
    consent: Annotated[
        bool, typer.Option("--consent", "--yes", help="Everybody in the room knows and agrees; do not ask.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Afterwards wait for the notes and print them.")
    ] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the microphones and end.")] = False,
    as_json: Json = False,
) -> None:
    """Record people in one room by microphone, as a meeting; the running workers make the notes.

    One --device and one --speaker for each person; Ctrl-C ends the recording. What a killed recording left is
    brought through by the next one. The notes stay in the archive: `standup show ID`.
    """
    sound = portaudio()
    if show_list:
        _print_devices(devices(sound), as_json)
        return
    people = _pair(device or [], speaker or [])
    settings = load()
    console = Console(stderr=True, soft_wrap=True)
    with opened() as archive:
        _rescue(archive, settings.data_dir, console)
        _ask(list(people), consent)
        microphones = Microphones(list(people.values()), sound)
        meeting = _record(archive, settings.data_dir, list(people), microphones, minutes, console)
        if wait:
            _wait(archive, meeting, console)
        else:
            console.print(
                f"Recorded {clock(meeting.duration_ms)}. The workers make the notes; see them with "
                f"`standup show {meeting.id}`.",
                highlight=False,
            )


def _pair(given: Sequence[str], speakers: Sequence[str]) -> dict[str, str | None]:
    """Return microphone by speaker; None is the sound system's default. Raises InputRefused."""
    wanted: list[str | None] = list(given) or [None]
    names = [one.strip() for one in speakers] or ([ROOM] if len(wanted) == 1 else [])
    if len(names) != len(wanted) or not all(names):
        raise typer.BadParameter(
            f"{len(wanted)} microphone(s) but {len(names)} speaker(s); give one --speaker for each --device."
        )
    if len(set(names)) < len(names):
        raise InputRefused("Two microphones are for one speaker; give each speaker one name of their own.")
    return dict(zip(names, wanted, strict=True))


def _ask(people: Sequence[str], consent: bool) -> None:
    """Have it confirmed that everybody knows: no notice, no recording."""
    if consent:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            "Nobody is recorded unknowingly: tell everybody in the room, then add --consent."
        )
    typer.echo(f"This records {', '.join(people)} and whoever else is in the room.", err=True)
    if not typer.confirm("Does everybody in the room know and agree?", err=True):
        typer.echo("Nothing was recorded.", err=True)
        raise typer.Exit(1)


def _record(
    archive: Archive,
    data_dir: Path,
    people: Sequence[str],
    microphones: Microphones,
    minutes: float | None,
    console: Console,
) -> Meeting:
    room.open_up(microphones)
    now = datetime.now(timezone.utc)
    made = Meeting(meeting_id(now, secrets.token_hex(4)), "", "", "", now)
    recording = Recording(data_dir, made, people, microphones)
    try:
        archive.migrate()
        archive.adopt(recording.manifest)
    except ArchiveError as problem:
        _say(console, f"{problem} The recording goes on.")
    typer.echo(made.id)
    limit_ms = None if minutes is None else round(minutes * MS_PER_MINUTE)
    with _stopped_by_signals() as stop, _meter(people, console) as meter:
        try:
            meeting = recording.run(stop, limit_ms, meter.show)
        finally:
            # Also when the microphones are lost for good: what was recorded until then is a meeting.
            _hand_over(archive, data_dir, console)
    if meter.overflows:
        _say(console, f"Sound was lost {meter.overflows} times because this machine was too busy.")
    if meeting.gaps:
        _say(console, unheard(meeting.gaps))
    return meeting


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """Give an event that SIGINT and SIGTERM set, for the block."""
    stop = Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Meter:
    """Shows on a terminal how loud everybody is, and the clock."""

    def __init__(self, people: Sequence[str], live: Live | None) -> None:
        self._people = people
        self._live = live
        self.overflows = 0

    def show(self, reading: Reading) -> None:
        """Show one reading."""
        self.overflows = reading.overflows
        if self._live is not None:
            self._live.update(meter(reading, self._people))


@contextmanager
def _meter(people: Sequence[str], console: Console) -> Iterator[_Meter]:
    if not console.is_terminal:
        _say(console, "Recording; Ctrl-C or SIGTERM ends it.")
        yield _Meter(people, None)
        return
    with Live(console=console, transient=True, refresh_per_second=10) as live:
        yield _Meter(people, live)


def meter(reading: Reading, people: Sequence[str]) -> Text:
    """Return one line: the clock, a bar for each of *people*, and what is wrong."""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("● ", "yellow" if reading.is_deaf else "red").append(clock(reading.elapsed_ms), "bold")
    for name, loud in zip(people, reading.peaks, strict=True):
        filled = round(loud**0.5 * METER_COLUMNS)
        text.append(f"  {name} ").append("▮" * filled, "green").append("▯" * (METER_COLUMNS - filled), "dim")
    if reading.is_deaf:
        text.append("  microphone lost, opening it again", "yellow")
    if not reading.is_kept:
        text.append("  the disk does not take it all: free some space", "bold red")
    return text.append("  Ctrl-C ends", "dim")


def _rescue(archive: Archive, data_dir: Path, console: Console) -> None:
    found = draft.rescue(data_dir)
    for one in found:
        _say(console, f"Recording {one} had been cut off; its notes are made now, see `standup show {one}`.")
    if found:
        _hand_over(archive, data_dir, console)


def _hand_over(archive: Archive, data_dir: Path, console: Console) -> None:
    """Enqueue what has been recorded; where that must wait, say so: nothing is lost."""
    try:
        room.hand_over(archive, data_dir)
        sweep(archive, time.time_ns() // 1_000_000)
    except (ArchiveError, BrokerUnreachable) as problem:
        _say(console, f"{problem} The recording is safe on disk and waits for that.")


def _wait(archive: Archive, meeting: Meeting, console: Console) -> None:
    """Wait until the notes of *meeting* are there and print them; raise StandupError when it is parked."""
    deadline = time.monotonic() + WAIT_S
    with console.status("Waiting for the workers") as status:
        while archive.meeting(meeting.id).state is not MeetingState.DONE:
            rows = archive.statuses(meeting.id)
            parked = next((one for one in rows if one.state is StageState.PARKED), None)
            if parked is not None:
                raise StandupError(
                    f"Meeting {meeting.id} is parked at {parked.stage.value}: {parked.error} Then run "
                    f"`standup retry {meeting.id}`."
                )
            if time.monotonic() > deadline:
                raise StandupError(
                    f"Meeting {meeting.id} is not done yet; `standup show {meeting.id}` tells more later."
                )
            left = [one.stage.value for one in rows if one.state is not StageState.DONE]
            status.update(f"Working on the notes: {', '.join(left)}")
            time.sleep(LOOK_EVERY_S)
    transcript = archive.transcript(meeting.id)
    output = Console()
    print_notes(output, archive.summary(meeting.id), transcript)
    if meeting.gaps:
        output.print(unheard(meeting.gaps), highlight=False)
    print_transcript(output, transcript)


def _print_devices(found: Sequence[Device], as_json: bool) -> None:
    if as_json:
        listed = [
            {"number": one.number, "name": one.name, "system": one.system, "default": one.is_default}
            for one in found
        ]
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    table = Table("Number", "Name", "Through", "", box=None, header_style="bold")
    for one in found:
        table.add_row(str(one.number), Text(one.name), one.system, "default" if one.is_default else "")
    Console().print(table if found else "No microphone is there; connect one, or start the sound server.")


def _say(console: Console, sentence: str) -> None:
    console.print(sentence, markup=False, highlight=False)
