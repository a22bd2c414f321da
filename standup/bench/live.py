"""Measure how long the notes of a meeting take once it has ended, with its speech read while it ran.

Redis, both workers and the recorder's dispatcher are the real ones, and a loopback Discord takes the notes; only the
meetings are held on a clock that does not wait (`standup.bench.held`), each closed segment read before the next is
written. Beside them stands the same meeting with nothing read ahead. Left out is what the recorder does between the
command and the end of the journal, a few tenths of a second.
"""

from __future__ import annotations

import asyncio
import dataclasses
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

from kombu.connection import Connection
from redis import Redis

from standup.archive import Archive, Manifest, manifest
from standup.bench.held import Script, hold, script
from standup.bench.operation import LIMIT_S, until
from standup.bench.rehearsal import rehearse
from standup.celery import app
from standup.demo import has_notes, running, settings_for
from standup.dispatcher import Dispatcher, publish
from standup.errors import StandupError
from standup.following import publish_follow
from standup.meeting import Meeting, MeetingState, Participant, meeting_id
from standup.pipeline import FOLLOW_QUEUE, SKIM_QUEUE
from standup.settings import Settings
from standup.simulator.server import LoopbackDiscord

REHEARSED_MINUTES = 10.0
"""How much different speech there is; a longer meeting says it again."""
TARGET_MEDIAN_S, TARGET_P95_S = 5.0, 10.0
NOTES_S = 900.0
STOP_S = 10.0
PROGRAMS = ("redis", "worker-cpu", "worker-gpu")
_START = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Held:
    """One meeting."""

    utterances: int
    words: int
    read_ahead: int
    """Utterances that had been read when the meeting ended."""
    ahead_s: float
    """What reading ahead took, all segments together, queue and worker."""
    after_s: float
    """From the end of the meeting to the message with the notes in Discord."""


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """How soon after their end meetings had their notes."""

    minutes: float
    meetings: tuple[Held, ...]
    """Read while they ran."""
    afterwards: Held
    """The peer: the same, read when it had ended."""

    @property
    def median_s(self) -> float:
        """Half of the meetings had their notes within so long."""
        return statistics.median(one.after_s for one in self.meetings)

    @property
    def p95_s(self) -> float:
        """Nineteen in twenty had them within so long (nearest rank: of fewer than twenty, the slowest)."""
        ranked = sorted(one.after_s for one in self.meetings)
        return ranked[-(-95 * len(ranked) // 100) - 1]

    @property
    def ratio(self) -> float:
        """How many times sooner the notes come."""
        return self.afterwards.after_s / self.median_s

    @property
    def is_within_target(self) -> bool:
        """Whether the notes are there in time."""
        return self.median_s <= TARGET_MEDIAN_S and self.p95_s <= TARGET_P95_S


def describe(figures: LiveFigures) -> dict[str, Any]:
    """Return the figures and the targets for JSON."""
    return dataclasses.asdict(figures) | {
        "median_s": round(figures.median_s, 2),
        "p95_s": round(figures.p95_s, 2),
        "ratio": round(figures.ratio, 2),
        "target_median_s": TARGET_MEDIAN_S,
        "target_p95_s": TARGET_P95_S,
        "is_within_target": figures.is_within_target,
    }


def run(minutes: float, meetings: int = 3, model: str = "tiny.en") -> LiveFigures:
    """Hold *meetings* of *minutes*, end each, and time what follows; then one that was not read ahead.

    Raises ServiceMissing without redis-server, flite or ffmpeg, ModelLoadError without the model, and StandupError
    when notes do not come.
    """
    return asyncio.run(_run(minutes, meetings, model))


async def _run(minutes: float, meetings: int, model: str) -> LiveFigures:
    # The path of a Unix socket has room for about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="standup-") as scratch:
        folder = Path(scratch)
        said = script(await asyncio.to_thread(rehearse, folder, min(minutes, REHEARSED_MINUTES)))
        async with LoopbackDiscord(folder / "discord") as discord:
            settings = settings_for(discord, folder, folder, whisper_model=model, language="en")
            broker = app.connection_for_write(settings.broker_url)
            with running(settings, discord, lambda _: None, PROGRAMS), broker:
                stage = _Stage(settings, discord, broker, said, minutes)
                await stage.hold(0, is_live=True)  # the first loads models and code
                held = [await stage.hold(number, is_live=True) for number in range(1, meetings + 1)]
                return LiveFigures(minutes, tuple(held), await stage.hold(meetings + 1, is_live=False))


class _Stage:
    """Where meetings are held, one at a time."""

    def __init__(
        self,
        settings: Settings,
        discord: LoopbackDiscord,
        broker: Connection,
        said: Script,
        minutes: float,
    ) -> None:
        self._settings, self._discord, self._broker = settings, discord, broker
        self._said, self._minutes = said, minutes
        self._published = threading.Semaphore(0)

    async def hold(self, number: int, *, is_live: bool) -> Held:
        """Hold a meeting on another day than all before, and wait for its notes."""
        begun = _START + timedelta(days=number)
        meeting = Meeting(
            meeting_id(begun, f"{number:08}"),
            str(self._discord.guild_id),
            str(self._discord.voice_channel_id),
            str(self._discord.text_channel_id),
            begun,
        )
        settings = self._settings.model_copy(update={"live": is_live})
        dispatcher = Dispatcher(settings, partial(publish, connection=self._broker), self._follow)
        dispatcher.start()
        archive = Archive.of(settings)
        try:
            return await self._timed(meeting, dispatcher, archive, is_live)
        finally:
            dispatcher.stop(STOP_S)
            archive.close()

    async def _timed(self, meeting: Meeting, dispatcher: Dispatcher, archive: Archive, is_live: bool) -> Held:
        before = self._posted()
        ahead_s = await asyncio.to_thread(self._speak, meeting, dispatcher, is_live)
        read_ahead = len(archive.transcript(meeting.id).utterances)
        ended_at = meeting.started_at + timedelta(minutes=self._minutes)
        ended = dataclasses.replace(meeting, ended_at=ended_at, state=MeetingState.PROCESSING)
        began_s = time.perf_counter()
        self._write(ended)
        dispatcher.wake()
        await self._discord.wait_until(lambda: self._posted() > before, NOTES_S, "the notes")
        after_s = time.perf_counter() - began_s
        spoken = archive.transcript(meeting.id).spoken
        words = sum(len(one.text.split()) for one in spoken)
        return Held(len(spoken), words, read_ahead, ahead_s, after_s)

    def _speak(self, meeting: Meeting, dispatcher: Dispatcher, is_live: bool) -> float:
        """Write the journal, waiting at each closed segment until it has been read; return how long that took."""
        self._write(meeting)
        dispatcher.wake()
        took_s = 0.0

        def on_segment() -> None:
            nonlocal took_s
            if is_live:
                began_s = time.perf_counter()
                self._read_ahead(dispatcher)
                took_s += time.perf_counter() - began_s

        journal = manifest.meeting_folder(self._settings.data_dir, meeting.id) / "journal"
        start_ns = int(meeting.started_at.timestamp()) * 1_000_000_000
        hold(self._said, self._minutes, journal, start_ns, on_segment)
        return took_s

    def _read_ahead(self, dispatcher: Dispatcher) -> None:
        dispatcher.wake()
        if not self._published.acquire(timeout=LIMIT_S):
            raise StandupError("The dispatcher has nothing read ahead; run `standup doctor` and try again.")
        path = self._settings.broker_url.removeprefix("redis+socket://").partition("?")[0]
        with Redis(unix_socket_path=path) as broker:
            until(lambda: not _is_busy(broker), time.monotonic(), "a segment has not been read")

    def _follow(self, meeting_id: str) -> None:
        publish_follow(meeting_id, self._broker)
        self._published.release()

    def _write(self, meeting: Meeting) -> None:
        people = tuple(Participant(str(user), f"Voice {user}") for user in self._said.users)
        manifest.write(self._settings.data_dir, Manifest(meeting, people))

    def _posted(self) -> int:
        return sum(map(has_notes, self._discord.messages(self._discord.text_channel_id)))


def _is_busy(broker: Redis) -> bool:
    """Return whether a task waits, or has been fetched and not acknowledged."""
    prefix = app.conf.broker_transport_options["global_keyprefix"]
    waiting = sum(broker.llen(prefix + queue) for queue in (FOLLOW_QUEUE, SKIM_QUEUE))
    return bool(waiting) or bool(broker.hlen(prefix + "unacked"))
