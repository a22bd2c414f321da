"""One SSRC's packets put back into the order they were sent in.

Pure. Packets come in any order, twice, or not at all; sequence numbers and timestamps wrap. A sender that
starts over with other numbers on the same SSRC begins another `Stream`. So does a sender of whom nothing came for
long; what was lost between is known when sequence number, timestamp and clock all went on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from standup.capture.arrival import Arrival
from standup.capture.opus import SAMPLES_PER_MS
from standup.capture.rtp import unwrap

SEQUENCES = 1 << 16
TOLERANCE_SAMPLES = 1_000 * SAMPLES_PER_MS  # jitter at either end of a loss, and drift of the clocks over it
MAX_JUMP = 500  # sequence numbers (10 s); more is another stream, not loss or lateness


class Sent(NamedTuple):
    """A packet with its numbers unwrapped."""

    sequence: int
    timestamp: int
    delay: int
    """Arrival on the meeting clock minus timestamp, in samples: least for the least delayed packet."""
    arrival: Arrival


class Stream:
    """Packets of one SSRC whose numbers belong together, and what was noticed while sorting them in."""

    def __init__(self, first: Arrival) -> None:
        sent = _sent(first, first.sequence, first.timestamp)
        self.packets = {sent.sequence: sent}  # by unwrapped sequence number
        self.newest = sent.sequence
        self.undecryptable: set[int] = set()  # sequence numbers that came and could not be decrypted
        self.late = 0
        self.duplicated = 0
        self.lost_before = 0  # between the stream before, which went on in this one, and this

    def place_of(self, arrival: Arrival) -> Sent | None:
        """Return *arrival* with numbers that fit this stream, or None when it belongs to another."""
        sequence = unwrap(arrival.sequence, self.newest, 16)
        if abs(sequence - self.newest) > MAX_JUMP:
            return None
        sent = _sent(arrival, sequence, unwrap(arrival.timestamp, self.packets[self.newest].timestamp, 32))
        known = self.packets.get(sequence)
        return sent if known is None or known.timestamp == sent.timestamp else None

    def add(self, sent: Sent) -> None:
        """Sort in a packet that `place_of` accepted."""
        if sent.sequence in self.packets:
            self.duplicated += 1
            return
        if sent.sequence > self.newest:
            self.newest = sent.sequence
        else:
            self.late += 1
        self.packets[sent.sequence] = sent
        self.undecryptable.discard(sent.sequence)

    def add_undecryptable(self, sequence: int) -> None:
        """Note an unreadable packet. A copy of a packet already here counts as such: DAVE refuses replays."""
        if sequence in self.packets or sequence in self.undecryptable:
            self.duplicated += 1
        else:
            self.undecryptable.add(sequence)

    @property
    def lost(self) -> int:
        """How many sequence numbers never came, up to the last; silence takes no numbers."""
        oldest = self.oldest
        unreadable = sum(oldest < sequence < self.newest for sequence in self.undecryptable)
        return self.lost_before + self.newest - oldest + 1 - len(self.packets) - unreadable

    @property
    def oldest(self) -> int:
        """The least unwrapped sequence number."""
        return min(self.packets)

    def in_order(self) -> list[Sent]:
        """Return the packets by sequence number."""
        return [self.packets[sequence] for sequence in sorted(self.packets)]


def sort_streams(arrivals: Iterable[Arrival]) -> tuple[list[Stream], int]:
    """Sort one user's packets, of any SSRCs, into streams; arrivals come in order of time.

    Returns the streams in order of their first packet, and how many undecryptable packets fit none.
    """
    streams: list[Stream] = []
    recent: dict[int, list[Stream]] = {}  # by SSRC, newest first
    stray: list[Arrival] = []
    for arrival in arrivals:
        candidates = recent.get(arrival.ssrc, [])
        sent = None
        for stream in candidates:
            sent = stream.place_of(arrival)
            if sent is not None:
                break
        if sent is None:
            if arrival.samples == 0:
                stray.append(arrival)
            else:
                streams.append(Stream(arrival))
                recent[arrival.ssrc] = [
                    streams[-1],
                    *candidates[:1],
                ]  # the one before may still get stragglers
        elif arrival.samples == 0:
            stream.add_undecryptable(sent.sequence)
        else:
            stream.add(sent)
    _count_long_losses(streams, stray)
    return streams, len(stray)


def _count_long_losses(streams: list[Stream], stray: list[Arrival]) -> None:
    """Note for each stream what was lost since the stream of its SSRC before it; *stray* came and was unreadable."""
    unreadable: dict[int, set[int]] = {}
    for one in stray:
        unreadable.setdefault(one.ssrc, set()).add(one.sequence)
    before: dict[int, Stream] = {}
    for stream in streams:
        ssrc = stream.packets[stream.newest].arrival.ssrc
        if ssrc in before:
            stream.lost_before = _lost_between(before[ssrc], stream, unreadable.get(ssrc, set()))
        before[ssrc] = stream


def _lost_between(before: Stream, after: Stream, stray: set[int]) -> int:
    last, first = before.packets[before.newest], after.packets[after.oldest]
    passed = _sent_between(last, first)
    if passed == 0:
        return 0
    sequences = stray | {one & 0xFFFF for one in before.undecryptable | after.undecryptable}
    unreadable = sum(0 < (one - last.sequence) % SEQUENCES < passed for one in sequences)
    return max(0, passed - 1 - unreadable)


def _sent_between(last: Sent, first: Sent) -> int:
    """Return by how many numbers *first* was sent behind *last*; 0 when it does not go on where *last* was.

    It does when the timestamp went on at least as far as the packets last, and no further than the clock: it may
    stand still over a pause or go on. Whole turns of the sequence number are counted when no pause explains them.
    """
    passed = unwrap(first.arrival.timestamp, last.timestamp, 32) - last.timestamp
    arrived = (first.arrival.arrival_ns - last.arrival.arrival_ns) * 6 // 125_000
    packets = (first.arrival.sequence - last.sequence) % SEQUENCES
    rest = passed - packets * last.arrival.samples
    if rest < -TOLERANCE_SAMPLES or passed > arrived + TOLERANCE_SAMPLES:
        return 0
    turns = round(rest / (SEQUENCES * last.arrival.samples))
    is_talk = abs(rest - turns * SEQUENCES * last.arrival.samples) <= TOLERANCE_SAMPLES
    return packets + turns * SEQUENCES if is_talk else packets


def _sent(arrival: Arrival, sequence: int, timestamp: int) -> Sent:
    return Sent(sequence, timestamp, arrival.arrival_ns * 6 // 125_000 - timestamp, arrival)
