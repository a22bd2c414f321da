"""The seat in the voice channel: taken, lost, taken again, given up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock, patch

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
        self.listener: Any = Mock(spec=Listener, is_cured=False, deaf_ms=None)
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
            get_channel=lambda _: self.channel,
            get_guild=lambda _: self.guild,
            get_shard=lambda _: self.shard,
            shard_count=1,
            voice_clients=[],
        )
        self.line = VoiceLine(cast(Any, self.bot), GUILD, VOICE, cast(Listener, self.listener))

    def made(self, client: Any) -> None:
        """Let the test change what becomes of a client before it is joined."""

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
            has_lost_its_server=False,
            deafened_since_s=None,
            stands=True,
        )
        with patch.object(voice_line, "RecordingVoiceClient", return_value=client):
            assert cls(self.bot, self.channel) is client
        self.made(client)
        self.bot.voice_clients.append(client)
        self.joined.append(client)
        if self.failures:
            raise self.failures.pop(0)
        return client


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(voice_line, "REJOIN_WAITS_MS", (0, 0, 0))
    monkeypatch.setattr(voice_line, "LOOK_S", 0.001)
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
        pytest.param({"stands": False, "has_lost_its_server": True}, False, id="the voice server crashed"),
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
    room.listener.is_cured = True

    hearing = room.line.deaf_ms is None

    assert hearing
    assert await room.line.rejoin()


async def test_an_earlier_connection_gives_no_new_attempts(room: Room) -> None:
    """What was heard before the seat was lost does not show that rejoining helps, however often one looks."""
    room.listener.is_cured = True
    room.failures = [OSError()] * 10
    looks: list[int | None] = []
    room.made = lambda _: looks.append(room.line.deaf_ms)  # type: ignore[method-assign]

    is_cured = await room.line.rejoin()

    assert not is_cured
    assert len(looks) == 3


async def test_rejoining_is_told_to_the_listener(room: Room) -> None:
    """The listener remembers for whom the connection is made anew, once for each rejoin."""
    room.failures = [OSError()]

    await room.line.rejoin()

    room.listener.rejoining.assert_called_once()


async def test_a_removal_is_not_undone_by_rejoining(room: Room) -> None:
    """Somebody who disconnects the bot just before it rejoins is obeyed."""
    await room.line.join()
    room.joined[0].was_removed = True

    is_cured = await room.line.rejoin()

    assert not is_cured
    assert room.line.ending is Ending.REMOVED
    assert len(room.joined) == 1


async def test_a_removal_while_joining_is_obeyed(room: Room) -> None:
    """Somebody who disconnects the bot while it is still joining ends the attempts."""
    room.made = lambda client: setattr(client, "was_removed", True)  # type: ignore[method-assign]
    room.failures = [OSError()] * 3

    is_cured = await room.line.rejoin()

    assert not is_cured
    assert room.line.ending is Ending.REMOVED
    assert len(room.joined) == 1


def _without_a_guild(room: Room) -> None:
    room.guild = room.channel = None


def _without_a_channel(room: Room) -> None:
    room.channel = None


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(_without_a_guild, id="the bot was removed from the guild"),
        pytest.param(_without_a_channel, id="the channel was deleted"),
    ],
)
async def test_there_is_nowhere_to_rejoin(room: Room, loss: Callable[[Room], None]) -> None:
    """With the gateway connected, a channel that is not there is gone for good: nothing is waited for."""
    loss(room)

    is_cured = await asyncio.wait_for(room.line.rejoin(), 0.5)

    assert not is_cured
    assert room.line.ending is Ending.REMOVED


async def test_an_outage_of_the_guild_is_waited_out(room: Room) -> None:
    """A guild that Discord calls unavailable has no channels for a while; they are not gone."""
    room.guild.unavailable = True
    there, room.channel = room.channel, None
    rejoining = asyncio.create_task(room.line.rejoin())
    await asyncio.sleep(0)

    sees_people = room.line.sees_people
    room.guild.unavailable, room.channel = False, there

    assert not sees_people
    assert await asyncio.wait_for(rejoining, 5)
    assert room.line.ending is None


async def test_deafened(room: Room) -> None:
    """A bot that a moderator deafened does not hear, and rejoining is not what helps."""
    await room.line.join()
    room.joined[0].deafened_since_s = time.monotonic() - 5

    assert room.line.is_deafened
    assert room.line.deaf_ms == pytest.approx(5_000, abs=500)


async def test_a_gateway_that_never_returns(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage is waited out for a bounded time."""
    monkeypatch.setattr(voice_line, "GATEWAY_S", 0.0)
    room.shard.is_closed = lambda: True

    assert not await room.line.rejoin()
    assert room.line.ending is None
    assert room.joined == []


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
