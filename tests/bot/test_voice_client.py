"""discord.py's voice client with ears: what it passes on, and what it tells of its connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import discord
import pytest
from discord.voice_state import ConnectionFlowState

from standup.bot.listener import READY, Listener
from standup.bot.voice_client import HookedConnection, RecordingVoiceClient
from tests.bot.doubles import GUILD, OWN, VOICE

SPEAKING = 5


class GatewayDouble:
    """discord.py's connection state, as far as a voice client looks at it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.user = SimpleNamespace(id=OWN)
        self.session_id = "first"
        self.removed: list[int] = []
        self.holder: object = None

    def _get_websocket(self, guild_id: int) -> Any:
        return SimpleNamespace(session_id=self.session_id)

    def _get_voice_client(self, guild_id: int) -> object:
        return self.holder

    def _remove_voice_client(self, guild_id: int) -> None:
        self.removed.append(guild_id)


class Seat:
    """A voice client in the guild's voice channel, not connected to any server."""

    def __init__(self) -> None:
        self.gateway = GatewayDouble()
        self.listener = Mock(spec=Listener)
        guild = SimpleNamespace(id=GUILD, me=SimpleNamespace(voice=None))
        channel = Mock(spec=discord.VoiceChannel, id=VOICE, guild=guild)
        channel._get_voice_client_key.return_value = (GUILD, "guild_id")
        client = SimpleNamespace(_connection=self.gateway)
        self.client = RecordingVoiceClient(cast(Any, client), channel, listener=self.listener)
        self.connection: Any = self.client._connection
        self.disconnects = 0

    async def update(self, channel_id: int | None, *, deaf: bool = False) -> None:
        """Bring news of where the bot sits."""
        self.connection.disconnect = self._disconnect
        news = {"channel_id": channel_id, "session_id": "voice", "deaf": deaf}
        await self.client.on_voice_state_update(news)

    async def _disconnect(self) -> None:
        self.disconnects += 1


@pytest.fixture
async def seat() -> AsyncIterator[Seat]:
    made = Seat()
    yield made
    made.connection.end()


async def test_what_is_left_comes_back_no_more(seat: Seat) -> None:
    """discord.py's own attempts to reconnect end with the client, and take no seat from the one after it."""
    seat.connection._runner = asyncio.create_task(asyncio.Event().wait())
    seat.gateway.holder = object()

    seat.client.cleanup()
    await asyncio.wait({seat.connection._runner}, timeout=10)

    assert seat.connection._runner.cancelled()
    assert seat.gateway.removed == []


async def test_the_task_that_gives_up_ends_by_itself(seat: Seat) -> None:
    """discord.py cleans up from within the task that reads the websocket; it is not cancelled in the middle."""
    seat.gateway.holder = seat.client

    async def give_up() -> str:
        seat.client.cleanup()
        await asyncio.sleep(0)
        return "to the end"

    seat.connection._runner = asyncio.create_task(give_up())

    assert await seat.connection._runner == "to the end"
    assert seat.gateway.removed == [GUILD]


async def test_ready_begins_a_session(seat: Seat) -> None:
    """At READY the listener gets the connection's keys, and the socket its listener."""
    await seat.connection.hook(None, {"op": READY, "d": {}})

    (keys, own_user_id), _ = seat.listener.connected.call_args
    assert (keys.secret_key, own_user_id) == (b"", OWN)
    assert seat.connection._socket_reader._callbacks == [seat.listener.datagram]


async def test_events_are_passed_on(seat: Seat) -> None:
    """Every voice event reaches the listener as it is."""
    event = {"op": SPEAKING, "d": {"user_id": "5", "ssrc": 1, "speaking": 1}}

    await seat.connection.hook(None, event)

    seat.listener.voice_event.assert_called_once_with(event)


async def test_a_failing_listener_does_not_end_the_connection(
    seat: Seat, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception would end the task that reads the websocket; it is logged instead."""
    seat.listener.voice_event.side_effect = KeyError("defect")

    await seat.connection.hook(None, {"op": SPEAKING, "d": {}})

    assert "could not be taken" in caplog.text


async def test_removed(seat: Seat) -> None:
    """Somebody who disconnects the bot is recognized."""
    await seat.update(VOICE)

    await seat.update(None)

    assert seat.client.was_removed
    assert seat.disconnects == 1


async def test_the_echo_of_an_earlier_stay(seat: Seat) -> None:
    """The news that the bot left may come when it is joining again: it is neither a removal nor the end of that."""
    await seat.update(None)

    assert not seat.client.was_removed
    assert seat.disconnects == 0


async def test_leaving_is_no_removal(seat: Seat) -> None:
    """The answer to the bot's own leaving is not taken for somebody's wish."""
    await seat.update(VOICE)
    seat.connection._expecting_disconnect = True

    await seat.update(None)

    assert not seat.client.was_removed


async def test_a_lost_session_is_no_removal(seat: Seat) -> None:
    """When the gateway session that joined is over, Discord ends the stay; nobody wished it."""
    await seat.update(VOICE)
    seat.gateway.session_id = "second"

    await seat.update(None)

    assert not seat.client.was_removed


@pytest.mark.parametrize(
    ("channel_id", "expected"), [pytest.param(VOICE, False, id="own"), pytest.param(77, True, id="another")]
)
async def test_moved(seat: Seat, channel_id: int, expected: bool) -> None:
    """Only another channel is a move."""
    await seat.update(channel_id)

    assert seat.client.was_moved is expected


async def test_deafened(seat: Seat) -> None:
    """A bot that a moderator deafened knows since when, and that it hears again once that is undone."""
    await seat.update(VOICE, deaf=True)
    since_s = seat.client.deafened_since_s
    await seat.update(VOICE, deaf=True)
    still_since_s = seat.client.deafened_since_s
    unexpected = seat.listener.undeafened.call_count

    await seat.update(VOICE)

    assert since_s is not None
    assert still_since_s == since_s
    assert seat.client.deafened_since_s is None
    assert (unexpected, seat.listener.undeafened.call_count) == (0, 1)


async def test_given_up(seat: Seat) -> None:
    """When discord.py cleans up, the connection is over and its threads end."""
    seat.client.cleanup()

    assert seat.client.is_given_up
    assert seat.gateway.removed == [GUILD]
    seat.connection._socket_reader.join(5)
    assert not seat.connection._socket_reader.is_alive()


async def test_lost_poller(seat: Seat) -> None:
    """A reader task that ended is noticed, whatever the state says."""
    before = seat.client.has_lost_its_poller
    seat.connection._runner = asyncio.create_task(asyncio.sleep(0))

    await seat.connection._runner

    assert (before, seat.client.has_lost_its_poller) == (False, True)


@pytest.mark.parametrize(
    ("close_code", "expected"), [pytest.param(None, True, id="open"), pytest.param(4014, False, id="closed")]
)
async def test_stands(seat: Seat, close_code: int | None, expected: bool) -> None:
    """A connection whose websocket was closed does not stand, although discord.py still calls it connected."""
    seat.connection.is_connected = lambda: True
    seat.connection.ws = SimpleNamespace(ws=SimpleNamespace(close_code=close_code))

    assert seat.client.stands is expected


@pytest.mark.parametrize(
    ("close_code", "expected"),
    [
        pytest.param(None, False, id="open"),
        pytest.param(4006, False, id="session invalid"),
        pytest.param(4015, True, id="server crashed"),
    ],
)
async def test_a_crashed_server(seat: Seat, close_code: int | None, expected: bool) -> None:
    """Only the voice server's own crash is one from which discord.py does not recover."""
    seat.connection.ws = SimpleNamespace(ws=SimpleNamespace(close_code=close_code))

    assert seat.client.has_lost_its_server is expected


async def test_keepalives_count(seat: Seat) -> None:
    """Keepalives are eight bytes with a counter, and only sent over a connection that stands."""
    sent: list[bytes] = []
    seat.connection.send_packet = sent.append
    seat.client.keep_alive()
    seat.connection.is_connected = lambda: True

    seat.client.keep_alive()
    seat.client.keep_alive()

    assert sent == [b"\x01" + bytes(7), b"\x02" + bytes(7)]


async def test_a_keepalive_may_be_lost(seat: Seat) -> None:
    """A socket that refuses is no reason to stop."""
    seat.connection.is_connected = lambda: True
    seat.connection.send_packet = Mock(side_effect=OSError)

    seat.client.keep_alive()

    seat.connection.send_packet.assert_called_once()


async def test_a_state_that_passes_between_two_looks_is_reached() -> None:
    """Both voice updates in one read of the gateway do not hang the handshake: the last state counts."""
    connection = object.__new__(HookedConnection)
    connection._state = ConnectionFlowState.set_guild_voice_state
    connection._state_event = asyncio.Event()
    connection._connected = threading.Event()
    waiting = asyncio.create_task(
        connection._wait_for_state(ConnectionFlowState.got_both_voice_updates, timeout=5)
    )
    await asyncio.sleep(0)
    connection.state = ConnectionFlowState.got_voice_state_update
    await asyncio.sleep(0)
    connection.state = ConnectionFlowState.got_both_voice_updates
    await waiting

    assert connection.state is ConnectionFlowState.got_both_voice_updates
