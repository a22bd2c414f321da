"""Seal and open RTP packets in Discord's two transport modes.

No clock and no I/O here; the nonce counter is an argument. A packet is
``header | [CSRCs] | [4-byte extension header] | ciphertext + 16-byte tag | 4-byte nonce``: everything
before the ciphertext is authenticated in clear (``rtpsize``), and the nonce's 4 bytes come first in an
otherwise zero nonce. An extension's body and the padding travel inside the ciphertext.

https://discord.com/developers/docs/topics/voice-connections#transport-encryption-modes,
https://www.rfc-editor.org/rfc/rfc3550#section-5.1
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

XCHACHA20 = "aead_xchacha20_poly1305_rtpsize"
AES256_GCM = "aead_aes256_gcm_rtpsize"
MODES = (AES256_GCM, XCHACHA20)
KEY_BYTES = 32
TAG_BYTES = 16
NONCE_BYTES = 4
PAYLOAD_TYPE_OPUS = 0x78
EXTENSION_PROFILE = 0xBEDE
RTP_HEADER = struct.Struct(">BBHII")
VERSION_2 = 0x80
PADDING_BIT = 0x20
EXTENSION_BIT = 0x10


class PacketRefused(ValueError):
    """A packet is not one that the relay could pass on."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fixed header of one RTP packet."""

    payload_type: int
    sequence: int
    timestamp_ticks: int
    """48 kHz ticks."""
    ssrc: int
    has_padding: bool = False
    csrc_count: int = 0
    has_extension: bool = False

    @property
    def clear_bytes(self) -> int:
        """Say how much of the packet is in clear: header, CSRCs, extension header."""
        return RTP_HEADER.size + 4 * self.csrc_count + 4 * self.has_extension

    def serialize(self) -> bytes:
        """Make the 12 bytes of the fixed header."""
        first = (
            VERSION_2 | self.has_padding * PADDING_BIT | self.has_extension * EXTENSION_BIT | self.csrc_count
        )
        return RTP_HEADER.pack(first, self.payload_type, self.sequence, self.timestamp_ticks, self.ssrc)


def parse_header(packet: bytes) -> Header:
    """Read the fixed header of *packet*.

    Raises PacketRefused when it is shorter than its own header or not RTP version 2.
    """
    if len(packet) < RTP_HEADER.size or packet[0] >> 6 != 2:
        raise PacketRefused("The packet is not RTP version 2.")
    first, second, sequence, timestamp, ssrc = RTP_HEADER.unpack_from(packet)
    return Header(
        second & 0x7F,
        sequence,
        timestamp,
        ssrc,
        has_padding=bool(first & PADDING_BIT),
        csrc_count=first & 0x0F,
        has_extension=bool(first & EXTENSION_BIT),
    )


class Cipher(Protocol):
    """One transport mode with its key."""

    def encrypt(self, plaintext: bytes, clear: bytes, nonce: bytes) -> bytes:
        """Return ciphertext and tag; *nonce* is the packet's 4 bytes."""

    def decrypt(self, ciphertext: bytes, clear: bytes, nonce: bytes) -> bytes:
        """Return the plaintext; raises PacketRefused when the tag is wrong."""


class XChaCha20Cipher:
    """XChaCha20-Poly1305 with a 24-byte nonce, which discord.py chooses."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, plaintext: bytes, clear: bytes, nonce: bytes) -> bytes:
        """Return ciphertext and tag."""
        return crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, clear, nonce.ljust(24, b"\0"), self._key)

    def decrypt(self, ciphertext: bytes, clear: bytes, nonce: bytes) -> bytes:
        """Return the plaintext; raises PacketRefused when the tag is wrong."""
        try:
            return crypto_aead_xchacha20poly1305_ietf_decrypt(
                ciphertext, clear, nonce.ljust(24, b"\0"), self._key
            )
        except CryptoError as cause:
            raise PacketRefused("The packet's tag is wrong.") from cause


class Aes256GcmCipher:
    """AES-256-GCM with a 12-byte nonce, which most other clients choose."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def encrypt(self, plaintext: bytes, clear: bytes, nonce: bytes) -> bytes:
        """Return ciphertext and tag."""
        return self._aead.encrypt(nonce.ljust(12, b"\0"), plaintext, clear)

    def decrypt(self, ciphertext: bytes, clear: bytes, nonce: bytes) -> bytes:
        """Return the plaintext; raises PacketRefused when the tag is wrong."""
        try:
            return self._aead.decrypt(nonce.ljust(12, b"\0"), ciphertext, clear)
        except InvalidTag as cause:
            raise PacketRefused("The packet's tag is wrong.") from cause


def make_cipher(mode: str, key: bytes) -> Cipher:
    """Choose the cipher of *mode*; raises PacketRefused for one that was never offered."""
    if mode == XCHACHA20:
        return XChaCha20Cipher(key)
    if mode == AES256_GCM:
        return Aes256GcmCipher(key)
    raise PacketRefused(f"The transport mode {mode} was not offered.")


def seal(cipher: Cipher, clear: bytes, plaintext: bytes, count: int) -> bytes:
    """Make one packet: *clear* (header, CSRCs, extension header), then *plaintext* sealed with nonce *count*."""
    nonce = (count & 0xFFFFFFFF).to_bytes(NONCE_BYTES, "big")
    return clear + cipher.encrypt(plaintext, clear, nonce) + nonce


def unseal(cipher: Cipher, packet: bytes, clear_bytes: int) -> bytes:
    """Return the plaintext of a sealed packet whose first *clear_bytes* are in clear.

    Raises PacketRefused when it is too short or its tag is wrong.
    """
    if len(packet) < clear_bytes + TAG_BYTES + NONCE_BYTES:
        raise PacketRefused("The packet is shorter than its tag and nonce.")
    return cipher.decrypt(packet[clear_bytes:-NONCE_BYTES], packet[:clear_bytes], packet[-NONCE_BYTES:])


def open_packet(cipher: Cipher, packet: bytes) -> tuple[Header, bytes]:
    """Take one RTP packet apart: its header and the payload without extension and padding.

    Raises PacketRefused when it is malformed or its tag is wrong.
    """
    header = parse_header(packet)
    plaintext = unseal(cipher, packet, header.clear_bytes)
    if header.has_extension:
        words = int.from_bytes(packet[header.clear_bytes - 2 : header.clear_bytes], "big")
        plaintext = _cut_front(plaintext, 4 * words)
    if header.has_padding:
        plaintext = _cut_padding(plaintext)
    return header, plaintext


def seal_relayed(
    cipher: Cipher,
    header: Header,
    payload: bytes,
    *,
    count: int,
    extension: bytes = b"",
    padding_bytes: int = 0,
) -> bytes:
    """Make the packet that a receiver gets: *payload* under its own key, as unkind as the real relay's.

    *extension* is the body of a 0xBEDE header extension, whole words of 4 bytes, or empty for none.
    """
    relayed = Header(
        header.payload_type,
        header.sequence,
        header.timestamp_ticks,
        header.ssrc,
        has_padding=padding_bytes > 0,
        has_extension=bool(extension),
    )
    clear = relayed.serialize()
    if extension:
        clear += struct.pack(">HH", EXTENSION_PROFILE, len(extension) // 4)
    if padding_bytes:
        payload += bytes(padding_bytes - 1) + bytes([padding_bytes])
    return seal(cipher, clear, extension + payload, count)


def _cut_front(plaintext: bytes, size: int) -> bytes:
    if size > len(plaintext):
        raise PacketRefused("The header extension is longer than the packet.")
    return plaintext[size:]


def _cut_padding(plaintext: bytes) -> bytes:
    if not plaintext or not 1 <= plaintext[-1] <= len(plaintext):
        raise PacketRefused("The padding is longer than the packet.")
    return plaintext[: -plaintext[-1]]
