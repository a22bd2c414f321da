"""The thread that takes datagrams off a voice socket.

discord.py 2.7.1 makes a new socket at each reconnect, while its reader may still wait up to 30 s in ``select`` on
the closed one: the answer to the next IP discovery is not read and the reconnect hangs. It also spins while there
is no socket. This reader looks for the present socket several times a second and rests while there is none.
"""

from __future__ import annotations

import logging
import select

from discord.voice_state import SocketReader

log = logging.getLogger(__name__)

LOOK_S = 0.1
RECEIVE_BYTES = 2048


class PromptSocketReader(SocketReader):
    """discord.py's reader with short waits; start, pause, resume and stop are its own."""

    def _do_run(self) -> None:
        while not self._end.is_set():
            if not self._running.is_set():
                self._running.wait()
                continue
            data = self._receive()
            if data:
                self._deliver(data)

    def _receive(self) -> bytes:
        """Return the next datagram, or nothing when none came in time or the socket is being replaced."""
        socket = self.state.socket
        try:
            readable, _, _ = select.select([socket], [], [], LOOK_S)
            return socket.recv(RECEIVE_BYTES) if readable else b""
        except (ValueError, TypeError, OSError):
            self._end.wait(LOOK_S)
            return b""

    def _deliver(self, data: bytes) -> None:
        for callback in tuple(self._callbacks):
            try:
                callback(data)
            except Exception:
                log.exception("A datagram could not be taken")
