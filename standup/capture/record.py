"""The packet journal's bytes: one header per segment file, then records.

Pure: values to bytes and back. All integers are little endian.

========== ======================================================================================
header     magic 8, version u16, run u32, meeting start wall ns i64, segment open wall ns i64,
           segment open monotonic ns i64, CRC-32 of all before u32
record     mark A5 5A, user u64, ssrc u32, sequence u16, RTP timestamp u32, arrival monotonic ns i64,
           arrival wall ns i64, flags u8, payload length u16, payload, CRC-32 of all before u32
========== ======================================================================================

The mark lets a reader find the next whole record behind a damaged one. *run* is the number of the first
segment that the same process wrote: monotonic times compare within a run only.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from struct import error as StructError
from typing import NamedTuple
from zlib import crc32

MAGIC = b"STANDUPJ"
VERSION = 1
MARK = b"\xa5\x5a"
UNKNOWN_SPEAKER = 0  # user: nobody's id; what came from people who were never named, always undecryptable
UNDECRYPTABLE = 1  # flag: the packet came, its content could not be had; the payload is empty
MAX_PAYLOAD_BYTES = 0xFFFF

_HEADER = Struct("<8sHIqqq")
_RECORD = Struct("<2sQIHIqqBH")
_FRAME = Struct("<2s35xH")  # of a record, only what `payload` needs
_CRC = Struct("<I")
HEADER_LENGTH = _HEADER.size + _CRC.size
SHORTEST_RECORD = _RECORD.size + _CRC.size


class JournalRecord(NamedTuple):
    """One packet of one user as it arrived: decrypted, or flagged undecryptable and empty."""

    user_id: int
    """Who sent it; UNKNOWN_SPEAKER when that was never found out."""
    ssrc: int
    sequence: int
    timestamp: int
    """RTP timestamp, 32 bit."""
    monotonic_ns: int
    """Arrival on the monotonic clock."""
    wall_ns: int
    """Arrival on the wall clock, since 1970."""
    flags: int
    """0 or UNDECRYPTABLE."""
    payload: bytes
    """The Opus packet; empty when undecryptable."""

    @property
    def is_undecryptable(self) -> bool:
        """Whether the packet came but could not be decrypted."""
        return bool(self.flags & UNDECRYPTABLE)


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What a segment says about its clocks."""

    run: int
    """Number of the first segment written by the same process."""
    meeting_start_wall_ns: int
    """Zero of the meeting clock."""
    open_wall_ns: int
    open_monotonic_ns: int


def serialize_header(header: SegmentHeader) -> bytes:
    """Return the bytes that open a segment file."""
    fixed = _HEADER.pack(
        MAGIC,
        VERSION,
        header.run,
        header.meeting_start_wall_ns,
        header.open_wall_ns,
        header.open_monotonic_ns,
    )
    return fixed + _CRC.pack(crc32(fixed))


def parse_header(data: bytes) -> SegmentHeader | None:
    """Read a segment's header; None when it is damaged or cut off.

    Raises ValueError when *data* is not the beginning of a segment, or of one in another version.
    """
    if not MAGIC.startswith(data[: len(MAGIC)]):
        raise ValueError("it does not begin like a packet journal")
    if len(data) < HEADER_LENGTH:
        return None
    _, version, run, start, wall, monotonic = _HEADER.unpack_from(data)
    (crc,) = _CRC.unpack_from(data, _HEADER.size)
    if crc != crc32(data[: _HEADER.size]):
        return None
    if version != VERSION:
        raise ValueError(f"it is a packet journal of version {version}, and this program reads {VERSION}")
    return SegmentHeader(run, start, wall, monotonic)


def serialize(record: JournalRecord) -> bytes:
    """Return the bytes of one record; raise ValueError for one with a payload and the flag, or with neither."""
    if bool(record.payload) is record.is_undecryptable:
        raise ValueError("a record holds a payload exactly when it could be decrypted")
    body = (
        _RECORD.pack(
            MARK,
            record.user_id,
            record.ssrc,
            record.sequence,
            record.timestamp,
            record.monotonic_ns,
            record.wall_ns,
            record.flags,
            len(record.payload),
        )
        + record.payload
    )
    return body + _CRC.pack(crc32(body))


def parse(data: bytes, position: int) -> tuple[JournalRecord, int] | None:
    """Read the record at *position*; return it and the position behind it, or None when none is whole there."""
    try:
        mark, user, ssrc, sequence, timestamp, monotonic, wall, flags, length = _RECORD.unpack_from(
            data, position
        )
        start = position + _RECORD.size
        end = start + length
        (crc,) = _CRC.unpack_from(data, end)
    except StructError:
        return None
    if mark != MARK or crc != crc32(data[position:end]) or bool(length) is bool(flags & UNDECRYPTABLE):
        return None
    record = JournalRecord(user, ssrc, sequence, timestamp, monotonic, wall, flags, data[start:end])
    return record, end + _CRC.size


def payload(data: bytes, position: int) -> bytes | None:
    """Return the payload of the record at *position*, None when none is whole there; cheaper than `parse`."""
    try:
        mark, length = _FRAME.unpack_from(data, position)
        start = position + _RECORD.size
        (crc,) = _CRC.unpack_from(data, start + length)
    except StructError:
        return None
    is_whole = mark == MARK and crc == crc32(data[position : start + length])
    return data[start : start + length] if is_whole else None


def is_cut_off(data: bytes, position: int) -> bool:
    """Say whether what begins at *position* is a record that *data* ends within, as a killed writer leaves it."""
    rest = data[position:]
    if len(rest) < _RECORD.size:
        return rest[:2] == MARK[: len(rest)]
    return rest[:2] == MARK and len(rest) < SHORTEST_RECORD + _RECORD.unpack_from(rest)[-1]
