"""Make the packets beside this file: one per shape or defect, as a Discord voice server would relay it.

Run it from the repository's root: ``python tests/capture/data/make_packets.py``. It writes with the libraries'
own encryption, not with ours. The key is 00 01 … 1f; the Opus packet within is OPUS.
"""

from __future__ import annotations

import struct
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

KEY = bytes(range(32))
OPUS = b"\xfcone opus packet"
SSRC = 0x01020304
SUFFIX = b"\x00\x00\x00\x07"
FOLDER = Path(__file__).with_name("packets")


def header(first: int = 0x80, second: int = 0x78, rest: bytes = b"") -> bytes:
    """Return an RTP header: sequence 513, timestamp 960, and *rest* behind the fixed 12 bytes."""
    return struct.pack(">BBHII", first, second, 513, 960, SSRC) + rest


def xchacha20(clear: bytes, body: bytes) -> bytes:
    """Return the packet in mode aead_xchacha20_poly1305_rtpsize."""
    return clear + crypto_aead_xchacha20poly1305_ietf_encrypt(body, clear, SUFFIX + bytes(20), KEY) + SUFFIX


def aes256(clear: bytes, body: bytes) -> bytes:
    """Return the packet in mode aead_aes256_gcm_rtpsize."""
    return clear + AESGCM(KEY).encrypt(SUFFIX + bytes(8), body, clear) + SUFFIX


ONE_WORD = struct.pack(">HH", 0xBEDE, 1)
TWO_WORDS = struct.pack(">HH", 0xBEDE, 2)

PACKETS = {
    "plain": xchacha20(header(), OPUS),
    "plain_aes256": aes256(header(), OPUS),
    "marker": xchacha20(header(second=0xF8), OPUS),
    "csrc": xchacha20(header(0x82, rest=b"CSRCcsrc"), OPUS),
    "extension": xchacha20(header(0x90, rest=TWO_WORDS), b"extended" + OPUS),
    "extension_aes256": aes256(header(0x90, rest=TWO_WORDS), b"extended" + OPUS),
    "padding": xchacha20(header(0xA0), OPUS + b"\x00\x00\x00\x04"),
    "csrc_extension_padding": xchacha20(
        header(0xB1, rest=b"CSRC" + ONE_WORD), b"exte" + OPUS + b"\x00\x00\x03"
    ),
    "silence": xchacha20(header(), b"\xf8\xff\xfe"),
    "forged": xchacha20(header(), OPUS)[:-5] + b"\x00" + SUFFIX,
    "tampered_header": header()[:3] + b"\x02" + xchacha20(header(), OPUS)[4:],
    "padding_too_long": xchacha20(header(0xA0), OPUS + b"\xff"),
    "padding_zero": xchacha20(header(0xA0), OPUS + b"\x00"),
    "only_padding": xchacha20(header(0xA0), b"\x00\x00\x03"),
    "extension_too_long": xchacha20(header(0x90, rest=struct.pack(">HH", 0xBEDE, 9)), OPUS),
    "truncated_csrc": header(0x8F, rest=b"CSRC"),
    "truncated_extension": header(0x90, rest=b"\xbe\xde"),
    "no_room_for_tag": header(rest=b"ten bytes!"),
    "version_1": b"\x40" + xchacha20(header(), OPUS)[1:],
    "rtcp_sender_report": b"\x80\xc8\x00\x06" + bytes(24),
    "rtcp_receiver_report": b"\x81\xc9\x00\x07" + bytes(28),
    "ip_discovery": struct.pack(">HHI", 2, 70, SSRC) + b"127.0.0.1".ljust(64, b"\0") + b"\xc3\x50",
    "keepalive": struct.pack(">Q", 41),
    "video": xchacha20(header(second=0x65), b"a video packet"),
    "empty": b"",
}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, packet in PACKETS.items():
        (FOLDER / f"{name}.bin").write_bytes(packet)
