"""People in one room, recorded by microphone: a meeting like any other.

The sound goes as Opus packets into the same packet journal as Discord's, one user number per microphone, with the
same manifest beside it; from there on the stages know no difference. There is no text channel, so the notes stay
in the archive, as with an import.

Until it has ended it is a `standup.draft`, which survives a killed recorder.
"""

from __future__ import annotations

import logging
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from standup.archive import Archive
from standup.archive.manifest import Manifest
from standup.bot.gaps import GapLog
from standup.bot.meeting_clock import MeetingClock
from standup.bot.shelf import JOURNAL
from standup.capture.devices import MicrophoneLost
from standup.capture.microphone import TRIES, Frame, Microphones, Patience
from standup.capture.segments import DISK_FULL, Clock
from standup.capture.voice import Voice
from standup.capture.writer import JournalState, JournalWriter
from standup.dispatcher import adopt
from standup.draft import Draft
from standup.errors import AudioCaptureError, DiskFull
from standup.meeting import Meeting, Participant

FULL_SCALE = 32_768
TELL_MS = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a recording is doing at one moment."""

    elapsed_ms: int
    peaks: tuple[float, ...]
    """Loudest sample since the last reading, 0 to 1, by microphone."""
    is_deaf: bool
    """The microphones are lost, and are being opened again."""
    overflows: int
    """How often sound was lost because this machine was too busy."""
    is_kept: bool
    """The disk takes what is recorded."""


Tell = Callable[[Reading], None]
"""Told how it goes, about ten times a second; must return soon."""


class Recording:
    """One meeting recorded by microphones: `run`, which returns when it has ended. Owner: one thread."""

    def __init__(
        self,
        data_dir: Path,
        meeting: Meeting,
        people: Sequence[str],
        microphones: Microphones,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Begin the meeting on disk; *people* are the names behind *microphones*, which are open, in their order.

        Raises OSError or AudioCaptureError when the disk refuses, ServiceMissing without libopus.
        """
        # Numbers from 1, for 0 stands in the journal for a speaker who was never named.
        participants = tuple(Participant(str(number), name) for number, name in enumerate(people, 1))
        self._voices = [Voice(number) for number in range(1, len(people) + 1)]
        microphones.drain()  # from before the meeting
        self._ticks = clock or Clock()
        self._clock = MeetingClock(meeting.started_at, self._ticks)
        self._microphones = microphones
        self._gaps = GapLog()
        self._patience = Patience()
        self._peaks = [0.0] * len(people)
        self._heard_ms = self._told_ms = 0
        self.manifest = Manifest(meeting, participants)
        self._draft = Draft.make(data_dir, self.manifest)
        start_ns = round(meeting.started_at.timestamp() * 1_000_000) * 1000
        self._journal = JournalWriter(self._draft.folder / JOURNAL, start_ns, clock=self._ticks)

    def run(self, stop: Event, limit_ms: int | None, tell: Tell) -> Meeting:
        """Record until *stop* or the limit, and return the ended meeting, which is on disk.

        Raises AudioCaptureError when the microphones are lost for good; the meeting has ended then too. Raises that
        or DiskFull when the disk refuses the end, which is left to `draft.rescue`.
        """
        try:
            while not stop.is_set() and (limit_ms is None or self._clock.elapsed_ms < limit_ms):
                try:
                    frame = self._microphones.read()
                except MicrophoneLost as problem:
                    self._recover(problem, stop, tell)
                    continue
                self._hear(frame)
                self._report(tell)
        finally:
            meeting = self._finish()
        return meeting

    def _hear(self, frame: Frame | None) -> None:
        if frame is None:
            return
        age_ms = (self._ticks.monotonic_ns() - frame.monotonic_ns) // 1_000_000
        self._heard_ms = self._clock.elapsed_ms - age_ms
        self._peaks[frame.microphone] = max(self._peaks[frame.microphone], peak(frame.pcm))
        record = self._voices[frame.microphone].hear(
            frame.pcm, opening=frame.opening, monotonic_ns=frame.monotonic_ns, wall_ns=frame.wall_ns
        )
        if record is not None:
            self._journal.append(record)

    def _recover(self, problem: MicrophoneLost, stop: Event, tell: Tell) -> None:
        """Open the microphones again, three times at most; what is missed is a gap. Raises AudioCaptureError."""
        for frame in self._microphones.drain():
            self._hear(frame)
        self._gaps.begin(self._heard_ms)
        self._patience.lost(time.monotonic())
        log.warning("%s Opening the microphones again.", problem)
        while not stop.is_set():
            if not self._patience.take():
                raise AudioCaptureError(
                    f"The microphones of meeting {self.manifest.meeting.id} were lost and did not come back in "
                    f"{TRIES} tries; what was recorded is kept. Check them with `standup record --list`, then record "
                    "the rest as another meeting."
                ) from problem
            tell(self._reading())
            if stop.wait(self._patience.pause_s):
                return
            try:
                self._microphones.reopen()
            except MicrophoneLost as still:
                log.warning("%s", still)
                continue
            self._patience.back(time.monotonic())
            self._end_gap()
            return

    def _end_gap(self) -> None:
        self._gaps.end(self._clock.elapsed_ms)
        self._keep_gaps()

    def _keep_gaps(self) -> None:
        try:
            self._draft.keep(gaps=tuple(self._gaps.closed))
        except OSError as cause:
            log.error("The manifest could not be stored (%s); the recording goes on.", cause.strerror)

    def _finish(self) -> Meeting:
        for frame in self._microphones.drain():  # said before the end, and not taken yet
            self._hear(frame)
        self._gaps.end(self._clock.elapsed_ms)
        ended_at = self._clock.now
        self._microphones.close()
        for voice in self._voices:
            record = voice.end()
            if record is not None:
                self._journal.append(record)
        health = self._journal.close()
        if health.dropped:
            log.error("The journal lacks %d packets that the disk did not take; free space.", health.dropped)
        try:
            self._draft.keep(gaps=tuple(self._gaps.closed))
            return self._draft.finish(ended_at)
        except OSError as cause:
            self._draft.close()
            error = DiskFull if cause.errno in DISK_FULL else AudioCaptureError
            name = self.manifest.meeting.id
            raise error(
                f"Meeting {name} could not be ended on the disk ({cause.strerror}); what was recorded is kept. Free "
                f"some space or check the disk, then run `standup retry {name}`."
            ) from cause

    def _report(self, tell: Tell) -> None:
        if self._clock.elapsed_ms - self._told_ms >= TELL_MS:
            self._told_ms = self._clock.elapsed_ms
            tell(self._reading())

    def _reading(self) -> Reading:
        peaks, self._peaks = tuple(self._peaks), [0.0] * len(self._peaks)
        health = self._journal.health
        return Reading(
            elapsed_ms=self._clock.elapsed_ms,
            peaks=peaks,
            is_deaf=self._gaps.since_ms is not None,
            overflows=self._microphones.overflows,
            is_kept=health.state is JournalState.WRITING and health.dropped == 0,
        )


def open_up(microphones: Microphones) -> None:
    """Open microphones for the first time; where that fails, with the same patience as later.

    Raises AudioCaptureError when they cannot be opened.
    """
    patience = Patience()
    try:
        microphones.open()
        return
    except MicrophoneLost as first:
        problem = first
    while patience.take():
        log.warning("%s Trying again.", problem)
        time.sleep(patience.pause_s)
        try:
            microphones.reopen()
            return
        except MicrophoneLost as still:
            problem = still
    raise AudioCaptureError(f"Nothing was recorded. {problem}") from problem


def hand_over(archive: Archive, data_dir: Path) -> None:
    """Take what has ended into the archive; raise ArchiveError when that must wait, nothing is lost by it."""
    archive.migrate()
    adopt(archive, data_dir, {}, set())


def peak(pcm: bytes) -> float:
    """Return the loudest sample of int16 sound, 0 to 1; 0 for none."""
    samples = array("h", pcm)
    return max(max(samples), -min(samples)) / FULL_SCALE if samples else 0.0
