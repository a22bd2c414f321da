"""The reader takes datagrams off whatever socket is present, also after it was replaced."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from standup.bot.socket_reader import PromptSocketReader


class Wire:
    """A connection with a socket that can be replaced, and its other end."""

    def __init__(self) -> None:
        self.state = SimpleNamespace(socket=None)
        self.received: queue.Queue[bytes] = queue.Queue(10)
        self.reader = PromptSocketReader(cast(Any, self.state))
        self._ends: list[socket.socket] = []

    def replace_socket(self) -> socket.socket:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ends += [here, there]
        old, self.state.socket = self.state.socket, here
        if old is not None:
            old.close()
        return there

    def close(self) -> None:
        self.reader.stop()
        self.reader.join(5)
        for end in self._ends:
            end.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    made.reader.start()
    yield made
    made.close()
    assert not made.reader.is_alive()


def test_after_a_reconnect(wire: Wire) -> None:
    """A reader that waits on the old socket finds the new one at once."""
    wire.reader.register(wire.received.put_nowait)
    wire.reader.resume(force=True)
    first = wire.replace_socket()
    first.send(b"one")
    assert wire.received.get(timeout=5) == b"one"

    second = wire.replace_socket()
    second.send(b"two")

    assert wire.received.get(timeout=5) == b"two"


def test_one_failing_listener(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """A listener that raises is logged and takes nothing from the others."""

    def fail(_: bytes) -> None:
        raise KeyError("defect")

    wire.reader.register(fail)
    wire.reader.register(wire.received.put_nowait)
    wire.reader.resume(force=True)

    wire.replace_socket().send(b"one")

    assert wire.received.get(timeout=5) == b"one"
    assert "A datagram could not be taken" in caplog.text
