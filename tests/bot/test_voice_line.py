"""The seat in the voice channel: taken, lost, taken again, given up."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import discord
import pytest

from standup.bot import voice_line
from standup.bot.endings import Ending
from standup.bot.listener import Listener
from standup.bot.voice_client import RecordingVoiceClient
from standup.bot.voice_line import VoiceLine, people_in
from standup.errors import AudioCaptureError
from tests.bot.doubles import GUILD, OWN, VOICE


class Room:
    """A voice channel that lets the bot in, or fails as often as it is told."""

    def __init__(self) -> None:
        self.listener: Any = Mock(spec=Listener, has_heard_since_connecting=False, deaf_ms=None)
        self.failures: list[Exception] = []
        self.joined: list[Any] = []
        self.shard = SimpleNamespace(is_closed=lambda: False)
        members = {
            OWN: SimpleNamespace(bot=True),
            6: SimpleNamespace(bot=True),
            5: SimpleNamespace(bot=False),
        }
        self.guild: Any = SimpleNamespace(
            id=GUILD, me=SimpleNamespace(id=OWN), get_member=members.get, shard_id=0, unavailable=False
        )
        self.channel: Any = Mock(
            spec=discord.VoiceChannel, id=VOICE, guild=self.guild, voice_states=dict.fromkeys((OWN, 6, 5, 7))
        )
        self.channel.connect = self._connect
        self.bot: Any = SimpleNamespace(
            get_channel=lambda _: self.channel, get_shard=lambda _: self.shard, voice_clients=[]
        )
        self.line = VoiceLine(cast(Any, self.bot), VOICE, cast(Listener, self.listener))

    async def _connect(self, *, cls: Any, **wishes: Any) -> Any:
        assert wishes["self_deaf"] is False
        assert wishes["self_mute"] is True
        client = Mock(
            spec=RecordingVoiceClient,
            listener=self.listener,
            is_given_up=False,
            has_lost_its_poller=False,
            was_moved=False,
            was_removed=False,
            stands=True,
        )
        self.bot.voice_clients.append(client)
        self.joined.append(client)
        if self.failures:
            raise self.failures.pop(0)
        return client


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(voice_line, "REJOIN_WAITS_MS", (0, 0, 0))
    return Room()


async def test_join(room: Room) -> None:
    """A seat that was taken hears."""
    await room.line.join()

    assert room.line.deaf_ms is None
    assert room.line.ending is None


@pytest.mark.parametrize(
    "failure", [asyncio.TimeoutError(), discord.ClientException("already connected"), OSError()]
)
async def test_a_join_that_fails_leaves_nothing(room: Room, failure: Exception) -> None:
    """What discord.py left of a failed attempt is closed, because it would refuse the next one."""
    room.failures = [failure]

    with pytest.raises(AudioCaptureError, match=f"<#{VOICE}>"):
        await room.line.join()

    room.joined[0].disconnect.assert_awaited()


async def test_there_is_no_channel(room: Room) -> None:
    """A channel that was deleted cannot be joined."""
    room.channel = None

    with pytest.raises(AudioCaptureError, match="no voice channel"):
        await room.line.join()


async def test_a_connection_that_cannot_be_closed(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """Leaving never raises: what cannot be closed in order is forgotten."""
    await room.line.join()
    room.joined[0].disconnect.side_effect = OSError

    await room.line.leave()

    room.joined[0].cleanup.assert_called_once()
    assert "could not be closed in order" in caplog.text


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param({"was_removed": True}, Ending.REMOVED, id="removed"),
        pytest.param({"was_moved": True}, Ending.MOVED, id="moved"),
    ],
)
async def test_endings(room: Room, state: dict[str, bool], expected: Ending) -> None:
    """What people do with the bot ends the recording."""
    await room.line.join()

    room.joined[0].configure_mock(**state)

    assert room.line.ending is expected


@pytest.mark.parametrize(
    ("state", "is_recovering"),
    [
        pytest.param({"is_given_up": True}, False, id="discord.py gave up"),
        pytest.param({"has_lost_its_poller": True}, False, id="nobody reads the websocket"),
        pytest.param({"stands": False}, True, id="discord.py is at it"),
    ],
)
async def test_not_hearing(room: Room, state: dict[str, bool], is_recovering: bool) -> None:
    """A connection that does not stand is not hearing; whether to rejoin depends on who cares for it."""
    await room.line.join()

    room.joined[0].configure_mock(**state)

    assert room.line.deaf_ms is not None
    assert room.line.is_recovering is is_recovering


async def test_discord_py_has_limited_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reconnect that takes too long is no recovery."""
    monkeypatch.setattr(voice_line, "DOWN_S", 0.0)
    await room.line.join()

    room.joined[0].stands = False

    assert not room.line.is_recovering


async def test_proved_deafness(room: Room) -> None:
    """A standing connection is deaf when the listener says so."""
    await room.line.join()
    room.listener.deaf_ms = 12_000

    assert room.line.deaf_ms == 12_000
    assert not room.line.is_recovering


async def test_rejoin(room: Room) -> None:
    """Rejoining leaves first, and tries again after a failure."""
    await room.line.join()
    room.failures = [OSError()]

    assert await room.line.rejoin()

    room.joined[0].disconnect.assert_awaited()
    assert len(room.joined) == 3


async def test_attempts_run_out(room: Room) -> None:
    """Attempts are counted over all rejoins in which nothing was heard."""
    answers = [await room.line.rejoin() for _ in range(4)]

    assert answers == [True, True, True, False]


async def test_hearing_gives_new_attempts(room: Room) -> None:
    """Speech that was heard since shows that rejoining helps."""
    for _ in range(3):
        await room.line.rejoin()
    room.listener.has_heard_since_connecting = True

    hearing = room.line.deaf_ms is None

    assert hearing
    assert await room.line.rejoin()


async def test_a_gateway_that_never_returns(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage is waited out for a bounded time."""
    monkeypatch.setattr(voice_line, "GATEWAY_S", 0.0)
    room.shard.is_closed = lambda: True
    room.failures = [OSError()] * 3

    assert not await room.line.rejoin()


async def test_keepalives_need_a_seat(room: Room) -> None:
    """Without a seat there is no path to keep open."""
    room.line.keep_alive()
    await room.line.join()

    room.line.keep_alive()

    room.joined[0].keep_alive.assert_called_once()


async def test_people(room: Room) -> None:
    """People are counted, bots are not; somebody who is not known yet is a person."""
    assert room.line.people == {5, 7}
    assert people_in(room.channel) == {5, 7}


async def test_nobody_is_in_no_channel(room: Room) -> None:
    """A deleted channel is empty."""
    room.channel = None

    assert room.line.people == frozenset()
