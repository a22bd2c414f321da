"""One complete standup on this machine, with nobody's account and no internet service.

The loopback Discord stands in for Discord; everything else is the real thing: redis-server, two Celery workers,
the recorder program, Opus, RTP, both encryptions, Whisper. `run` starts them, lets people speak, waits for the
notes, and checks that what was said stands in them under the right names.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standup.archive import Archive
from standup.archive import manifest as manifests
from standup.errors import StandupError
from standup.meeting import Meeting, MeetingState, Track
from standup.settings import Settings, environment, load
from standup.simulator.participant import Participant
from standup.simulator.scenario import Expected, Scenario, perform, prepare, standup
from standup.simulator.server import LoopbackDiscord, Message
from standup.summary import Item, Summary
from standup.supervision.launch import start
from standup.supervision.programs import command
from standup.transcript import Transcript

READY_S = 60.0
NOTES_S = 180.0
FINISHED_S = 20.0
STOP_S = 20.0
PROGRAMS = ("redis", "worker-cpu", "worker-gpu", "recorder")

Child = subprocess.Popen[bytes]
Tell = Callable[[str], None]
"""Told each step as it begins."""


class DemoFailed(StandupError):
    """The demo did not end with the notes that were expected; the logs in its folder say why."""


@dataclass(frozen=True, slots=True)
class Performance:
    """What came out of the demo."""

    message: Message
    meeting: Meeting
    transcript: Transcript
    summary: Summary
    tracks: tuple[Track, ...]
    missing: tuple[Expected, ...]
    """What was said but does not stand in the notes under the right person; empty when all went well."""
    files: dict[str, str]
    """What lies where."""
    notes_after_s: float
    """From the end of the recording to the notes."""


async def run(folder: Path, tell: Tell, scenario: Scenario | None = None) -> Performance:
    """Hold one standup with everything it makes under *folder*; raise StandupError when it cannot be held."""
    scenario = scenario or standup()
    tell("Starting the loopback Discord")
    async with LoopbackDiscord(folder / "discord") as discord:
        # A Unix socket's path has a limit of about 100 characters, which a deep folder would exceed.
        with tempfile.TemporaryDirectory(prefix="standup-") as sockets:
            settings = settings_for(discord, folder, Path(sockets))
            with running(settings, discord, tell):
                return await _hold(discord, settings, scenario, tell)


def settings_for(discord: LoopbackDiscord, folder: Path, sockets: Path, **changes: Any) -> Settings:
    """Return settings that keep everything under *folder* and speak to *discord*; *sockets* has a short path."""
    values: dict[str, Any] = dict(
        discord_token=discord.token,
        discord_api_url=discord.api_url,
        data_dir=folder / "data",
        log_dir=folder / "logs",
        broker_url=f"redis+socket://{sockets}/redis.sock?virtual_host=0",
        database_url="",
        storage_url="",
        whisper_model="tiny.en",
        whisper_device="cpu",
    )
    return load(None, **{**values, **changes})


@contextmanager
def running(
    settings: Settings, discord: LoopbackDiscord, tell: Tell, programs: Sequence[str] = PROGRAMS
) -> Iterator[dict[str, Child]]:
    """Run *programs* (Redis, both workers and the recorder) for the block, and give them by name.

    What they print goes to LOG_DIR. Raises ServiceMissing when one is not installed.
    """
    log_dir = settings.log_dir
    log_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "redis").mkdir(parents=True, exist_ok=True)
    archive = Archive.of(settings)
    archive.migrate()
    archive.close()
    variables = {**environment(settings), "SSL_CERT_FILE": str(discord.ca_file)}
    children: dict[str, Child] = {}
    try:
        for name in programs:
            tell(f"Starting {name}")
            children[name] = start_logged(name, settings, variables)
        yield children
    finally:
        _stop(children)


def start_logged(name: str, settings: Settings, variables: Mapping[str, str]) -> Child:
    """Start one program; what it prints goes to LOG_DIR."""
    with (settings.log_dir / f"{name}.out").open("ab") as output:
        return start(command(name, settings), variables, output)


def _stop(children: Mapping[str, Child]) -> None:
    """Ask all to stop, Redis when nobody needs it any more; kill whoever has not stopped after ``STOP_S``."""
    others = [child for name, child in children.items() if name != "redis"]
    for group in (others, [child for name, child in children.items() if name == "redis"]):
        for child in group:
            child.terminate()
        for child in group:
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(STOP_S)


async def _hold(discord: LoopbackDiscord, settings: Settings, scenario: Scenario, tell: Tell) -> Performance:
    spoken = await prepare(scenario)
    tell("Waiting for the bot to log in")
    await discord.wait_for_bot(READY_S)
    people = {name: await discord.enter(name) for name in scenario.voices}
    for person in people.values():
        await person.join_voice()
    host = next(iter(people.values()))
    await _order(discord, host, "start", tell)
    await discord.wait_for_bot_voice(READY_S)
    await perform(people, scenario, lambda line: tell(f"{line.speaker}: {line.text}"), spoken=spoken)
    await _order(discord, host, "stop", tell)
    stopped = time.monotonic()
    tell("Capturing, transcribing, summarizing")
    message = await discord.wait_for_message(discord.text_channel_id, has_notes, NOTES_S)
    after_s = time.monotonic() - stopped
    for person in people.values():
        await person.leave_voice()
    if discord.violations:
        raise DemoFailed(f"The bot broke Discord's rules: {'; '.join(discord.violations)}.")
    return await asyncio.to_thread(_gather, settings, message, scenario, after_s)


async def _order(discord: LoopbackDiscord, host: Participant, subcommand: str, tell: Tell) -> None:
    tell(f"/standup {subcommand}")
    await discord.invoke(host, "standup", subcommand)


def has_notes(message: Message) -> bool:
    """Return whether *message* is the finished one of a meeting."""
    return any(one.filename == "summary.md" for one in message.attachments)


def _gather(settings: Settings, message: Message, scenario: Scenario, after_s: float) -> Performance:
    archive = Archive.of(settings)
    try:
        # The message is seen a moment before its stage is finished.
        meeting = _finished(archive)
        transcript, summary = archive.transcript(meeting.id), archive.summary(meeting.id)
        if summary is None:
            raise DemoFailed(f"Meeting {meeting.id} was posted without a summary.")
        tracks = archive.tracks(meeting.id)
        files = {
            transcript.name_of(one.speaker): archive.audio.location(meeting.id, one.path) for one in tracks
        }
        folder = manifests.meeting_folder(settings.data_dir, meeting.id)
        return Performance(
            message=message,
            meeting=meeting,
            transcript=transcript,
            summary=summary,
            tracks=tracks,
            missing=missing(scenario.expected, summary, transcript),
            files={
                **files,
                "journal": str(folder / "journal"),
                "database": settings.database.removeprefix("sqlite:///"),
                "logs": str(settings.log_dir),
            },
            notes_after_s=after_s,
        )
    finally:
        archive.close()


def _finished(archive: Archive) -> Meeting:
    deadline = time.monotonic() + FINISHED_S
    while True:
        meeting = archive.meetings(1)[0]
        if meeting.state is MeetingState.DONE:
            return meeting
        if time.monotonic() > deadline:
            raise DemoFailed(f"Meeting {meeting.id} is {meeting.state.value} though its notes are posted.")
        time.sleep(0.05)


def missing(expected: Sequence[Expected], summary: Summary, transcript: Transcript) -> tuple[Expected, ...]:
    """Return what does not stand in *summary* under the right person with all its words."""
    ids = {person.name: person.id for person in transcript.participants}
    return tuple(one for one in expected if not any(_matches(one, item, ids) for item in summary.items))


def _matches(one: Expected, item: Item, ids: Mapping[str, str]) -> bool:
    owner = ids.get(one.person, "") if one.person else None
    # A decision belongs to everybody, whoever said it.
    belongs = one.person is None or item.person == owner
    return belongs and item.kind.value == one.kind and all(word in item.text.lower() for word in one.words)
