"""Frames that wait for a websocket."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from aiohttp import web

from standup.simulator import outbox
from standup.simulator.outbox import GOING_AWAY, Outbox


class Socket:
    """A websocket that notes what is sent, and takes nothing while its gate is shut."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = asyncio.Event()

    async def send_str(self, frame: str) -> None:
        """Note a text frame."""
        await self.gate.wait()
        self.sent.append(frame)

    async def send_bytes(self, frame: bytes) -> None:
        """Note a binary frame."""
        await self.gate.wait()
        self.sent.append(frame)

    async def close(self, *, code: int, message: bytes) -> None:
        """Note the close."""
        self.sent.append(code)
        self.closed.set()


async def test_order() -> None:
    """Text, binary and the close go out in the order they were put."""
    socket = Socket()
    box = Outbox(cast(web.WebSocketResponse, socket))
    box.put("text")
    box.put(b"binary")
    box.close(4006)
    box.put("too late")
    box.close(4007)
    await asyncio.wait_for(socket.closed.wait(), 5)
    await box.finish()

    assert socket.sent == ["text", b"binary", 4006]
    assert box.closed_with == 4006


async def test_slow_reader_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that reads nothing until the bound is reached is sent away."""
    monkeypatch.setattr(outbox, "LIMIT", 3)
    socket = Socket()
    box = Outbox(cast(web.WebSocketResponse, socket))
    for number in range(4):
        box.put(str(number))
    await asyncio.wait_for(socket.closed.wait(), 5)
    await box.finish()

    assert socket.sent == [GOING_AWAY]


async def test_stuck_socket_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that cannot be sent in time closes the websocket."""
    monkeypatch.setattr(outbox, "SEND_TIMEOUT_S", 0.01)
    socket = Socket()
    socket.gate.clear()
    box = Outbox(cast(web.WebSocketResponse, socket))
    box.put("stuck")
    await asyncio.wait_for(socket.closed.wait(), 5)
    await box.finish()

    assert (socket.sent, box.closed_with) == ([GOING_AWAY], GOING_AWAY)
