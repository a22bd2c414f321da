"""Send to one websocket, in order, from code that cannot wait."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from aiohttp import web

SEND_TIMEOUT_S = 10.0
LIMIT = 4096
GOING_AWAY = 1001
TOO_SLOW = "The client reads too slowly."


@dataclass(frozen=True, slots=True)
class _Farewell:
    code: int
    reason: bytes


class Outbox:
    """The frames that one websocket still has to send.

    Owned by the event loop. A client that reads nothing until *LIMIT* frames wait, or that keeps one frame
    waiting for SEND_TIMEOUT_S, is closed.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.closed_with: int | None = None
        """The code this side closed with; None while it has not."""
        self._socket = socket
        self._queue: asyncio.Queue[str | bytes | _Farewell] = asyncio.Queue(LIMIT)
        self._writer = asyncio.create_task(self._write())

    def put(self, frame: str | bytes) -> None:
        """Queue one text or binary frame; after a close it is dropped."""
        if self.closed_with is not None:
            return
        if self._queue.full():
            self._drain()
            self.close(GOING_AWAY, TOO_SLOW)
        else:
            self._queue.put_nowait(frame)

    def close(self, code: int, reason: str = "") -> None:
        """Close the websocket with *code* once everything queued before has gone out."""
        if self.closed_with is not None:
            return
        self.closed_with = code
        if self._queue.full():
            self._drain()
        self._queue.put_nowait(_Farewell(code, reason.encode()))

    async def finish(self) -> None:
        """Stop writing; called when the websocket has ended, whoever ended it."""
        self._writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._writer

    def _drain(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()

    async def _write(self) -> None:
        try:
            await self._write_until_farewell()
        except asyncio.TimeoutError:
            self.closed_with = GOING_AWAY
            await self._socket.close(code=GOING_AWAY, message=TOO_SLOW.encode())
        except ConnectionError:
            # A peer that has gone is seen by the reading side, which ends the connection.
            return

    async def _write_until_farewell(self) -> None:
        while True:
            frame = await self._queue.get()
            if isinstance(frame, _Farewell):
                await self._socket.close(code=frame.code, message=frame.reason)
                return
            await asyncio.wait_for(self._send(frame), SEND_TIMEOUT_S)

    async def _send(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            await self._socket.send_str(frame)
        else:
            await self._socket.send_bytes(frame)
