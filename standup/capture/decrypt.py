"""The two layers of encryption around a voice packet: transport AEAD, then DAVE.

Transport: the tag covers the clear header; the nonce is the packet's last 4 bytes followed by zeros
(24 bytes for ``aead_xchacha20_poly1305_rtpsize``, 12 for ``aead_aes256_gcm_rtpsize``).

`DAVE <https://daveprotocol.com>`_: a frame ends with its tag, nonce, ranges, the length of all that and the
marker FA FA. A frame that was not decrypted must never be taken for audio: decoded ciphertext turns into
fluent foreign text in speech recognition. Hence both functions answer None rather than what they were given.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.exceptions import CryptoError
from nacl.secret import Aead

from standup.capture.keys import Keys
from standup.capture.opus import SILENCE
from standup.capture.rtp import RtpPacket
from standup.errors import AudioCaptureError

KEY_LENGTH = 32
DAVE_MARKER = b"\xfa\xfa"
DAVE_SHORTEST_TRAILER = 12  # 8 tag, 1 nonce, 1 length, 2 marker

#: (ciphertext with tag, authenticated header, nonce suffix) -> body
Cipher = Callable[[bytes, bytes, bytes], bytes]


def _xchacha20(key: bytes) -> Cipher:
    box = Aead(key)
    zeros = bytes(20)
    return lambda sealed, header, suffix: box.decrypt(sealed, header, suffix + zeros)


def _aes256_gcm(key: bytes) -> Cipher:
    box = AESGCM(key)
    zeros = bytes(8)
    return lambda sealed, header, suffix: box.decrypt(suffix + zeros, sealed, header)


MODES: dict[str, Callable[[bytes], Cipher]] = {
    "aead_xchacha20_poly1305_rtpsize": _xchacha20,
    "aead_aes256_gcm_rtpsize": _aes256_gcm,
}


class TransportDecrypter:
    """Opens the transport layer; keeps the cipher of the last (mode, key) and nothing else.

    Not thread-safe: one owner calls it.
    """

    __slots__ = ("_cipher", "_key", "_mode")

    def __init__(self) -> None:
        self._mode = ""
        self._key = b""
        self._cipher: Cipher | None = None

    def open(self, packet: RtpPacket, mode: str, key: bytes) -> bytes | None:
        """Return the decrypted body of *packet*, or None when *key* does not open it.

        Raises AudioCaptureError for a mode this program does not know or a key of the wrong length.
        """
        if self._cipher is None or key != self._key or mode != self._mode:
            self._cipher = _cipher(mode, key)
            self._mode, self._key = mode, key
        try:
            return self._cipher(packet.ciphertext, packet.header, packet.nonce_suffix)
        except (InvalidTag, CryptoError):
            return None


def _cipher(mode: str, key: bytes) -> Cipher:
    try:
        make = MODES[mode]
    except KeyError:
        known = ", ".join(MODES)
        raise AudioCaptureError(
            f"The voice server chose the transport mode {mode!r}, which is not one of {known}; "
            "leave the channel and join again, and update StandupBot if it stays so."
        ) from None
    if len(key) != KEY_LENGTH:
        raise AudioCaptureError("The voice connection has no transport key yet; the packet is not readable.")
    return make(key)


def is_dave_frame(frame: bytes) -> bool:
    """Say whether *frame* ends as an end-to-end encrypted frame does."""
    return frame[-2:] == DAVE_MARKER and len(frame) > 2 and DAVE_SHORTEST_TRAILER <= frame[-3] <= len(frame)


def open_frame(keys: Keys, user_id: int, frame: bytes) -> bytes | None:
    """Return the Opus packet within *frame*, sent by *user_id*; None when it cannot be had.

    A silence frame arrives in clear even inside an encrypted call, and so does everything in a call of
    protocol version 0, save frames that were on their way when the call was downgraded.
    """
    if frame == SILENCE:
        return frame
    if keys.dave_protocol_version == 0 and not is_dave_frame(frame):
        return frame
    decrypt = keys.dave_decrypt
    if decrypt is None:
        return None
    try:
        plain = decrypt(user_id, frame)
    except (
        ValueError,
        RuntimeError,
    ):  # RuntimeError: the session is being re-keyed on the event loop's thread
        return None
    return plain if plain and not is_dave_frame(plain) else None
