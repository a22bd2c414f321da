"""Tell the bot's gateway sessions, and whoever waits, what has happened.

https://discord.com/developers/docs/events/gateway-events
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from .gateway import (
    INTENT_GUILDS,
    INTENT_MEMBERS,
    INTENT_MESSAGES,
    INTENT_VOICE_STATES,
    Gateway,
    GatewayHooks,
    Session,
)
from .payloads import (
    Json,
    redact_message,
    serialize_channel,
    serialize_guild_create,
    serialize_member,
    serialize_message,
    serialize_thread,
    serialize_user,
    serialize_voice_state,
)
from .permissions import Permission
from .voice_rooms import Ticket, VoiceRooms
from .world import Channel, Message, Thread, User, VoiceState, World

POLL_S = 0.05
ALLOCATION_S = 0.05
MEMBERS_PER_CHUNK = 1000


class Events:
    """Turn changes of the world into gateway events.

    Owned by the event loop of the loopback Discord. ``gateway`` is set once, right after both were made.
    """

    gateway: Gateway

    def __init__(
        self, world: World, rooms: VoiceRooms, base_url: Callable[[], str], complain: Callable[[str], None]
    ) -> None:
        self._world = world
        self._rooms = rooms
        self._base_url = base_url
        self._complain = complain
        self._changed = asyncio.Event()

    def hooks(self) -> GatewayHooks:
        """Give the gateway what it asks of the rest of Discord."""
        return GatewayHooks(
            self.session_ready, self.voice_wished, self.members_wished, self.session_ended, self._complain
        )

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until *condition* holds; it is asked again after every event and twenty times a second."""
        while not condition():
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), POLL_S)
            except asyncio.TimeoutError:
                continue

    def session_ready(self, session: Session) -> None:
        """Send READY and then the guild, as after every IDENTIFY."""
        ready = {
            "v": 10,
            "user": serialize_user(self._world.users[self._world.bot_id]),
            "guilds": [{"id": str(self._world.guild_id), "unavailable": True}],
            "session_id": session.session_id,
            "resume_gateway_url": f"{self._base_url().replace('https', 'wss', 1)}/gateway/",
            "shard": session.shard,
            "application": {"id": str(self._world.bot_id), "flags": 0},
        }
        session.dispatch("READY", ready)
        session.dispatch("GUILD_CREATE", serialize_guild_create(self._world))
        self._changed.set()

    def session_ended(self, session: Session) -> None:
        """Take the bot out of voice when the session that brought it there is over."""
        state = self._world.voice_states.get(self._world.bot_id)
        if state and state.session_id == session.session_id:
            self._rooms.leave(self._world.bot_id)
        self._changed.set()

    async def voice_wished(self, session: Session, content: Mapping[str, Any]) -> None:
        """Let the bot into a voice channel, or out of it (op 4)."""
        bot_id = self._world.bot_id
        if content["channel_id"] is None:
            self._rooms.leave(bot_id)
            return
        wish = VoiceState(
            bot_id,
            int(content["channel_id"]),
            session.session_id,
            self_mute=bool(content.get("self_mute")),
            self_deaf=bool(content.get("self_deaf")),
        )
        ticket = await self._rooms.join(wish)
        if ticket:
            self.voice_server_changed(ticket)

    def members_wished(self, session: Session, content: Mapping[str, Any]) -> None:
        """Send the members that op 8 asks for, in chunks."""
        users = _chosen_users(list(self._world.users.values()), content)
        chunks = [users[i : i + MEMBERS_PER_CHUNK] for i in range(0, len(users), MEMBERS_PER_CHUNK)] or [[]]
        for number, chunk in enumerate(chunks):
            answer: Json = {
                "guild_id": str(self._world.guild_id),
                "members": [serialize_member(self._world, user) for user in chunk],
                "chunk_index": number,
                "chunk_count": len(chunks),
            }
            if content.get("nonce"):
                answer["nonce"] = content["nonce"]
            session.dispatch("GUILD_MEMBERS_CHUNK", answer)

    def voice_changed(self, state: VoiceState) -> None:
        """Tell everybody where somebody sits."""
        payload = serialize_voice_state(self._world, state)
        self._dispatch("VOICE_STATE_UPDATE", payload, INTENT_VOICE_STATES)

    def voice_server_changed(self, ticket: Ticket) -> None:
        """Tell the session that brought the bot into voice which voice server to use."""
        session = self.gateway.sessions.get(ticket.session_id)
        if session:
            server = {
                "token": ticket.token,
                "guild_id": str(self._world.guild_id),
                "endpoint": ticket.endpoint,
            }
            # A voice server takes a moment to be found; clients miss an update that comes with the voice state.
            asyncio.get_running_loop().call_later(
                ALLOCATION_S, session.dispatch, "VOICE_SERVER_UPDATE", server
            )
        self._changed.set()

    def member_added(self, user: User) -> None:
        """Tell that somebody entered the guild."""
        payload = serialize_member(self._world, user) | {"guild_id": str(self._world.guild_id)}
        self._dispatch("GUILD_MEMBER_ADD", payload, INTENT_MEMBERS)

    def channel_changed(self, channel: Channel) -> None:
        """Tell that a channel's permissions changed."""
        self._dispatch("CHANNEL_UPDATE", serialize_channel(self._world, channel), INTENT_GUILDS)

    def thread_changed(self, event: str, thread: Thread) -> None:
        """Tell of a thread made, changed or deleted, unless the bot may not see its channel."""
        if not self._world.permissions(self._world.bot_id, thread.parent_id) & Permission.VIEW_CHANNEL:
            return
        payload = serialize_thread(self._world, thread)
        if event == "THREAD_DELETE":
            payload = {name: payload[name] for name in ("id", "guild_id", "parent_id", "type")}
        elif event == "THREAD_CREATE":
            payload["newly_created"] = True
        self._dispatch(event, payload, INTENT_GUILDS)

    def message_changed(self, event: str, message: Message) -> None:
        """Tell of a message posted, edited or deleted, unless the bot may not see its channel."""
        self._changed.set()
        granted = self._world.permissions(self._world.bot_id, message.channel_id)
        if message.is_ephemeral or not granted & Permission.VIEW_CHANNEL:
            return
        guild = {"guild_id": str(self._world.guild_id)}
        if event == "MESSAGE_DELETE":
            ids = {"id": str(message.id), "channel_id": str(message.channel_id)}
            self._dispatch(event, ids | guild, INTENT_MESSAGES)
            return
        payload = serialize_message(self._world, message, self._base_url()) | guild
        author = serialize_member(self._world, self._world.users[message.author_id])
        payload["member"] = {name: value for name, value in author.items() if name != "user"}
        is_own = message.author_id == self._world.bot_id or f"<@{self._world.bot_id}>" in message.content
        sparse = None if is_own else redact_message(payload)
        self.gateway.dispatch(event, payload, INTENT_MESSAGES, sparse=sparse)

    def interaction_created(self, payload: Json) -> None:
        """Send an interaction to every session, whatever its intents."""
        for session in self.gateway.sessions.values():
            session.dispatch("INTERACTION_CREATE", payload)

    def _dispatch(self, event: str, payload: Json, intent: int) -> None:
        self.gateway.dispatch(event, payload, intent)
        self._changed.set()


def _chosen_users(users: list[User], content: Mapping[str, Any]) -> list[User]:
    wanted = content.get("user_ids")
    if wanted:
        ids = {int(one) for one in (wanted if isinstance(wanted, list) else [wanted])}
        return [user for user in users if user.id in ids]
    query = str(content.get("query") or "").lower()
    found = [user for user in users if user.name.lower().startswith(query)]
    return found[: content.get("limit") or None]
