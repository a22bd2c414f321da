"""What the timeline needs to know of a packet: everything but its sound.

Pure. `ArrivalLog` keeps one speaker's packets of a whole meeting in 31 bytes each; the payloads stay on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple


class Arrival(NamedTuple):
    """One packet of one speaker."""

    ssrc: int
    sequence: int
    """16 bit."""
    timestamp: int
    """32 bit, 48 kHz."""
    arrival_ns: int
    """On the meeting clock."""
    samples: int
    """How long the packet sounds, at 48 kHz; 0 when it could not be decrypted."""
    is_silence: bool
    """A comfort frame: it sounds, but nobody speaks."""
    segment: int = 0
    """Where the payload lies in the journal."""
    position: int = 0


_ROW = Struct("<IHIqI?II")


class ArrivalLog:
    """Arrivals of one speaker, packed, in the order they were added."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows = bytearray()

    def add(self, arrival: Arrival) -> None:
        """Append *arrival*."""
        self._rows += _ROW.pack(*arrival)

    def extend(self, later: ArrivalLog) -> None:
        """Append all of *later*."""
        self._rows += later._rows

    def __len__(self) -> int:
        return len(self._rows) // _ROW.size

    def __iter__(self) -> Iterator[Arrival]:
        return map(Arrival._make, _ROW.iter_unpack(self._rows))
