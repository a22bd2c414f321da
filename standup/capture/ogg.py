"""Ogg Opus files whose granule positions are the meeting clock.

Pure. Pages after `RFC 3533 <https://www.rfc-editor.org/rfc/rfc3533>`_, mapping after
`RFC 7845 <https://www.rfc-editor.org/rfc/rfc7845>`_: a page with OpusHead, one with OpusTags, then audio
pages of at most a second. The granule position of a page is the meeting's sample (48 kHz) at which its last
packet ends; the pre-skip takes off the 6.5 ms by which an Opus encoder delays sound. Opus packets are taken
as they are; where nothing was sent, silence packets fill the time, so a file decodes from the meeting's
start to the speaker's end in any player.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from struct import error as StructError
from typing import NamedTuple
from zlib import crc32

from standup.capture.opus import FRAME_SAMPLES, SILENCE, SMALLEST_SILENCE_SAMPLES, duration_samples, silence
from standup.errors import InputRefused, MalformedPacket

PRE_SKIP_SAMPLES = 312  # look-ahead of libopus in the mode that Discord's clients use
PAGE_SAMPLES = 48_000  # RFC 7845 section 6 advises pages of at most a second
MAX_SEGMENTS = 255
CONTINUED, BEGINNING, END = 1, 2, 4  # header type flags

_PAGE = Struct("<4sBBqIIIB")
_CRC_OFFSET = 22
_CRC = Struct("<I")
_HEAD = Struct("<8sBBHIhB")
_VENDOR = b"StandupBot"
_TAGS = b"OpusTags" + _CRC.pack(len(_VENDOR)) + _VENDOR + _CRC.pack(0)
_QUIET_SECOND = SILENCE * (PAGE_SAMPLES // FRAME_SAMPLES)
_QUIET_LACING = bytes((len(SILENCE),)) * (PAGE_SAMPLES // FRAME_SAMPLES)
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class TimedPacket(NamedTuple):
    """An Opus packet and the sample (48 kHz, meeting clock) at which it begins."""

    start_samples: int
    payload: bytes


def checksum(page: bytes | bytearray) -> int:
    """Return Ogg's CRC-32 of *page*: polynomial 04C11DB7, most significant bit first, from zero.

    zlib computes the mirror image; mirrored in and out, it is Ogg's, at the speed of C.
    """
    mirrored = crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")


class Paginator:
    """Gathers packets into pages of one logical stream."""

    def __init__(self, serial: int) -> None:
        self.position = 0  # samples
        self._serial = serial
        self._number = 0
        self._lacing = bytearray()
        self._body: list[bytes] = []
        self._page_start = 0

    def add(self, packet: bytes, samples: int) -> bytes:
        """Append *packet*; return the page before it when that is full, else nothing."""
        lacing = _lacing(len(packet))
        is_full = len(self._lacing) + len(lacing) > MAX_SEGMENTS
        page = self.cut() if is_full or self.position - self._page_start >= PAGE_SAMPLES else b""
        self._lacing += lacing
        self._body.append(packet)
        self.position += samples
        return page

    def cut(self, flags: int = 0) -> bytes:
        """Return what is gathered as a page, and begin another."""
        header = _PAGE.pack(
            b"OggS", 0, flags, self.position, self._serial, self._number, 0, len(self._lacing)
        )
        page = bytearray(b"".join((header, self._lacing, *self._body)))
        _CRC.pack_into(page, _CRC_OFFSET, checksum(page))
        self._number += 1
        self._lacing.clear()
        self._body.clear()
        self._page_start = self.position
        return bytes(page)

    def fill(self, samples: int) -> Iterator[bytes]:
        """Append *samples* of silence, but for less than 2.5 ms at the end; whole seconds a page each."""
        if samples >= 2 * PAGE_SAMPLES:
            if self._body:
                yield self.cut()
            for _ in range(samples // PAGE_SAMPLES):
                self._lacing += _QUIET_LACING
                self._body.append(_QUIET_SECOND)
                self.position += PAGE_SAMPLES
                yield self.cut()
            samples %= PAGE_SAMPLES
        yield from filter(None, (self.add(packet, length) for packet, length in silence(samples)))


def serialize(packets: Iterable[TimedPacket], serial: int) -> Iterator[bytes]:
    """Yield the pages of an Ogg Opus file; *packets* are sorted by start and do not overlap.

    No packets give 20 ms of silence, as players refuse a file without any.
    Raises MalformedPacket for what is not an Opus packet.
    """
    pages = Paginator(serial & 0xFFFFFFFF)
    head = _HEAD.pack(b"OpusHead", 1, 2, PRE_SKIP_SAMPLES, 48_000, 0, 0)
    for content, flags in ((head, BEGINNING), (_TAGS, 0)):
        pages.add(content, 0)
        yield pages.cut(flags)
    for packet in packets:
        if packet.start_samples - pages.position >= SMALLEST_SILENCE_SAMPLES:
            yield from pages.fill(packet.start_samples - pages.position)
        if page := pages.add(packet.payload, duration_samples(packet.payload)):
            yield page
    if pages.position == 0:
        yield from pages.fill(FRAME_SAMPLES)
    yield pages.cut(END)


@lru_cache(maxsize=2048)
def _lacing(length: int) -> bytes:
    """Return how a page tells of a packet of *length* bytes (RFC 3533 section 6, segment table)."""
    return b"\xff" * (length // 255) + bytes((length % 255,))


@dataclass(frozen=True, slots=True)
class _Page:
    flags: int
    granule: int
    serial: int
    segments: tuple[bytes, ...]
    is_last_open: bool  # the last segment goes on in the next page
    end: int


def parse(data: bytes) -> Iterator[TimedPacket]:
    """Yield the audio packets of an Ogg Opus file with the sample, in granule positions, at which each begins.

    Raises InputRefused when *data* is not Ogg Opus with one stream, is cut off, or a page is damaged.
    """
    packets = _packets(data)
    head = next(packets, b"")
    if head[:8] != b"OpusHead" or next(packets, b"")[:8] != b"OpusTags":
        raise InputRefused("The file is Ogg, but what it holds is not Opus; convert it to Ogg Opus first.")
    position = 0
    for packet in packets:
        yield TimedPacket(position, packet)
        try:
            position += duration_samples(packet)
        except MalformedPacket as cause:
            raise InputRefused("The file holds a damaged Opus packet; restore it from a copy.") from cause


def _packets(data: bytes) -> Iterator[bytes]:
    position, open_packet, serial, ended = 0, b"", None, False
    while position < len(data):
        page = _parse_page(data, position)
        serial = page.serial if serial is None else serial
        if page.serial != serial:
            raise InputRefused("The Ogg file holds more than one stream; extract the speaker's first.")
        *whole, last = page.segments if page.segments else (b"",)
        for segment in whole:
            yield open_packet + segment
            open_packet = b""
        if page.is_last_open:
            open_packet += last
        elif page.segments:
            yield open_packet + last
            open_packet = b""
        position, ended = page.end, bool(page.flags & END)
    if not ended:
        raise InputRefused("The Ogg file is empty or cut off; restore it from a copy.")


def _parse_page(data: bytes, position: int) -> _Page:
    try:
        capture, version, flags, granule, serial, _, crc, count = _PAGE.unpack_from(data, position)
    except StructError as cause:
        raise InputRefused("The Ogg file is cut off within a page; restore it from a copy.") from cause
    if capture != b"OggS" or version != 0:
        raise InputRefused("The file is not Ogg, or is damaged; convert it to Ogg Opus or restore it.")
    start = position + _PAGE.size
    lacing = data[start : start + count]
    end = start + count + sum(lacing)
    page = bytearray(data[position:end])
    page[_CRC_OFFSET : _CRC_OFFSET + 4] = bytes(4)
    if len(lacing) < count or end > len(data) or checksum(page) != crc:
        raise InputRefused("A page of the Ogg file is cut off or damaged; restore it from a copy.")
    segments, begin, length = [], start + count, 0
    for size in lacing:
        length += size
        if size < 255:
            segments.append(data[begin : begin + length])
            begin, length = begin + length, 0
    is_open = bool(lacing) and lacing[-1] == 255
    if is_open:
        segments.append(data[begin : begin + length])
    return _Page(flags, granule, serial, tuple(segments), is_open, end)
