"""Let people and the bot into voice channels, and send them to another voice server when the region moves.

The main gateway's half of joining: VOICE_STATE_UPDATE to everybody, and to the one who joins VOICE_SERVER_UPDATE with
the endpoint and token for the voice server. https://discord.com/developers/docs/topics/voice-connections
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from .faults import Faults
from .permissions import Permission
from .voice_gateway import make_voice_app
from .voice_server import VoiceServer
from .world import VOICE_CHANNEL, VoiceState, World

FIRST_SSRC = 4001


@dataclass(frozen=True, slots=True)
class Ticket:
    """What lets one client IDENTIFY at one voice server."""

    channel_id: int
    endpoint: str
    session_id: str
    token: str


@dataclass(eq=False)
class VoiceRooms:
    """Every voice channel's server.

    Owned by the event loop of the loopback Discord. *changed* is called with each new voice state.
    """

    world: World
    tls: ssl.SSLContext
    faults: Faults
    seed: int
    has_dave: bool
    changed: Callable[[VoiceState], None]
    complain: Callable[[str], None]

    def __post_init__(self) -> None:
        self._servers: dict[int, VoiceServer] = {}
        self._retired: list[VoiceServer] = []
        self._opening = asyncio.Lock()
        self._ssrcs = itertools.count(FIRST_SSRC)

    async def join(self, wish: VoiceState) -> Ticket | None:
        """Let a user into ``wish.channel_id``; None when they may not connect or only changed mute or deaf.

        A refusal is silent, as it is on the real gateway: the client's own timeout notices.
        """
        channel_id = wish.channel_id
        if channel_id is None or not self._may_connect(wish.user_id, channel_id):
            return None
        former = self.world.voice_states.get(wish.user_id)
        is_here = former and (former.channel_id, former.session_id) == (channel_id, wish.session_id)
        if former and not is_here:
            self._dismiss(former)
        self.world.voice_states[wish.user_id] = wish
        server = await self._server(channel_id)
        seat = server.seat_of(wish.user_id)
        if seat:
            seat.is_deaf = wish.self_deaf
        self.changed(wish)
        return None if is_here else self._invite(server, wish)

    def leave(self, user_id: int) -> None:
        """Take a user out of voice; one who sits nowhere changes nothing."""
        state = self.world.voice_states.pop(user_id, None)
        if state:
            self._dismiss(state)
            self.changed(VoiceState(user_id, None, state.session_id))

    async def move_region(self, channel_id: int) -> list[tuple[int, Ticket]]:
        """Open another voice server for a channel and invite everybody who sits in it.

        The old one stays until its clients have left it, as the real one does.
        """
        former = self._servers.pop(channel_id, None)
        if former:
            self._retired.append(former)
        server = await self._server(channel_id)
        states = [state for state in self.world.voice_states.values() if state.channel_id == channel_id]
        return [(state.user_id, self._invite(server, state)) for state in states]

    def server_of(self, channel_id: int) -> VoiceServer | None:
        """Find the voice server of a channel; None before anybody entered it."""
        return self._servers.get(channel_id)

    async def close(self) -> None:
        """Close every voice server."""
        for server in [*self._servers.values(), *self._retired]:
            await server.close()
        self._servers.clear()
        self._retired.clear()

    def _may_connect(self, user_id: int, channel_id: int) -> bool:
        channel = self.world.channels.get(channel_id)
        if channel is None or channel.kind != VOICE_CHANNEL:
            self.complain("Op 4 names a channel that is no voice channel of the guild.")
            return False
        return bool(self.world.permissions(user_id, channel_id) & Permission.CONNECT)

    def _invite(self, server: VoiceServer, state: VoiceState) -> Ticket:
        server.deaf_users.discard(state.user_id)
        if state.self_deaf:
            server.deaf_users.add(state.user_id)
        invitation = server.invite(state.user_id, state.session_id)
        return Ticket(server.channel_id, server.endpoint, state.session_id, invitation.token)

    def _dismiss(self, state: VoiceState) -> None:
        server = self._servers.get(state.channel_id or 0)
        for one in [server, *self._retired] if server else self._retired:
            one.dismiss(state.user_id)

    async def _server(self, channel_id: int) -> VoiceServer:
        async with self._opening:
            if channel_id not in self._servers:
                self._servers[channel_id] = await self._open(channel_id)
            return self._servers[channel_id]

    async def _open(self, channel_id: int) -> VoiceServer:
        server = VoiceServer(
            self.world.guild_id,
            channel_id,
            faults=self.faults,
            seed=self.seed,
            has_dave=self.has_dave,
            complain=self.complain,
            lost=self.leave,
            ssrcs=self._ssrcs,
        )
        await server.open(make_voice_app(server), self.tls)
        return server
