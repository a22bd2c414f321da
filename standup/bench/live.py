"""Measure how long the notes of a meeting take once it has ended, with its speech read while it ran.

The meeting's packets are those of the transcription benchmark's tracks, written to a real journal on a clock that
does not wait; after each closed segment the task's own work is done. Then the meeting ends, and the stages up to the
summary run one after the other. Left out are the queues' hops and Discord's answer, a few tenths of a second.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path

from standup import dispatcher, work
from standup.archive import Archive, Claim, Manifest, manifest
from standup.bench.rehearsal import Rehearsal, rehearse
from standup.capture import ogg
from standup.capture.opus import SAMPLES_PER_MS
from standup.capture.record import JournalRecord, serialize
from standup.capture.segments import Clock, SegmentedLog
from standup.following import Following
from standup.meeting import Meeting, MeetingState, Participant, meeting_id
from standup.pipeline import Stage
from standup.settings import Settings, load

REHEARSED_MINUTES = 10.0
"""How much different speech there is; a longer meeting says it again."""
TARGET_S = 5.0
STAGES = (Stage.CAPTURE, Stage.TRANSCRIBE, Stage.SUMMARIZE)
_START = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)
_START_NS = int(_START.timestamp()) * 1_000_000_000


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """What was left to do when a meeting ended."""

    minutes: float
    utterances: int
    words: int
    read_ahead: int
    """Utterances that had been read when the meeting ended."""
    ahead_s: float
    """What reading ahead took, all segments together."""
    stages_s: dict[str, float]
    """What each stage took after the end."""

    @property
    def after_s(self) -> float:
        """From the end of the meeting to the finished summary."""
        return sum(self.stages_s.values())

    @property
    def is_within_target(self) -> bool:
        """Whether the notes are there in time."""
        return self.after_s <= TARGET_S


def run(minutes: float, model: str = "tiny.en") -> LiveFigures:
    """Hold a meeting of *minutes* on a clock that does not wait, end it, and time what follows.

    Raises ServiceMissing without flite or ffmpeg, and ModelLoadError without the model.
    """
    with tempfile.TemporaryDirectory(prefix="standup-bench-") as name:
        folder = Path(name)
        settings = load(None, whisper_model=model, language="en", data_dir=folder)
        archive = Archive.of(settings)
        archive.migrate()
        try:
            return _run(minutes, rehearse(folder, min(minutes, REHEARSED_MINUTES)), archive, settings)
        finally:
            archive.close()


def _run(minutes: float, rehearsal: Rehearsal, archive: Archive, settings: Settings) -> LiveFigures:
    meeting = Meeting(meeting_id(_START, "00000001"), "1", "2", "", _START, None, MeetingState.RECORDING)
    people = tuple(Participant(str(user), voice) for user, voice in enumerate(sorted(rehearsal.tracks), 1))
    archive.adopt(Manifest(meeting, people))
    manifest.write(settings.data_dir, Manifest(meeting, people))
    ahead_s = _hold(minutes, rehearsal, meeting, archive, settings)
    early = len(archive.transcript(meeting.id).utterances)
    ended = dataclasses.replace(
        meeting, ended_at=_START + timedelta(minutes=minutes), state=MeetingState.PROCESSING
    )
    manifest.write(settings.data_dir, Manifest(ended, people))
    dispatcher.adopt(archive, settings.data_dir, {}, set())
    stages_s = {stage.value: _timed(stage, meeting.id, archive, settings) for stage in STAGES}
    spoken = archive.transcript(meeting.id).spoken
    words = sum(len(one.text.split()) for one in spoken)
    return LiveFigures(minutes, len(spoken), words, early, ahead_s, stages_s)


def _timed(stage: Stage, meeting: str, archive: Archive, settings: Settings) -> float:
    began_s = time.perf_counter()
    claim = archive.claim(meeting, stage, work.now_ms())
    assert isinstance(claim, Claim), "nobody else works on this archive"
    {Stage.CAPTURE: work.capture, Stage.TRANSCRIBE: work.transcribe, Stage.SUMMARIZE: work.summarize}[stage](
        archive, settings, claim
    )
    return time.perf_counter() - began_s


def _hold(
    minutes: float, rehearsal: Rehearsal, meeting: Meeting, archive: Archive, settings: Settings
) -> float:
    """Write the journal, following it as the recorder's dispatcher does; return what that took."""
    due: list[str] = []
    following = Following(settings.data_dir, due.append)
    now_ns, took_s, next_look_ns = 0, 0.0, 0
    journal = manifest.meeting_folder(settings.data_dir, meeting.id) / "journal"
    log = SegmentedLog(journal, _START_NS, clock=Clock(lambda: _START_NS + now_ns, lambda: now_ns))
    for record in _records(minutes, rehearsal):
        now_ns = record.monotonic_ns
        log.write(serialize(record))
        if now_ns < next_look_ns:
            continue
        next_look_ns = now_ns + 1_000_000_000
        log.sync()
        following.round([meeting.id])
        while due:
            began_s = time.perf_counter()
            work.follow(archive, settings, due.pop())
            took_s += time.perf_counter() - began_s
    log.end_segment()
    return took_s


def _records(minutes: float, rehearsal: Rehearsal) -> Iterator[JournalRecord]:
    """Yield the packets in which somebody speaks, in order, said again until the meeting is over."""
    said = sorted(
        (sample, user, payload)
        for user, voice in enumerate(sorted(rehearsal.tracks), 1)
        for sample, payload in _spoken(rehearsal, voice)
    )
    length = int(REHEARSED_MINUTES * 60_000) * SAMPLES_PER_MS
    numbers = {user: count() for user in range(1, len(rehearsal.tracks) + 1)}
    for turn in count():
        for sample, user, payload in said:
            at_ns = (turn * length + sample) * 1_000_000 // SAMPLES_PER_MS
            if at_ns >= minutes * 60e9:
                return
            stamp = (turn * length + sample) & 0xFFFFFFFF
            number = next(numbers[user]) & 0xFFFF
            yield JournalRecord(user, 1000 + user, number, stamp, at_ns, _START_NS + at_ns, 0, payload)


def _spoken(rehearsal: Rehearsal, voice: str) -> Iterator[tuple[int, bytes]]:
    """Yield the packets of a voice within its utterances: Discord sends nothing in between."""
    edges = [(one.start_ms, one.end_ms) for one in rehearsal.utterances if one.speaker == voice]
    spans = iter(sorted(edges))
    begin, end = next(spans, (0, 0))
    for packet in ogg.parse(rehearsal.tracks[voice].read_bytes()):
        at_ms = packet.start_samples // SAMPLES_PER_MS
        while at_ms >= end:
            begin, end = next(spans, (0, 0))
            if end == 0:
                return
        if at_ms >= begin:
            yield packet.start_samples, packet.payload
