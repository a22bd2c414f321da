"""One client's place in a voice server, from its IDENTIFY until it leaves or its session dies."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .outbox import Outbox
from .transport import Cipher

REPLAY_FRAMES = 512


@dataclass(eq=False)
class Seat:
    """What a voice server knows of one client.

    Owned by the event loop of its voice server. It outlives a websocket that can be resumed.
    """

    user_id: int
    ssrc: int
    session_id: str
    token: str = field(repr=False)
    outbox: Outbox | None = None
    """The websocket's, while there is one."""
    cipher: Cipher | None = None
    """Set by SELECT_PROTOCOL; no voice goes to or from the client before."""
    address: tuple[str, int] | None = None
    """Where its UDP packets come from, learned by IP discovery."""
    is_deaf: bool = False
    """A deafened client is sent no voice, as on the real server."""
    is_announced: bool = False
    """It has sent SPEAKING (op 5) with a flag set."""
    told: set[int] = field(default_factory=set)
    """The SSRCs whose owner this client has been told."""
    sent_packets: int = 0
    """Nonce counter of the packets sealed for this client."""
    sequence: int = 0
    """Number of the last message of the voice gateway (v8 numbers them for RESUME)."""
    _log: deque[tuple[int, str | bytes]] = field(default_factory=lambda: deque(maxlen=REPLAY_FRAMES))

    def send(self, op: int, content: Any) -> None:
        """Send one numbered JSON message."""
        number = self._count()
        self._put(number, json.dumps({"op": op, "d": content, "seq": number}))

    def send_binary(self, op: int, payload: bytes) -> None:
        """Send one numbered binary message: sequence u16, op u8, payload."""
        number = self._count()
        self._put(number, number.to_bytes(2, "big") + bytes([op]) + payload)

    def resume(self, outbox: Outbox, seq_ack: int) -> None:
        """Go on over a new websocket: everything after number *seq_ack* is sent again."""
        self.outbox = outbox
        for number, frame in self._log:
            if number > seq_ack:
                outbox.put(frame)

    def _count(self) -> int:
        self.sequence = (self.sequence + 1) & 0xFFFF
        return self.sequence

    def _put(self, number: int, frame: str | bytes) -> None:
        self._log.append((number, frame))
        if self.outbox is not None:
            self.outbox.put(frame)
