"""discord.py's voice client with ears.

discord.py 2.7.1 has no receive API, but two places where one can listen: the connection's ``hook`` gets each
JSON message of the voice websocket on the event loop, and a socket listener gets each datagram on a reader
thread. Both survive reconnects and region moves of the same client, and end when discord.py gives the connection
up (`is_given_up`).
"""

from __future__ import annotations

import asyncio
import logging
import struct
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import discord
from discord.gateway import DiscordVoiceWebSocket
from discord.voice_state import ConnectionFlowState, VoiceConnectionState

from standup.bot.listener import READY, Listener
from standup.bot.socket_reader import PromptSocketReader
from standup.capture.keys import ConnectionKeys

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.02
VOICE_SERVER_CRASHED = 4015
#: https://discord.com/developers/docs/topics/opcodes-and-status-codes#voice-voice-close-event-codes

Datagram = Callable[[bytes], None]
Hook = Callable[[DiscordVoiceWebSocket, dict[str, Any]], Coroutine[Any, Any, None]]


class HookedConnection(VoiceConnectionState):
    """discord.py's connection with *on_datagram* on its socket while a session stands, and *hook* on its messages."""

    def __init__(self, voice_client: discord.VoiceClient, on_datagram: Datagram, hook: Hook) -> None:
        super().__init__(voice_client, hook=hook)
        self._on_datagram = on_datagram
        self._unused_reader = self._socket_reader  # started by discord.py, waits until it is stopped
        self._socket_reader = PromptSocketReader(self)
        self._socket_reader.start()

    def listen(self) -> None:
        """Take datagrams from now on: READY has come and the IP discovery before it is over."""
        self.add_socket_listener(self._on_datagram)

    def end(self) -> None:
        """End both reader threads, and discord.py's tasks that would bring the connection back.

        These outlive its `disconnect`, and when one fails later it takes the guild's seat from whoever has it then.
        """
        self._unused_reader.stop()
        self._socket_reader.stop()
        for task in (self._runner, self._connector):
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    async def _wait_for_state(
        self, state: ConnectionFlowState, *other_states: ConnectionFlowState, timeout: float | None = None
    ) -> None:
        """Wait until the connection is in one of these states.

        discord.py waits for an event that is set and cleared at once: when both voice updates come in one read of
        the gateway, the second one passes between two waits, and the handshake hangs.
        """
        wanted = (state, *other_states)

        async def reached() -> None:
            while self.state not in wanted:  # noqa: ASYNC110 - the event of discord.py is what is missed
                await asyncio.sleep(LOOK_EVERY_S)

        await asyncio.wait_for(reached(), timeout)

    async def _connect_websocket(self, resume: bool) -> DiscordVoiceWebSocket:
        """Take no datagrams during the handshake of a new session.

        discord.py listens for the IP discovery's answer after it has sent the question; with a listener that
        keeps the socket reader awake, an answer that comes at once is read before anybody waits for it.
        """
        if not resume:
            self.remove_socket_listener(self._on_datagram)
        return await super()._connect_websocket(resume)


class RecordingVoiceClient(discord.VoiceClient):
    """A muted member of a voice channel whose packets and events go to a `Listener`.

    Owner: the event loop.
    """

    def __init__(
        self,
        client: discord.Client,
        channel: discord.abc.Connectable,
        *,
        listener: Listener,
    ) -> None:
        self.listener = listener
        self._keepalives = 0
        self.is_given_up = False
        #: discord.py has ended the connection and will not bring it back.
        self.was_removed = False
        #: Somebody disconnected the bot, or its channel was deleted.
        self.was_moved = False
        #: Somebody pulled the bot into another channel.
        self.deafened_since_s: float | None = None
        #: Monotonic time since when a moderator has the bot deafened; None while Discord sends it voice.
        self._is_seated = False
        super().__init__(client, channel)
        self._connection: HookedConnection
        self._channel_id: int = self.channel.id
        self._joined_by = self._gateway_session()

    def create_connection_state(self) -> VoiceConnectionState:
        """Return the connection, hooked."""
        return HookedConnection(self, self.listener.datagram, self._hear_event)

    @property
    def stands(self) -> bool:
        """Whether the connection is complete and its websocket open; discord.py's own state outlives a websocket."""
        return self.is_connected() and bool(self._connection.ws) and self._close_code is None

    @property
    def has_lost_its_server(self) -> bool:
        """Whether the voice server crashed: discord.py waits in vain for voice updates when it resumes after that."""
        return self._close_code == VOICE_SERVER_CRASHED

    @property
    def has_lost_its_poller(self) -> bool:
        """Whether the task that reads the voice websocket has ended, which leaves the state as it was."""
        runner = self._connection._runner
        return runner is not None and runner.done()

    def keep_alive(self) -> None:
        """Send the 8-byte keepalive of Discord's own clients, so that a NAT on the way keeps the path open."""
        if not self.is_connected():
            return
        self._keepalives = (self._keepalives + 1) % 2**64
        try:
            self._connection.send_packet(struct.pack("<Q", self._keepalives))
        except OSError:  # a datagram may be lost on this machine as well as on the way
            log.debug("A keepalive could not be sent")

    async def on_voice_state_update(self, data: Mapping[str, Any]) -> None:
        """Note what somebody else did with the bot, before discord.py acts on it.

        When the gateway session that joined is gone, Discord itself ends its stay: that is a loss, not a wish.
        Before the first news of a seat, news of none is about an earlier stay, and discord.py would give up.
        """
        channel_id = data.get("channel_id")
        if channel_id is None:
            if not self._is_seated:
                return
            is_wish = self._connection._expecting_disconnect
            self.was_removed = self.was_removed or (
                not is_wish and self._gateway_session() == self._joined_by
            )
        else:
            self._is_seated = True
            self.was_moved = int(channel_id) != self._channel_id
            self._note_deafening(bool(data.get("deaf")))
        await super().on_voice_state_update(data)  # type: ignore[arg-type]

    def cleanup(self) -> None:
        """Forget the connection; discord.py calls this when it has given up, and again after `disconnect`.

        The guild's place is given up only by who holds it: a later client may be there.
        """
        self.is_given_up = True
        self._connection.end()
        if self._state._get_voice_client(self.guild.id) in (None, self):
            super().cleanup()

    @property
    def _close_code(self) -> int | None:
        websocket = self._connection.ws
        return websocket.ws.close_code if websocket else None

    def _note_deafening(self, is_deafened: bool) -> None:
        if is_deafened:
            self.deafened_since_s = self.deafened_since_s or time.monotonic()
        elif self.deafened_since_s is not None:
            self.deafened_since_s = None
            self.listener.undeafened()

    def _gateway_session(self) -> str | None:
        return self._state._get_websocket(self.guild.id).session_id

    async def _hear_event(self, websocket: DiscordVoiceWebSocket, message: dict[str, Any]) -> None:
        """Pass a message on; an exception here would silently end the task that reads the websocket."""
        try:
            if message.get("op") == READY:
                self.listener.connected(ConnectionKeys(self._connection), self.user.id)
                self._connection.listen()
            self.listener.voice_event(message)
        except Exception:
            log.exception("A voice event could not be taken")
