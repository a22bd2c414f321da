"""The voice connection of one recording: joins, notices that it no longer hears, rejoins, leaves.

discord.py reconnects by itself after most closings of the voice websocket. What it cannot see, or gives up,
is healed here by leaving and joining again: deafness, a dead websocket reader, a connection that stays down.
"""

from __future__ import annotations

import asyncio
import logging
import time
from enum import Enum

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
#: An outage of the gateway is waited out for this long in one rejoin; attempts to join are not spent on it.
LOOK_S = 1.0
DOWN_S = 10.0
#: A connection that discord.py has not restored by itself within this time is made anew.
TROUBLES = (
    discord.ClientException,
    discord.HTTPException,
    aiohttp.ClientError,
    OSError,
    asyncio.TimeoutError,
)


class Place(Enum):
    """What the gateway says of the voice channel."""

    THERE = "there"
    UNKNOWN = "unknown"  # the gateway or the guild is away, and what is known may be old
    GONE = "gone"  # the channel was deleted, or the bot removed from the guild


class VoiceLine:
    """The bot's seat in a voice channel, muted and listening. Owner: the event loop."""

    def __init__(
        self, bot: discord.AutoShardedClient, guild_id: int, channel_id: int, listener: Listener
    ) -> None:
        self._bot = bot
        self._guild_id = guild_id
        self.channel_id = channel_id
        self._listener = listener
        self._client: RecordingVoiceClient | None = None  # holds the seat
        self._newest: RecordingVoiceClient | None = None  # holds it, or is about to
        self._ending: Ending | None = None
        self._connected_s = time.monotonic()
        self._attempts = 0

    @property
    def ending(self) -> Ending | None:
        """Why the recording must end for what happened to the seat, once and for all; None when it need not."""
        newest = self._newest
        if self._ending is None and newest is not None:
            if newest.was_moved:
                self._ending = Ending.MOVED
            elif newest.was_removed:
                self._ending = Ending.REMOVED
        return self._ending

    @property
    def deaf_ms(self) -> int | None:
        """For how long the bot has not heard, as far as can be proved; None while it hears."""
        client, now_s = self._client, time.monotonic()
        if client is None or not self._stands:
            return round((now_s - self._connected_s) * 1000)
        self._connected_s = now_s
        if self._listener.is_cured:
            self._attempts = 0
        if client.deafened_since_s is not None:
            return round((now_s - client.deafened_since_s) * 1000)
        return self._listener.deaf_ms

    @property
    def is_deafened(self) -> bool:
        """Whether a moderator has the bot deafened, which only they can undo."""
        client = self._client
        return client is not None and self._stands and client.deafened_since_s is not None

    @property
    def is_recovering(self) -> bool:
        """Whether discord.py is restoring the connection and has some time left for it."""
        client = self._client
        if client is None or not self._is_cared_for or client.stands or client.has_lost_its_server:
            return False
        return time.monotonic() - self._connected_s < DOWN_S

    @property
    def _is_cared_for(self) -> bool:
        client = self._client
        return client is not None and not client.is_given_up and not client.has_lost_its_poller

    @property
    def _stands(self) -> bool:
        client = self._client
        return client is not None and self._is_cared_for and client.stands

    @property
    def people(self) -> frozenset[int]:
        """The user ids in the channel, bots left out."""
        channel = self._bot.get_channel(self.channel_id)
        if not isinstance(channel, discord.VoiceChannel):
            return frozenset()
        return people_in(channel)

    @property
    def sees_people(self) -> bool:
        """Whether `people` is up to date; during an outage of the gateway it is not."""
        return self._place is not Place.UNKNOWN

    async def join(self) -> None:
        """Take the seat; raise AudioCaptureError when that fails, with no seat left behind."""
        channel = self._bot.get_channel(self.channel_id)
        if not isinstance(channel, discord.VoiceChannel):
            raise AudioCaptureError(f"There is no voice channel <#{self.channel_id}> (any more).")
        try:
            connecting = channel.connect(
                timeout=JOIN_S, reconnect=True, cls=self._make_client, self_mute=True, self_deaf=False
            )
            self._client = self._newest = await asyncio.wait_for(connecting, JOIN_S + LEAVE_S)
        except TROUBLES as cause:
            await self.leave()
            raise AudioCaptureError(
                f"I could not join <#{self.channel_id}> ({type(cause).__name__}); "
                "check that voice traffic (UDP) is not blocked and try again."
            ) from cause
        self._connected_s = time.monotonic()

    async def rejoin(self) -> bool:
        """Leave and join again; return whether the seat was taken.

        False when somebody took the bot out (see `ending`), when the channel is gone, and when the attempts ran
        out: they are counted until it is proved that they helped, over any number of calls.
        """
        self._listener.rejoining()
        await self.leave()
        give_up_s = time.monotonic() + GATEWAY_S
        while self._attempts < len(REJOIN_WAITS_MS) and self.ending is None:
            await asyncio.sleep(REJOIN_WAITS_MS[self._attempts] / 1000)
            if not await self._is_there_before(give_up_s):
                return False
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

        What somebody did with the bot until then stays known as `ending`. Takes a few seconds at most.
        """
        ending = self.ending
        self._client = None
        for client in self._bot.voice_clients:
            if isinstance(client, RecordingVoiceClient) and client.listener is self._listener:
                await _disconnect(client)
        self._newest, self._ending = None, ending

    def _make_client(self, client: discord.Client, channel: discord.abc.Connectable) -> RecordingVoiceClient:
        self._newest = RecordingVoiceClient(client, channel, listener=self._listener)
        return self._newest

    @property
    def _place(self) -> Place:
        shard = self._bot.get_shard((self._guild_id >> 22) % (self._bot.shard_count or 1))
        guild = self._bot.get_guild(self._guild_id)
        if shard is None or shard.is_closed() or (guild is not None and guild.unavailable):
            return Place.UNKNOWN
        channel = self._bot.get_channel(self.channel_id)
        return Place.THERE if isinstance(channel, discord.VoiceChannel) else Place.GONE

    async def _is_there_before(self, give_up_s: float) -> bool:
        """Wait for the gateway until *give_up_s*; return whether the channel is there. A channel that is gone ends
        the recording at once."""
        while self._place is Place.UNKNOWN:
            if time.monotonic() >= give_up_s:
                return False
            await asyncio.sleep(LOOK_S)
        if self._place is Place.GONE:
            self._ending = self._ending or Ending.REMOVED
        return self._place is Place.THERE

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
    guild = channel.guild
    own_id = guild.me.id if guild.me else None
    return frozenset(one for one in channel.voice_states if one != own_id and not is_bot(guild, one))


def is_bot(guild: discord.Guild | None, user_id: int) -> bool:
    """Return whether a user is known to be a program; who is not known yet is taken for a person."""
    member = guild.get_member(user_id) if guild is not None else None
    return member is not None and member.bot
