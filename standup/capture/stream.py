"""One SSRC's packets put back into the order they were sent in.

Pure. Packets come in any order, twice, or not at all; sequence numbers and timestamps wrap. A sender that
starts over with other numbers on the same SSRC begins another `Stream`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from standup.capture.arrival import Arrival
from standup.capture.rtp import unwrap

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
        """How many sequence numbers between the first and the last never came; silence takes no numbers."""
        oldest = min(self.packets)
        unreadable = sum(oldest < sequence < self.newest for sequence in self.undecryptable)
        return self.newest - oldest + 1 - len(self.packets) - unreadable

    def in_order(self) -> list[Sent]:
        """Return the packets by sequence number."""
        return [self.packets[sequence] for sequence in sorted(self.packets)]


def sort_streams(arrivals: Iterable[Arrival]) -> tuple[list[Stream], int]:
    """Sort one user's packets, of any SSRCs, into streams; arrivals come in order of time.

    Returns the streams in order of their first packet, and how many undecryptable packets fit none.
    """
    streams: list[Stream] = []
    recent: dict[int, list[Stream]] = {}  # by SSRC, newest first
    stray = 0
    for arrival in arrivals:
        candidates = recent.get(arrival.ssrc, [])
        fitting = ((stream, stream.place_of(arrival)) for stream in candidates)
        stream, sent = next(((one, place) for one, place in fitting if place is not None), (None, None))
        if stream is None or sent is None:
            if arrival.samples == 0:
                stray += 1
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
    return streams, stray


def _sent(arrival: Arrival, sequence: int, timestamp: int) -> Sent:
    return Sent(sequence, timestamp, arrival.arrival_ns * 6 // 125_000 - timestamp, arrival)
