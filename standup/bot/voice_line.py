"""The voice connection of one recording: joins, notices that it no longer hears, rejoins, leaves.

discord.py reconnects by itself after most closings of the voice websocket. What it cannot see, or gives up,
is healed here by leaving and joining again: deafness, a dead websocket reader, a connection that stays down.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time

import aiohttp
import discord

from standup.bot.endings import Ending
from standup.bot.listener import Listener
from standup.bot.liveness import REJOIN_WAITS_MS
from standup.bot.voice_client import RecordingVoiceClient
from standup.errors import AudioCaptureError

log = logging.getLogger(__name__)

JOIN_S = 20.0
LEAVE_S = 3.0
GATEWAY_S = 600.0
#: An outage of the gateway is waited out for this long; attempts to join are not spent on it.
DOWN_S = 10.0
#: A connection that discord.py has not restored by itself within this time is made anew.
TROUBLES = (
    discord.ClientException,
    discord.HTTPException,
    aiohttp.ClientError,
    OSError,
    asyncio.TimeoutError,
)


class VoiceLine:
    """The bot's seat in a voice channel, muted and listening. Owner: the event loop."""

    def __init__(self, bot: discord.AutoShardedClient, channel_id: int, listener: Listener) -> None:
        self._bot = bot
        self.channel_id = channel_id
        self._listener = listener
        self._client: RecordingVoiceClient | None = None
        self._connected_s = time.monotonic()
        self._attempts = 0

    @property
    def ending(self) -> Ending | None:
        """Why the recording must end for what happened to the seat; None when it need not."""
        client = self._client
        if client is None:
            return None
        if client.was_moved:
            return Ending.MOVED
        return Ending.REMOVED if client.was_removed else None

    @property
    def deaf_ms(self) -> int | None:
        """For how long the bot has not heard, as far as can be proved; None while it hears."""
        if self._listener.has_heard_since_connecting:
            self._attempts = 0
        client = self._client
        if client is not None and self._is_cared_for and client.stands:
            self._connected_s = time.monotonic()
            return self._listener.deaf_ms
        return round((time.monotonic() - self._connected_s) * 1000)

    @property
    def is_recovering(self) -> bool:
        """Whether discord.py is restoring the connection and has some time left for it."""
        client = self._client
        has_time = time.monotonic() - self._connected_s < DOWN_S
        return client is not None and self._is_cared_for and not client.stands and has_time

    @property
    def _is_cared_for(self) -> bool:
        client = self._client
        return client is not None and not client.is_given_up and not client.has_lost_its_poller

    @property
    def people(self) -> frozenset[int]:
        """The user ids in the channel, bots left out."""
        channel = self._bot.get_channel(self.channel_id)
        if not isinstance(channel, discord.VoiceChannel):
            return frozenset()
        return people_in(channel)

    async def join(self) -> None:
        """Take the seat; raise AudioCaptureError when that fails, with no seat left behind."""
        channel = self._bot.get_channel(self.channel_id)
        if not isinstance(channel, discord.VoiceChannel):
            raise AudioCaptureError(f"There is no voice channel <#{self.channel_id}> (any more).")
        make = functools.partial(RecordingVoiceClient, listener=self._listener)
        try:
            connecting = channel.connect(
                timeout=JOIN_S, reconnect=True, cls=make, self_mute=True, self_deaf=False
            )
            self._client = await asyncio.wait_for(connecting, JOIN_S + LEAVE_S)
        except TROUBLES as cause:
            await self.leave()
            raise AudioCaptureError(
                f"I could not join <#{self.channel_id}> ({type(cause).__name__}); "
                "check that voice traffic (UDP) is not blocked and try again."
            ) from cause
        self._connected_s = time.monotonic()

    async def rejoin(self) -> bool:
        """Leave and join again; return whether the seat was taken before the attempts ran out.

        Attempts are counted until speech is heard again, over any number of calls.
        """
        await self.leave()
        while self._attempts < len(REJOIN_WAITS_MS):
            await asyncio.sleep(REJOIN_WAITS_MS[self._attempts] / 1000)
            await self._wait_for_gateway()
            self._attempts += 1
            try:
                await self.join()
            except AudioCaptureError as cause:
                log.warning("Rejoining failed, attempt %d: %s", self._attempts, cause)
                continue
            return True
        return False

    async def leave(self) -> None:
        """Give the seat up, also one that an interrupted attempt left; does nothing without one.

        Takes a few seconds at most.
        """
        self._client = None
        for client in self._bot.voice_clients:
            if isinstance(client, RecordingVoiceClient) and client.listener is self._listener:
                await _disconnect(client)

    async def _wait_for_gateway(self) -> None:
        """Wait until the guild is there and its shard connected, for at most ``GATEWAY_S``."""
        give_up_s = time.monotonic() + GATEWAY_S
        while time.monotonic() < give_up_s:
            channel = self._bot.get_channel(self.channel_id)
            if isinstance(channel, discord.VoiceChannel) and not channel.guild.unavailable:
                shard = self._bot.get_shard(channel.guild.shard_id)
                if shard is not None and not shard.is_closed():
                    return
            await asyncio.sleep(1)

    def keep_alive(self) -> None:
        """Keep the path of the packets open."""
        if self._client is not None:
            self._client.keep_alive()


async def _disconnect(client: RecordingVoiceClient) -> None:
    try:
        await asyncio.wait_for(client.disconnect(force=True), LEAVE_S)
    except TROUBLES as cause:
        log.warning("The voice connection could not be closed in order (%s)", type(cause).__name__)
        client.cleanup()


def people_in(channel: discord.VoiceChannel) -> frozenset[int]:
    """Return the user ids in *channel*, this and other bots left out."""
    members = ((one, channel.guild.get_member(one)) for one in channel.voice_states)
    own_id = channel.guild.me.id if channel.guild.me else None
    return frozenset(one for one, member in members if one != own_id and not (member and member.bot))
