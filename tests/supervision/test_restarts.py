"""`supervisorctl restart` in the middle of things, with every program under the real configuration."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sqlite3
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from standup.archive import Claim, Manifest
from standup.archive import manifest as manifests
from standup.archive.manifest import meeting_folder
from standup.bench.rehearsal import encode
from standup.capture.journal import Journal, StoredRecord, read
from standup.meeting import Meeting, MeetingState, PacketCounts, Participant, Track, meeting_id
from standup.pipeline import Stage, StageState, StageStatus
from standup.settings import WhisperSettings
from standup.simulator.participant import Participant as Person
from standup.simulator.server import Message
from standup.simulator.speech import synthesize
from standup.transcribe import SAMPLE_RATE_HZ
from standup.transcribe.models import resolve
from standup.transcribe.rounds import round_ms
from standup.transcribe.whisper import WhisperEngine
from standup.transcript import Outcome, Utterance, clock

from .conftest import Installation

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400), pytest.mark.usefixtures("unmeasured")]

WORDS = (
    "Yesterday I finished the login page and fixed two bugs in the payment service. Today I will write the tests "
    "for the new search and review the open pull requests, and then I will look at the build of the release, "
    "which was broken for most of the afternoon because a certificate had expired."
)
SPEAKER, NAME = "s1", "Ana"
MARK = "kept "
#: Put before what was stored; a second reading would take it away.
STORED_S = 120.0
DONE_S = 240.0
RECORDING_AGAIN_S = 10.0
NOTES_S = 120.0
SILENT_FRAME_BYTES = 3
NEAR_MS = 600
#: The gap begins and ends with what can be proved: a last packet, a first one, a join.
SILENCE_RMS, SPEECH_RMS = 0.001, 0.01
PCM_BYTES_PER_MS = 32


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Some twenty seconds of speech as 16-bit mono PCM at 16 kHz."""
    target = tmp_path_factory.mktemp("speech") / "words.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", WORDS, "-o", target], check=True, timeout=60)
    with wave.open(str(target)) as sound:
        assert sound.getframerate() == SAMPLE_RATE_HZ
        return sound.readframes(sound.getnframes())


@dataclass
class LongMeeting:
    """An imported meeting whose transcription takes several rounds."""

    installation: Installation
    id: str

    @property
    def row(self) -> StageStatus:
        rows = self.installation.archive.statuses(self.id)
        return next(one for one in rows if one.stage is Stage.TRANSCRIBE)

    def utterances(self, outcome: Outcome | None = None) -> list[Utterance]:
        found = self.installation.archive.transcript(self.id).utterances
        return [one for one in found if outcome in (None, one.outcome)]

    async def until_a_round_is_stored(self) -> None:
        await self.installation.until(
            lambda: len(self.utterances(Outcome.TEXT)) > 0, STORED_S, "the first stored round"
        )
        assert self.row.state is StageState.RUNNING

    async def until_done(self) -> None:
        meeting = self.installation.archive.meeting
        await self.installation.until(
            lambda: meeting(self.id).state is MeetingState.DONE, DONE_S, "the end of the chain"
        )

    def mark_what_is_stored(self) -> set[str]:
        """Mark every stored reading; return their utterances."""
        with self._rows() as rows:
            found = rows.execute(
                "UPDATE utterances SET text = ? || text WHERE meeting_id = ? AND outcome = 'text' RETURNING id",
                (MARK, self.id),
            ).fetchall()
        return {one for (one,) in found}

    def marked(self) -> set[str]:
        return {one.id for one in self.utterances(Outcome.TEXT) if one.text.startswith(MARK)}

    def let_the_lease_run_out(self) -> None:
        """Stand in for the minutes that a dead worker's lease and the republishing take."""
        with self._rows() as rows:
            rows.execute(
                "UPDATE stages SET lease_until_ms = 0, enqueued_at_ms = NULL WHERE meeting_id = ? AND stage = ?",
                (self.id, Stage.TRANSCRIBE.value),
            )

    @contextmanager
    def _rows(self) -> Iterator[sqlite3.Connection]:
        path = self.installation.data_dir / "standup.sqlite3"
        with closing(sqlite3.connect(path, timeout=10)) as connection, connection:
            yield connection


def longest_round_ms() -> int:
    """Return how much speech the worker reads between two times of storing."""
    return round_ms(WhisperEngine(resolve(WhisperSettings(model="tiny.en", device="cpu", language="en"))))


def bring_in(installation: Installation, speech: bytes, *, rounds: int) -> LongMeeting:
    """Store a meeting in which one sentence is said again and again, as `standup import` would."""
    times = rounds * longest_round_ms() // (len(speech) // PCM_BYTES_PER_MS) + 1
    spoken_ms = len(speech) // PCM_BYTES_PER_MS
    now = datetime.now(timezone.utc)
    meeting = Meeting(meeting_id(now, secrets.token_hex(4)), "", "", "", now, now, MeetingState.PROCESSING)
    folder = installation.data_dir.parent / "imported"
    (folder / "tracks").mkdir(parents=True)
    encode(speech * times, folder / "tracks" / f"{SPEAKER}.ogg")
    archive = installation.archive
    archive.audio.keep(meeting.id, folder)
    archive.adopt(Manifest(meeting, (Participant(SPEAKER, NAME),)))
    claim = archive.claim(meeting.id, Stage.CAPTURE, round(now.timestamp() * 1000))
    assert isinstance(claim, Claim)
    whole_ms = times * spoken_ms
    track = Track(SPEAKER, f"tracks/{SPEAKER}.ogg", whole_ms, whole_ms, PacketCounts())
    utterances = [
        Utterance(f"u{number:04}", SPEAKER, number * spoken_ms, (number + 1) * spoken_ms)
        for number in range(times)
    ]
    archive.store_capture(claim, [track], utterances, round(now.timestamp() * 1000))
    return LongMeeting(installation, meeting.id)


async def test_a_restarted_transcription_reads_nothing_twice(
    installation: Installation, speech: bytes
) -> None:
    """The worker ends after the round in hand, gives the stage back without a strike, and its successor reads the
    rest: every utterance has its words, and nothing that was stored is read again."""
    # One is stored, one is in hand, one is left to the successor.
    meeting = await asyncio.to_thread(bring_in, installation, speech, rounds=3)
    await meeting.until_a_round_is_stored()
    kept = meeting.mark_what_is_stored()

    await installation.restart("worker-gpu")
    await meeting.until_done()

    assert installation.ends("worker-gpu") == [0]
    assert {one.outcome for one in meeting.utterances()} == {Outcome.TEXT}
    assert meeting.marked() == kept
    assert (meeting.row.attempts, meeting.row.strikes, meeting.row.error) == (2, 0, "")
    assert installation.archive.model_label(meeting.id) == "tiny.en"
    told = installation.log("worker-gpu.out")
    assert told.count("Stage transcribe is handed back") == 1
    assert told.count("Stage transcribe done") == 1


async def test_a_killed_transcription_repeats_one_round(installation: Installation, speech: bytes) -> None:
    """After `kill -9` the rounds that were stored are not read again."""
    # One is stored, one is in hand.
    meeting = await asyncio.to_thread(bring_in, installation, speech, rounds=2)
    await meeting.until_a_round_is_stored()
    kept = meeting.mark_what_is_stored()
    os.kill(child_of(installation.daemon.process("worker-gpu").pid), signal.SIGKILL)
    await installation.until(lambda: installation.ends("worker-gpu") == [137], 20, "the death")

    meeting.let_the_lease_run_out()
    await meeting.until_done()

    assert {one.outcome for one in meeting.utterances()} == {Outcome.TEXT}
    assert meeting.marked() == kept
    assert (meeting.row.attempts, meeting.row.strikes) == (2, 1)


def child_of(pid: int) -> int:
    """Return the one child of a process."""
    (child,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return child


@dataclass
class Standup:
    """A meeting that is being recorded, with one person who talks."""

    installation: Installation
    ana: Person

    @property
    def manifest(self) -> manifests.Manifest:
        data_dir = self.installation.data_dir
        (only,) = manifests.scan(data_dir)
        return manifests.read(data_dir, only)

    def heard(self) -> list[StoredRecord]:
        """Return what the journal holds, silence left out."""
        folder = meeting_folder(self.installation.data_dir, self.manifest.meeting.id) / "journal"
        return _audible(read(folder))

    def runs(self) -> int:
        """Return in how many runs of the recorder something was heard."""
        folder = meeting_folder(self.installation.data_dir, self.manifest.meeting.id) / "journal"
        journal = read(folder)
        return len({journal.segments[one.segment][1].run for one in _audible(journal)})

    def silence_ns(self) -> tuple[int, int]:
        """Return when the last packet before the longest silence arrived, and the first after it (wall clock)."""
        arrivals_ns = [one.record.wall_ns for one in self.heard()]
        return max(pairwise(arrivals_ns), key=lambda pair: pair[1] - pair[0])

    def at_ms(self, wall_ns: int) -> int:
        """Return a moment on the meeting clock."""
        return round(wall_ns / 1e6 - self.manifest.meeting.started_at.timestamp() * 1000)

    def now_ms(self) -> int:
        """Return the present on the meeting clock."""
        return self.at_ms(time.time_ns())

    def track(self) -> Path:
        """Return Ana's track."""
        folder = meeting_folder(self.installation.data_dir, self.manifest.meeting.id)
        return folder / "tracks" / f"{self.ana.user_id}.ogg"


def _audible(journal: Journal) -> list[StoredRecord]:
    return [one for one in journal.records() if len(one.record.payload) > SILENT_FRAME_BYTES]


async def begin(installation: Installation) -> Standup:
    discord = installation.discord
    ana = await discord.enter(NAME)
    await ana.join_voice()
    await discord.invoke(ana, "standup", "start")
    await discord.wait_for_bot_voice(30)
    return Standup(installation, ana)


async def talk(ana: Person, frames: list[bytes]) -> None:
    """Talk until cancelled."""
    while True:
        await ana.speak(frames)


@pytest.mark.alone
async def test_a_restarted_recorder_goes_on_with_the_meeting(installation: Installation) -> None:
    """Within ten seconds of the command the same meeting is recorded again; the gap is told in manifest and notes and
    is silence in the track, and what is said after it stands at its own time."""
    discord = installation.discord
    chatter, last = synthesize("I am still talking about it.", "slt"), synthesize(WORDS, "slt")
    standup = await begin(installation)
    before = standup.manifest
    talking = asyncio.create_task(talk(standup.ana, chatter))
    await installation.until(lambda: len(standup.heard()) > 50, 20, "the first words")

    commanded_ns = time.time_ns()
    restarting = asyncio.create_task(installation.restart("recorder"))
    await installation.until(
        lambda: len(standup.manifest.meeting.gaps) == 1 and standup.runs() == 2, 60, "words after the restart"
    )
    await restarting
    talking.cancel()
    last_ns, again_ns = standup.silence_ns()
    assert again_ns - commanded_ns < RECORDING_AGAIN_S * 1e9

    await asyncio.sleep(1)  # a pause between two sentences
    said_ms = standup.now_ms()
    await standup.ana.speak(last)
    await discord.invoke(standup.ana, "standup", "stop")
    notes = await discord.wait_for_message(discord.text_channel_id, has_summary, NOTES_S)

    (gap,) = standup.manifest.meeting.gaps
    assert standup.manifest.meeting.id == before.meeting.id
    assert [one.id for one in discord.messages(discord.text_channel_id)] == [int(before.message_id)]
    assert f"Not heard: {clock(gap.from_ms)} to {clock(gap.until_ms)}" in str(notes.embeds)
    unheard_ms = (standup.at_ms(last_ns), standup.at_ms(again_ns))
    assert gap.from_ms >= unheard_ms[0] - NEAR_MS
    assert gap.until_ms <= unheard_ms[1] + NEAR_MS
    track = standup.track()
    assert loudest(track, unheard_ms[0] + NEAR_MS, unheard_ms[1] - NEAR_MS) < SILENCE_RMS
    assert loudest(track, unheard_ms[0] - 5_000, unheard_ms[0]) > SPEECH_RMS
    spoken = installation.archive.transcript(before.meeting.id).spoken
    afterwards = [one for one in spoken if one.start_ms > said_ms - NEAR_MS]
    assert afterwards[0].start_ms == pytest.approx(said_ms, abs=NEAR_MS)
    assert "login page" in " ".join(one.text for one in afterwards)
    assert not any(
        one.end_ms > unheard_ms[0] + NEAR_MS and one.start_ms < unheard_ms[1] - NEAR_MS for one in spoken
    )


async def test_a_restarted_monitor_touches_no_recording(installation: Installation) -> None:
    """While the monitor restarts, the recording goes on without a gap."""
    standup = await begin(installation)
    words = synthesize(WORDS, "slt")
    speaking = asyncio.create_task(standup.ana.speak(words))
    await installation.until(lambda: len(standup.heard()) > 50, 20, "the first words")

    await installation.restart("monitor")
    sent = await speaking
    await installation.discord.invoke(standup.ana, "standup", "stop")
    await installation.until(lambda: standup.manifest.meeting.ended_at is not None, 20, "the end")

    assert installation.ends("monitor") == [0]
    assert installation.ends("recorder") == []
    assert standup.manifest.meeting.gaps == ()
    assert len(standup.heard()) == sent == len(words)


def has_summary(message: Message) -> bool:
    """Return whether the notes are posted."""
    return any(file.filename == "summary.md" for file in message.attachments)


def loudest(track: Path, from_ms: int, until_ms: int) -> float:
    """Return the loudest frame of a stretch of a track, as RMS between 0 and 1; 0 where there is no frame."""
    with av.open(str(track)) as container:
        found = [
            float(np.sqrt(np.mean(np.square(frame.to_ndarray().astype(np.float64)))))
            for frame in container.decode(audio=0)
            if frame.time is not None and from_ms <= frame.time * 1000 < until_ms
        ]
    return max(found, default=0.0)
