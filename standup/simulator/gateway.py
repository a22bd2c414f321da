"""Speak the main gateway, version 10, to a bot's sessions.

The exchange: HELLO (10) → IDENTIFY (2) → READY and GUILD_CREATE, then events (0) against heartbeats (1 → 11).
VOICE_STATE (4) asks for a voice channel, REQUEST_MEMBERS (8) for people, and after a break RESUME (6) gets what was
missed, then RESUMED. Several sessions of one bot each get every event, as with the real one.

https://discord.com/developers/docs/events/gateway
"""

from __future__ import annotations

import asyncio
import json
import secrets
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from .outbox import Outbox

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE = range(5)
RESUME, RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = range(6, 12)
HEARTBEAT_INTERVAL_MS = 41_250
HEARTBEAT_TRIP_S = 0.02
UNKNOWN_OP, DECODE_ERROR, NOT_AUTHENTICATED, AUTHENTICATION_FAILED, ALREADY_AUTHENTICATED = range(4001, 4006)
REPLAY_EVENTS = 2000
#: The codes by which a client itself ends its session; with any other it may resume.
FAREWELLS = frozenset({1000, 1001})

INTENT_GUILDS = 1 << 0
INTENT_MEMBERS = 1 << 1
INTENT_VOICE_STATES = 1 << 7
INTENT_MESSAGES = 1 << 9
INTENT_MESSAGE_CONTENT = 1 << 15

Json = Mapping[str, Any]


@dataclass(eq=False)
class Session:
    """One IDENTIFY of the bot, over however many websockets."""

    session_id: str
    intents: int
    shard: list[int]
    connection: GatewayConnection | None = None
    sequence: int = 0
    _log: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REPLAY_EVENTS))

    def dispatch(self, event: str, content: object) -> None:
        """Send one event now, or after the session's RESUME."""
        self.sequence += 1
        frame = json.dumps({"op": DISPATCH, "t": event, "s": self.sequence, "d": content})
        self._log.append((self.sequence, frame))
        if self.connection:
            self.connection.put(frame)

    def resume(self, connection: GatewayConnection, sequence: int) -> None:
        """Go on over *connection*: everything after *sequence*, then RESUMED."""
        self.connection = connection
        for number, frame in self._log:
            if number > sequence:
                connection.put(frame)
        self.dispatch("RESUMED", {})


@dataclass(frozen=True)
class GatewayHooks:
    """What the gateway asks of the rest of Discord."""

    ready: Callable[[Session], None]
    """A session has identified; it is to be sent READY and its guild."""
    voice_state: Callable[[Session, Json], Awaitable[None]]
    """A session sent op 4."""
    members: Callable[[Session, Json], None]
    """A session sent op 8."""
    ended: Callable[[Session], None]
    """A session is over for good."""
    complain: Callable[[str], None]
    """Takes a sentence for what no real client would do."""


class Gateway:
    """Every session of the bot.

    Owned by the event loop of the loopback Discord. A session whose websocket broke ends unless it resumes within
    *resume_window_s*.
    """

    def __init__(self, token: str, hooks: GatewayHooks, resume_window_s: float = 60.0) -> None:
        self.sessions: dict[str, Session] = {}
        self.hooks = hooks
        self._token = token
        self._resume_window_s = resume_window_s

    def dispatch(self, event: str, content: object, intent: int, *, sparse: object = None) -> None:
        """Send an event to every session with *intent*.

        *sparse*, where given, is what a session without the message content intent gets instead.
        """
        for session in self.sessions.values():
            if session.intents & intent:
                is_full = sparse is None or session.intents & INTENT_MESSAGE_CONTENT
                session.dispatch(event, content if is_full else sparse)

    def knows(self, token: str) -> bool:
        """Say whether *token* is the bot's."""
        return secrets.compare_digest(token, self._token)

    def start(self, intents: int, shard: list[int]) -> Session:
        """Begin a session."""
        session = Session(secrets.token_hex(16), intents, shard)
        self.sessions[session.session_id] = session
        return session

    def end(self, session: Session) -> None:
        """End a session for good."""
        if self.sessions.pop(session.session_id, None):
            self.hooks.ended(session)

    def await_resume(self, session: Session) -> None:
        """End a session that is still without a websocket after the resume window."""
        asyncio.get_running_loop().call_later(self._resume_window_s, self._give_up, session)

    def reconnect_all(self) -> None:
        """Ask every session to reconnect and resume (op 7), as before a gateway restarts."""
        for session in self.sessions.values():
            if session.connection:
                session.connection.send(RECONNECT, None)

    def close_all(self, code: int, *, is_resumable: bool) -> None:
        """Close every websocket with *code*; sessions that are not resumable end."""
        for session in list(self.sessions.values()):
            if session.connection:
                session.connection.outbox.close(code)
            if not is_resumable:
                self.end(session)

    def _give_up(self, session: Session) -> None:
        if session.connection is None:
            self.end(session)

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one websocket until it ends."""
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            self.hooks.complain("The gateway was opened with another version than 10 or encoding than json.")
        is_compressed = request.query.get("compress") == "zlib-stream"
        await GatewayConnection(self, socket, is_compressed=is_compressed).serve()
        return socket


class GatewayConnection:
    """One websocket of the gateway, from HELLO to its close."""

    def __init__(self, gateway: Gateway, socket: web.WebSocketResponse, *, is_compressed: bool) -> None:
        self.gateway = gateway
        self.outbox = Outbox(socket)
        self.session: Session | None = None
        self._socket = socket
        self._zlib = zlib.compressobj() if is_compressed else None
        self._answers: dict[int, Callable[[Any], Awaitable[None]]] = {
            HEARTBEAT: self._heartbeat,
            IDENTIFY: self._identify,
            PRESENCE: self._presence,
            VOICE_STATE: self._voice_state,
            RESUME: self._resume,
            REQUEST_MEMBERS: self._request_members,
        }

    def put(self, frame: str) -> None:
        """Send one message, compressed when the client asked for zlib-stream."""
        if self._zlib is None:
            self.outbox.put(frame)
        else:
            self.outbox.put(self._zlib.compress(frame.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH))

    def send(self, op: int, content: object) -> None:
        """Send one message that is no event."""
        self.put(json.dumps({"op": op, "d": content, "s": None, "t": None}))

    async def serve(self) -> None:
        """Answer the client until its websocket ends."""
        self.send(HELLO, {"heartbeat_interval": HEARTBEAT_INTERVAL_MS})
        try:
            async for message in self._socket:
                await self._answer(message)
        finally:
            await self.outbox.finish()
            self._end()

    async def _answer(self, message: WSMessage) -> None:
        try:
            content = json.loads(message.data) if message.type is WSMsgType.TEXT else {}
            answer = self._answers.get(int(content["op"]))
            if answer is None:
                self._close(UNKNOWN_OP, "The gateway was sent an unknown op.")
            elif self.session is None and answer not in (self._identify, self._resume, self._heartbeat):
                self._close(NOT_AUTHENTICATED, "The gateway was sent an op before IDENTIFY.")
            else:
                await answer(content.get("d"))
        except (KeyError, ValueError, TypeError, AttributeError) as cause:
            self._close(DECODE_ERROR, f"The gateway could not read a message ({type(cause).__name__}).")

    async def _heartbeat(self, content: object) -> None:
        # Clients note the time of a heartbeat after it has gone out, which an answer at once would come before.
        asyncio.get_running_loop().call_later(HEARTBEAT_TRIP_S, self.send, HEARTBEAT_ACK, None)

    async def _identify(self, content: Json) -> None:
        if self.session:
            self._close(ALREADY_AUTHENTICATED, "IDENTIFY came twice on one websocket.")
        elif not self.gateway.knows(content["token"]):
            # A wrong token is the operator's doing, not a breach of protocol.
            self.outbox.close(AUTHENTICATION_FAILED, "Authentication failed.")
        else:
            self.session = self.gateway.start(int(content["intents"]), list(content.get("shard") or (0, 1)))
            self.session.connection = self
            self.gateway.hooks.ready(self.session)

    async def _presence(self, content: Json) -> None:
        """Take a presence: nobody here looks at it."""

    async def _voice_state(self, content: Json) -> None:
        assert self.session is not None
        await self.gateway.hooks.voice_state(self.session, content)

    async def _resume(self, content: Json) -> None:
        session = self.gateway.sessions.get(content["session_id"])
        if session is None or not self.gateway.knows(content["token"]):
            self.send(INVALID_SESSION, False)
            return
        self.session = session
        session.resume(self, int(content["seq"] or 0))

    async def _request_members(self, content: Json) -> None:
        assert self.session is not None
        self.gateway.hooks.members(self.session, content)

    def _close(self, code: int, sentence: str) -> None:
        self.gateway.hooks.complain(sentence)
        self.outbox.close(code, sentence)

    def _end(self) -> None:
        session = self.session
        if session is None or session.connection is not self:
            return
        session.connection = None
        if self.outbox.closed_with is None and self._socket.close_code in FAREWELLS:
            self.gateway.end(session)
        else:
            self.gateway.await_resume(session)
