"""One speaker's packets on the meeting clock.

Pure. Within a talk spurt the RTP timestamp is trusted; between spurts, where the timestamp may or may not
have gone on, the arrival. A spurt starts where its least delayed packet says: the smallest arrival minus
timestamp of all its packets is the one with the least waiting in the network.

A spurt ends where the timestamp leaps or stands still, where packets come over 200 ms later than the spurt's
best (30 ms after silence frames, which mean a pause), and after 60 s, so that the sender's clock cannot drift
away from ours. When the anchors of two neighbouring spurts agree within 30 ms with the RTP time between them,
RTP is kept: nobody's speech is cut for a millisecond of jitter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from standup.capture.arrival import Arrival
from standup.capture.opus import FRAME_SAMPLES, SAMPLES_PER_MS
from standup.capture.stream import Sent, Stream, sort_streams
from standup.meeting import PacketCounts
from standup.transcript import Utterance

LEAP_SAMPLES = 100 * SAMPLES_PER_MS  # timestamp against sequence number
DELAY_SAMPLES = 200 * SAMPLES_PER_MS  # arrival against the spurt's least delayed packet
LONGEST_SPURT_SAMPLES = 60_000 * SAMPLES_PER_MS
AGREEMENT_SAMPLES = 30 * SAMPLES_PER_MS
PAUSE_SAMPLES = 300 * SAMPLES_PER_MS  # a shorter pause does not end an utterance


class Placed(NamedTuple):
    """One packet at its place."""

    start_samples: int
    """48 kHz, on the meeting clock."""
    samples: int
    is_silence: bool
    segment: int
    """Where the payload lies in the journal."""
    position: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything of one speaker that was heard, in order and without overlap."""

    packets: tuple[Placed, ...]
    counts: PacketCounts

    @property
    def end_samples(self) -> int:
        """Where the last packet ends; 0 for none."""
        return self.packets[-1].start_samples + self.packets[-1].samples if self.packets else 0

    @property
    def speech_samples(self) -> int:
        """How long the packets with speech sound."""
        return sum(packet.samples for packet in self.packets if not packet.is_silence)

    def speech(self) -> Iterator[tuple[int, int]]:
        """Yield (start, end) in samples of each stretch of speech; shorter pauses than 300 ms are bridged."""
        start = end = -1
        for packet in self.packets:
            if packet.is_silence:
                continue
            if start >= 0 and packet.start_samples - end >= PAUSE_SAMPLES:
                yield start, end
                start = -1
            if start < 0:
                start = packet.start_samples
            end = packet.start_samples + packet.samples
        if start >= 0:
            yield start, end


@dataclass
class _Spurt:
    packets: list[Sent]
    anchor: int  # samples on the meeting clock
    previous: _Spurt | None  # in the same stream
    start: int = 0  # where it was put

    @property
    def timestamp(self) -> int:
        return self.packets[0].timestamp


def build(arrivals: Iterable[Arrival]) -> Timeline:
    """Place one speaker's packets, given in any order, on the meeting clock.

    Packets before the meeting's start are moved to it; copies are dropped; whatever would overlap what is
    before it is moved behind it.
    """
    streams, stray = sort_streams(sorted(arrivals, key=attrgetter("arrival_ns")))
    spurts = [spurt for stream in streams for spurt in _spurts(stream)]
    packets = tuple(_place(sorted(spurts, key=lambda one: one.anchor)))
    counts = PacketCounts(
        received=len(packets),
        lost=sum(stream.lost for stream in streams),
        late=sum(stream.late for stream in streams),
        duplicated=sum(stream.duplicated for stream in streams),
        undecryptable=stray + sum(len(stream.undecryptable) for stream in streams),
    )
    return Timeline(packets, counts)


def number_utterances(speech: Mapping[str, Iterable[tuple[int, int]]]) -> tuple[Utterance, ...]:
    """Return the utterances of all speakers, ``u0001`` on, sorted by start.

    *speech* is, by participant id, what `Timeline.speech` yields.
    """
    spans = sorted(
        (start // SAMPLES_PER_MS, -(-end // SAMPLES_PER_MS), speaker)
        for speaker, stretches in speech.items()
        for start, end in stretches
    )
    return tuple(
        Utterance(f"u{number:04}", speaker, start_ms, end_ms)
        for number, (start_ms, end_ms, speaker) in enumerate(spans, 1)
    )


def _spurts(stream: Stream) -> list[_Spurt]:
    spurts: list[_Spurt] = []
    for packets in _split(stream.in_order()):
        anchor = packets[0].timestamp + min(packet.delay for packet in packets)
        spurts.append(_Spurt(packets, anchor, spurts[-1] if spurts else None))
    for spurt in reversed(spurts):
        if spurt.previous is not None:
            spurt.previous.anchor = min(spurt.previous.anchor, _latest_anchor_before(spurt, spurt.previous))
    return spurts


def _latest_anchor_before(spurt: _Spurt, previous: _Spurt) -> int:
    """Return the latest that *previous* can have begun: what is sent first cannot be later by waiting longer."""
    if _leaps(previous.packets[-1], spurt.packets[0]):
        return spurt.anchor
    return spurt.anchor - (spurt.timestamp - previous.timestamp)


def _split(packets: list[Sent]) -> Iterator[list[Sent]]:
    spurt: list[Sent] = []
    least = 0
    for packet in packets:
        if spurt and _begins_spurt(spurt, least, packet):
            yield spurt
            spurt = []
        least = min(least, packet.delay) if spurt else packet.delay
        spurt.append(packet)
    if spurt:
        yield spurt


def _begins_spurt(spurt: list[Sent], least_delay: int, packet: Sent) -> bool:
    last = spurt[-1]
    has_paused = last.arrival.is_silence and not packet.arrival.is_silence
    return (
        _leaps(last, packet)
        or packet.delay - least_delay > (AGREEMENT_SAMPLES if has_paused else DELAY_SAMPLES)
        or packet.timestamp - spurt[0].timestamp >= LONGEST_SPURT_SAMPLES
    )


def _leaps(before: Sent, after: Sent) -> bool:
    passed = after.timestamp - before.timestamp
    expected = (after.sequence - before.sequence) * before.arrival.samples
    return passed <= 0 or abs(passed - expected) > LEAP_SAMPLES


def _place(spurts: list[_Spurt]) -> Iterator[Placed]:
    end = 0
    for spurt in spurts:
        spurt.start = max(_start(spurt), end)
        for sent in spurt.packets:
            begin = max(end, spurt.start + sent.timestamp - spurt.timestamp)
            arrival = sent.arrival
            yield Placed(begin, arrival.samples, arrival.is_silence, arrival.segment, arrival.position)
            end = begin + arrival.samples


def _start(spurt: _Spurt) -> int:
    before = spurt.previous
    if before is not None:
        follows = before.start + spurt.timestamp - before.timestamp
        if abs(follows - spurt.anchor) <= AGREEMENT_SAMPLES:
            return follows
    frames = (spurt.anchor + FRAME_SAMPLES // 2) // FRAME_SAMPLES
    return max(0, frames * FRAME_SAMPLES)
