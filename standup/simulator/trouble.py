"""What can be done to the bot from outside: permissions taken, REST failing, connections dropped."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

from .admission import Admission
from .errors import LoopbackError
from .events import Events
from .faults import PlannedFailure
from .gateway import Gateway
from .participant import Participant
from .permissions import NOTHING, Overwrite, Permission
from .voice_rooms import VoiceRooms
from .world import World


class Trouble:
    """The part of the loopback Discord that makes trouble; ``LoopbackDiscord`` is the whole."""

    world: World
    rooms: VoiceRooms
    events: Events
    gateway: Gateway
    admission: Admission
    participants: dict[int, Participant]

    def deny(self, channel_id: int, permission: Permission, user_id: int | None = None) -> None:
        """Take *permission* from one member in a channel, by default from the bot."""
        self._overwrite(Overwrite(user_id or self.world.bot_id, True, deny=permission), channel_id)

    def restore(self, channel_id: int, user_id: int | None = None) -> None:
        """Give one member, by default the bot, back what was denied in a channel."""
        self._overwrite(Overwrite(user_id or self.world.bot_id, True, NOTHING, NOTHING), channel_id)

    def hide(self, channel_id: int, role_id: int) -> None:
        """Make a channel private: only the bot and whoever has the role can view it."""
        view = Permission.VIEW_CHANNEL
        self._overwrite(Overwrite(self.world.bot_id, True, allow=view), channel_id)
        self._overwrite(Overwrite(role_id, False, allow=view), channel_id)
        self._overwrite(Overwrite(self.world.guild_id, False, deny=view), channel_id)

    def archive_thread(self, thread_id: int) -> None:
        """Archive a thread, as Discord does when nobody writes in it."""
        archived = self.world.archive_thread(thread_id, datetime.now(timezone.utc), is_archived=True)
        self.events.thread_changed("THREAD_UPDATE", archived)

    def delete_thread(self, thread_id: int) -> None:
        """Delete a thread, as a moderator does."""
        self.events.thread_changed("THREAD_DELETE", self.world.remove_thread(thread_id))

    def fail(self, route: str, *, status: int, times: int = 1, retry_after_s: float = 0.2) -> None:
        """Have the next *times* calls of *route* fail with 429 or 5xx.

        *route* is spelled as Discord does: ``POST /channels/{channel_id}/messages``.
        """
        self.admission.failures.append(PlannedFailure(route, status, times, retry_after_s))

    def restart_gateway(self) -> None:
        """Ask every session to reconnect and resume (op 7)."""
        self.gateway.reconnect_all()

    def close_gateway(self, code: int = 4000, *, is_resumable: bool = True) -> None:
        """Close every gateway websocket with *code*."""
        self.gateway.close_all(code, is_resumable=is_resumable)

    def drop_voice(self, code: int = 4006) -> None:
        """Close the bot's voice websocket: 4006 session invalid, 4014 disconnected, 4015 server crashed."""
        server = self.rooms.server_of(self._bot_channel_id())
        seat = server.seat_of(self.world.bot_id) if server else None
        if seat is None or seat.outbox is None:
            raise LoopbackError("The bot is connected to no voice server.")
        seat.outbox.close(code)

    def kick_bot(self) -> None:
        """Disconnect the bot from voice, as a moderator does."""
        self.rooms.leave(self.world.bot_id)

    async def move_region(self) -> None:
        """Move the bot's voice channel to a new voice server with new keys; everybody is sent there."""
        tickets = await self.rooms.move_region(self._bot_channel_id())
        for user_id, ticket in tickets:
            if user_id == self.world.bot_id:
                self.events.voice_server_changed(ticket)
        await asyncio.gather(
            *(
                self.participants[user_id].connect(ticket)
                for user_id, ticket in tickets
                if user_id != self.world.bot_id
            )
        )

    def recreate_group(self) -> None:
        """Have everybody in the bot's voice channel begin a new MLS group (op 24, epoch 1)."""
        server = self.rooms.server_of(self._bot_channel_id())
        if server:
            server.recreate_group()

    def _bot_channel_id(self) -> int:
        state = self.world.voice_states.get(self.world.bot_id)
        if state is None or state.channel_id is None:
            raise LoopbackError("The bot sits in no voice channel.")
        return state.channel_id

    def _overwrite(self, overwrite: Overwrite, channel_id: int) -> None:
        self.events.channel_changed(self.world.overwrite(channel_id, overwrite))
