"""What a packet is decrypted with, asked for anew at every packet.

Keys change on reconnect and region move, the transport mode with the server, the DAVE session whenever its
group is re-created: whoever remembers one of them goes deaf. `ConnectionKeys` reads discord.py's connection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import davey

DaveDecrypt = Callable[[int, bytes], bytes]


class Keys(Protocol):
    """The connection's secrets as they are at this moment; each read may answer differently."""

    @property
    def mode(self) -> str:
        """Transport mode as negotiated, e.g. ``aead_xchacha20_poly1305_rtpsize``; empty before that."""

    @property
    def secret_key(self) -> bytes:
        """The transport key, 32 bytes; empty before the session description."""

    @property
    def dave_protocol_version(self) -> int:
        """0 when the call is not end-to-end encrypted (stage channels, downgrade)."""

    @property
    def dave_decrypt(self) -> DaveDecrypt | None:
        """(user id, frame) to Opus packet, raising ValueError for what it cannot open; None without a session."""

    @property
    def dave_users(self) -> frozenset[int]:
        """The ids of the DAVE group's members, the bot among them; empty without a group."""


class VoiceConnection(Protocol):
    """The attributes of discord.py's ``VoiceConnectionState`` that matter here."""

    mode: Any
    secret_key: Any
    dave_protocol_version: int
    dave_session: Any


class ConnectionKeys:
    """`Keys` read through discord.py's voice connection; owns nothing and remembers nothing."""

    __slots__ = ("_connection",)

    def __init__(self, connection: VoiceConnection) -> None:
        self._connection = connection

    @property
    def mode(self) -> str:
        """Transport mode; empty while discord.py has not negotiated one."""
        mode = self._connection.mode
        return mode if isinstance(mode, str) else ""

    @property
    def secret_key(self) -> bytes:
        """Transport key; empty while discord.py has none."""
        key = self._connection.secret_key
        return bytes(key) if isinstance(key, Sequence) else b""

    @property
    def dave_protocol_version(self) -> int:
        """The version in force."""
        return self._connection.dave_protocol_version

    @property
    def dave_decrypt(self) -> DaveDecrypt | None:
        """The present session's decryption of audio."""
        session = self._connection.dave_session
        if session is None:
            return None

        def decrypt(user_id: int, frame: bytes) -> bytes:
            plain: bytes = session.decrypt(user_id, davey.MediaType.audio, frame)
            return plain

        return decrypt

    @property
    def dave_users(self) -> frozenset[int]:
        """The members of the present session's group; none while it is being re-keyed."""
        session = self._connection.dave_session
        try:
            return frozenset(map(int, session.get_user_ids())) if session is not None else frozenset()
        except (ValueError, RuntimeError):  # as for decryption: the event loop's thread has the session
            return frozenset()
