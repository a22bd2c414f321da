"""Doubles of what surrounds the bot's decisions: a text channel, a voice line, a journal, a recording."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord

from standup.archive.manifest import Manifest
from standup.bot.attendance import NameOf
from standup.bot.audience import Audience
from standup.bot.endings import Ending, Limits
from standup.bot.listener import Listener
from standup.bot.meeting_clock import MeetingClock
from standup.bot.message import MeetingMessage
from standup.bot.recording import Equipment, Recording
from standup.bot.voice_line import VoiceLine
from standup.capture.record import JournalRecord
from standup.capture.segments import Clock
from standup.capture.writer import JournalHealth, JournalState, JournalWriter
from standup.errors import AudioCaptureError
from standup.meeting import Meeting

MEETING_ID = "20261123T095800Z-1f0c9a2b"
GUILD, VOICE, TEXT, OWN = 1, 2, 3, 99


def refusal(kind: type[discord.HTTPException], status: int, code: int = 0) -> discord.HTTPException:
    """Return discord.py's error for an answer with *status* and Discord's own *code*."""
    answer: Any = SimpleNamespace(status=status, reason="")
    return kind(answer, {"code": code, "message": "refused"})


class TextDouble:
    """A text channel that remembers its messages and fails as it is told."""

    def __init__(self, channel_id: int = TEXT) -> None:
        self.id = channel_id
        self.contents: dict[int, str] = {}
        self.nonces: list[str] = []
        self._newest_id = 1000
        self.edits = 0
        self.send_error: BaseException | None = None
        self.edit_error: BaseException | None = None

    async def send(self, *args: Any, **arguments: Any) -> discord.Message:
        if self.send_error is not None:
            raise self.send_error
        self.nonces.append(arguments["nonce"])
        self._newest_id += 1
        self.contents[self._newest_id] = arguments["content"]
        return cast(discord.Message, SimpleNamespace(id=self._newest_id))

    def get_partial_message(self, message_id: int, /) -> discord.PartialMessage:
        self._newest_id = max(self._newest_id, message_id)
        return cast(discord.PartialMessage, MessageDouble(self, message_id))


class MessageDouble:
    """A handle on one message of a `TextDouble`."""

    def __init__(self, channel: TextDouble, message_id: int) -> None:
        self._channel = channel
        self._id = message_id

    async def edit(self, **arguments: Any) -> None:
        self._check()
        self._channel.contents[self._id] = arguments["content"]
        self._channel.edits += 1

    async def delete(self) -> None:
        self._check()
        del self._channel.contents[self._id]

    async def fetch(self) -> Any:
        self._check()
        return SimpleNamespace(content=self._channel.contents[self._id])

    def _check(self) -> None:
        if self._channel.edit_error is not None:
            raise self._channel.edit_error
        if self._id not in self._channel.contents:
            raise refusal(discord.NotFound, 404)


class LineDouble:
    """A voice line whose state the test sets."""

    def __init__(self) -> None:
        self.channel_id = VOICE
        self.people: frozenset[int] = frozenset({5})
        self.ending: Ending | None = None
        self.deaf_ms: int | None = None
        self.is_recovering = False
        self.is_deafened = False
        self.sees_people = True
        self.join_error: AudioCaptureError | None = None
        self.rejoin_cures = True
        self.rejoins = 0
        self.has_left = False
        self.keepalives = 0

    async def join(self) -> None:
        if self.join_error is not None:
            raise self.join_error

    async def rejoin(self) -> bool:
        self.rejoins += 1
        if self.rejoin_cures:
            self.deaf_ms = None
        return self.rejoin_cures

    async def leave(self) -> None:
        self.has_left = True

    def keep_alive(self) -> None:
        self.keepalives += 1


class AudienceDouble:
    """An audience that sees the notice but for those whom the test takes it from."""

    def __init__(self) -> None:
        self.blind: frozenset[int] = frozenset()
        self.unsighted: frozenset[int] = frozenset()
        self.has_strangers = False
        self.looks = 0
        self.refreshes = 0

    def keeps(self, user_id: int) -> bool:
        return user_id not in self.unsighted

    def look(self) -> None:
        self.unsighted = self.blind
        self.looks += 1

    def refresh(self) -> None:
        self.refreshes += 1


class JournalDouble:
    """A journal in memory."""

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []
        self.health = JournalHealth(JournalState.WRITING, 0, 0, 0)
        self.is_closed = False

    def append(self, record: JournalRecord) -> bool:
        self.records.append(record)
        return True

    def close(self, timeout_s: float = 10.0) -> JournalHealth:
        self.is_closed = True
        return self.health


class KeptManifests:
    """Takes manifests as the shelf does; refuses as often as it is told."""

    def __init__(self, refusals: int = 0) -> None:
        self.all: list[Manifest] = []
        self._refusals = refusals

    async def keep(self, manifest: Manifest) -> bool:
        if self._refusals:
            self._refusals -= 1
            return False
        self.all.append(manifest)
        return True

    @property
    def last(self) -> Manifest:
        return self.all[-1]


async def name_of(user_id: int) -> str:
    return f"User {user_id}"


def new_meeting(started_at: datetime | None = None) -> Meeting:
    return Meeting(MEETING_ID, str(GUILD), str(VOICE), str(TEXT), started_at or datetime.now(timezone.utc))


class SteppedClock:
    """A machine's clocks: time passes on both, and somebody sets the wall clock."""

    def __init__(self, wall: datetime) -> None:
        self._wall_ns = round(wall.timestamp() * 1_000_000) * 1000
        self._monotonic_ns = 7_000_000_000
        self.clock = Clock(lambda: self._wall_ns, lambda: self._monotonic_ns)

    def advance(self, time: timedelta) -> None:
        """Let time pass."""
        self._monotonic_ns += round(time.total_seconds() * 1e9)
        self.step(time)

    def step(self, by: timedelta) -> None:
        """Set the wall clock."""
        self._wall_ns += round(by.total_seconds() * 1e9)


class Stage:
    """A recording with doubles for everything it works with."""

    def __init__(self, *, refusals: int = 0, limits: Limits | None = None, names: NameOf = name_of) -> None:
        self.text = TextDouble()
        self.text.contents[1001] = "opening"
        self.line = LineDouble()
        self.audience = AudienceDouble()
        self.journal = JournalDouble()
        self.kept = KeptManifests(refusals)
        self.message = MeetingMessage(self.text, MEETING_ID, 1001)
        self.listener = Listener(
            self.journal, monotonic_ns=lambda: 0, wall_ns=lambda: 0, is_kept=self.audience.keeps
        )
        meeting = new_meeting()
        equipment = Equipment(
            cast(JournalWriter, self.journal),
            self.listener,
            cast(VoiceLine, self.line),
            cast(Audience, self.audience),
            self.message,
            MeetingClock(meeting.started_at),
        )
        self.recording = Recording(
            Manifest(meeting, (), "1001"),
            equipment,
            limits or Limits(empty_grace_ms=30_000, longest_ms=3_600_000),
            self.kept.keep,
            names,
        )


async def eventually(condition: Callable[[], bool], what: str) -> None:
    """Give the loop its turns until *condition* holds; fail after 5 s."""
    give_up_s = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < give_up_s, f"{what} did not happen"
        await asyncio.sleep(0)


def folder_of(data_dir: Path) -> Path:
    return data_dir / "meetings" / MEETING_ID
