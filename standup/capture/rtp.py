"""RTP packets as Discord's voice servers relay them.

Pure: bytes in, values out. A packet is read in this order
(`RFC 3550 <https://www.rfc-editor.org/rfc/rfc3550#section-5.1>`_ and Discord's ``rtpsize`` transport modes):

1. `is_audio` keeps RTP version 2 with payload type 0x78; IP-discovery replies, RTCP, keepalive echoes and
   video fall away.
2. `parse` splits the datagram: clear header (12 bytes, 4 per CSRC, 4 more for an extension header), then
   ciphertext with its 16-byte tag, then 4 bytes of nonce.
3. `strip` takes padding and extension body off the decrypted body; both travel encrypted.

Sequence numbers (16 bit) and timestamps (32 bit) wrap; `unwrap` makes them grow again.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from standup.errors import MalformedPacket

HEADER_LENGTH = 12  # bytes
EXTENSION_HEADER_LENGTH = 4  # bytes; stays in clear in the rtpsize modes
NONCE_LENGTH = 4  # bytes, at the very end of the datagram
TAG_LENGTH = 16  # bytes
AUDIO_PAYLOAD_TYPE = 0x78
CLOCK_HZ = 48_000

_FIXED_HEADER = Struct(">BBHII")
_U16 = Struct(">H")


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One relayed packet, its body still encrypted."""

    has_padding: bool
    is_marked: bool
    payload_type: int
    sequence: int
    """16 bit, wraps."""
    timestamp: int
    """32 bit, in 1/48000 s, wraps."""
    ssrc: int
    header_length: int
    """Bytes in clear at the start: what the transport cipher authenticates beside the body."""
    extension_words: int
    """Length of the extension body in 4-byte words; it leads the decrypted body."""
    header: bytes
    ciphertext: bytes
    """Encrypted body and its 16-byte tag."""
    nonce_suffix: bytes
    """The 4 bytes that lead an otherwise zero nonce."""


def is_audio(datagram: bytes) -> bool:
    """Say whether *datagram* is an RTP packet with audio; everything else on the socket is to be dropped."""
    return (
        len(datagram) > HEADER_LENGTH and datagram[0] >> 6 == 2 and datagram[1] & 0x7F == AUDIO_PAYLOAD_TYPE
    )


def parse(datagram: bytes) -> RtpPacket:
    """Split a datagram into header fields, ciphertext and nonce.

    Raises MalformedPacket when it is not RTP version 2 or is shorter than its header announces.
    """
    if len(datagram) < HEADER_LENGTH:
        raise MalformedPacket("RTP packet is shorter than its fixed header; it is dropped.")
    first, second, sequence, timestamp, ssrc = _FIXED_HEADER.unpack_from(datagram)
    if first >> 6 != 2:
        raise MalformedPacket(f"RTP version is {first >> 6}, not 2; the packet is dropped.")
    length = HEADER_LENGTH + 4 * (first & 0x0F)
    words = 0
    if first & 0x10:
        if len(datagram) < length + EXTENSION_HEADER_LENGTH:
            raise MalformedPacket("RTP packet is cut off in its extension header; it is dropped.")
        (words,) = _U16.unpack_from(datagram, length + 2)
        length += EXTENSION_HEADER_LENGTH
    if len(datagram) < length + TAG_LENGTH + NONCE_LENGTH:
        raise MalformedPacket("RTP packet has no room for a tag and a nonce; it is dropped.")
    return RtpPacket(
        bool(first & 0x20),
        bool(second & 0x80),
        second & 0x7F,
        sequence,
        timestamp,
        ssrc,
        length,
        words,
        datagram[:length],
        datagram[length:-NONCE_LENGTH],
        datagram[-NONCE_LENGTH:],
    )


def strip(packet: RtpPacket, body: bytes) -> bytes:
    """Return the media payload of a decrypted *body*: without padding, then without the extension body.

    Raises MalformedPacket when padding or extension claim more than there is, or nothing is left.
    """
    end = len(body)
    if packet.has_padding:
        padding = body[-1] if body else 0
        if not 0 < padding <= end:
            raise MalformedPacket("RTP padding is longer than the packet; it is dropped.")
        end -= padding
    start = 4 * packet.extension_words
    if start >= end:
        raise MalformedPacket("RTP packet carries no payload behind its extension; it is dropped.")
    return body[start:end]


def unwrap(value: int, reference: int, bits: int) -> int:
    """Return the integer nearest to *reference* whose low *bits* bits are *value*.

    *reference* is an earlier unwrapped value; the result may be smaller (a late packet) or negative. Exactly
    half a turn away counts as earlier.
    """
    turn = 1 << bits
    ahead = (value - reference) & (turn - 1)
    return reference + (ahead - turn if ahead >= turn >> 1 else ahead)
