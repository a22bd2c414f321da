"""Meetings held on a clock that does not wait: their journals are written as a recorder writes them, but at once.

The packets are those of a rehearsal's tracks, said again until the meeting is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from standup.bench.rehearsal import Rehearsal
from standup.capture import ogg
from standup.capture.opus import SAMPLES_PER_MS
from standup.capture.record import JournalRecord, serialize
from standup.capture.segments import Clock, SegmentedLog, segments


@dataclass(frozen=True, slots=True)
class Script:
    """Who sends which packet when."""

    packets: tuple[tuple[int, int, bytes], ...]
    """Sample (48 kHz), user and Opus packet, in order; what Discord's clients would send, so nothing in pauses."""
    samples: int
    """After how long it is said again."""

    @property
    def users(self) -> tuple[int, ...]:
        """Everybody who speaks."""
        return tuple(sorted({user for _, user, _ in self.packets}))


def script(rehearsal: Rehearsal) -> Script:
    """Return what is sent in *rehearsal*; its voices become the users 1, 2, …"""
    packets = sorted(
        (sample, user, payload)
        for user, voice in enumerate(sorted(rehearsal.tracks), 1)
        for sample, payload in _spoken(rehearsal, voice)
    )
    end_ms = max(one.end_ms for one in rehearsal.utterances) + 1000
    return Script(tuple(packets), end_ms * SAMPLES_PER_MS)


def hold(said: Script, minutes: float, journal: Path, start_ns: int, on_segment: Callable[[], None]) -> None:
    """Write a meeting of *minutes* that began at *start_ns*; call *on_segment* whenever a segment has been closed."""
    now_ns = next_look_ns = closed = 0
    log = SegmentedLog(journal, start_ns, clock=Clock(lambda: start_ns + now_ns, lambda: now_ns))
    for record in _records(said, minutes, start_ns):
        now_ns = record.monotonic_ns
        log.write(serialize(record))
        if now_ns < next_look_ns:
            continue
        next_look_ns = now_ns + 1_000_000_000
        log.sync()
        present = len(segments(journal)) - 1
        if present > closed:
            closed = present
            on_segment()
    log.end_segment()


def _records(said: Script, minutes: float, start_ns: int) -> Iterator[JournalRecord]:
    numbers = {user: count() for user in said.users}
    for turn in count():
        for sample, user, payload in said.packets:
            place = turn * said.samples + sample
            at_ns = place * 1_000_000 // SAMPLES_PER_MS
            if at_ns >= minutes * 60e9:
                return
            number = next(numbers[user]) & 0xFFFF
            yield JournalRecord(
                user, 1000 + user, number, place & 0xFFFFFFFF, at_ns, start_ns + at_ns, 0, payload
            )


def _spoken(rehearsal: Rehearsal, voice: str) -> Iterator[tuple[int, bytes]]:
    """Yield the packets of a voice within its utterances."""
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
