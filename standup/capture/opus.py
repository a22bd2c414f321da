"""What can be known of an Opus packet without decoding it.

Pure. The first byte (`TOC, RFC 6716 section 3.1 <https://www.rfc-editor.org/rfc/rfc6716#section-3.1>`_) tells
frame duration and frame count; nothing behind it is ever interpreted, because a malformed frame can take a
decoder, and its process, down.
"""

from __future__ import annotations

from collections.abc import Iterator

from standup.errors import MalformedPacket

SAMPLES_PER_MS = 48
FRAME_SAMPLES = 960  # 20 ms, the frame Discord's clients send
MAX_PACKET_SAMPLES = 5760  # 120 ms, RFC 6716 section 3.2.5

SILENCE = b"\xf8\xff\xfe"
#: 20 ms of silence; clients end each talk spurt with five of these, in clear even inside an encrypted call.

_SILENCES = ((960, SILENCE), (480, b"\xf0\xff\xfe"), (240, b"\xe8\xff\xfe"), (120, b"\xe0\xff\xfe"))
SMALLEST_SILENCE_SAMPLES = 120

_SILK_SAMPLES = (480, 960, 1920, 2880)
_HYBRID_SAMPLES = (480, 960)
_CELT_SAMPLES = (120, 240, 480, 960)
_FRAME_SAMPLES = _SILK_SAMPLES * 3 + _HYBRID_SAMPLES * 2 + _CELT_SAMPLES * 4  # by TOC configuration 0..31


def duration_samples(packet: bytes) -> int:
    """Return how long *packet* sounds, in samples at 48 kHz.

    Raises MalformedPacket when it is empty, lacks its frame count or claims more than 120 ms.
    """
    if not packet:
        raise MalformedPacket("Opus packet is empty; it is dropped.")
    frame = _FRAME_SAMPLES[packet[0] >> 3]
    code = packet[0] & 3
    if code < 3:
        return frame if code == 0 else 2 * frame
    if len(packet) < 2:
        raise MalformedPacket("Opus packet lacks its frame count; it is dropped.")
    samples = frame * (packet[1] & 0x3F)
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise MalformedPacket("Opus packet claims no frame or more than 120 ms; it is dropped.")
    return samples


def is_silence(packet: bytes) -> bool:
    """Say whether *packet* is a silence frame or carries no frame data (discontinuous transmission)."""
    return len(packet) < 3 or packet == SILENCE


def silence(samples: int) -> Iterator[tuple[bytes, int]]:
    """Yield (packet, samples) pairs of silence that fill *samples*, longest packets first.

    What is left below 2.5 ms (120 samples) cannot be filled and is not.
    """
    for length, packet in _SILENCES:
        count, samples = divmod(samples, length)
        for _ in range(count):
            yield packet, length
