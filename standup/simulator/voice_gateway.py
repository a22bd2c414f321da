"""Speak the voice gateway, version 8, to one client.

The exchange: HELLO (8) → IDENTIFY (0) → READY (2: ssrc, ip, port, modes) → IP discovery over UDP →
SELECT_PROTOCOL (1) → SESSION_DESCRIPTION (4: mode, secret_key, dave_protocol_version) → binary external
sender (25). From then on SPEAKING (5), the DAVE ops 21 to 31, HEARTBEAT (3) and, over a new websocket,
RESUME (7) → RESUMED (9).

https://discord.com/developers/docs/topics/voice-connections, https://daveprotocol.com/#voice-gateway-opcodes
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from .group import GroupViolation
from .outbox import Outbox
from .seat import Seat
from .transport import KEY_BYTES, MODES, make_cipher
from .voice_server import Invitation, VoiceServer

IDENTIFY, SELECT_PROTOCOL, READY, HEARTBEAT, SESSION_DESCRIPTION, SPEAKING = range(6)
HEARTBEAT_ACK, RESUME, HELLO, RESUMED = range(6, 10)
TRANSITION_READY, KEY_PACKAGE, COMMIT_WELCOME, INVALID_COMMIT = 23, 26, 28, 31
HEARTBEAT_INTERVAL_MS = 13_750

UNKNOWN_OP, BAD_PAYLOAD, NOT_AUTHENTICATED, AUTHENTICATION_FAILED = 4001, 4002, 4003, 4004
ALREADY_AUTHENTICATED, SESSION_INVALID, SERVER_NOT_FOUND, UNKNOWN_PROTOCOL = 4005, 4006, 4011, 4012
CRASHED, UNKNOWN_MODE, DAVE_REQUIRED = 4015, 4016, 4017
#: The codes after which the server keeps a session for RESUME, besides a connection that breaks.
RESUMABLE = frozenset({CRASHED})
#: What a websocket is closed with when its session goes on over another one.
DISPLACED = 4009


class Refused(Exception):
    """The client is closed with *code* and *sentence*."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class VoiceConnection:
    """One websocket of a voice server, from HELLO to its close."""

    def __init__(self, server: VoiceServer, socket: web.WebSocketResponse) -> None:
        self.server = server
        self.socket = socket
        self.outbox = Outbox(socket)
        self.seat: Seat | None = None
        self._answers: dict[int, Callable[[dict[str, Any]], None]] = {
            IDENTIFY: self._identify,
            SELECT_PROTOCOL: self._select_protocol,
            HEARTBEAT: self._heartbeat,
            SPEAKING: self._speaking,
            RESUME: self._resume,
            TRANSITION_READY: self._transition_ready,
            INVALID_COMMIT: self._invalid_commit,
        }

    async def serve(self) -> None:
        """Answer the client until its websocket ends."""
        self._send(HELLO, {"v": 8, "heartbeat_interval": HEARTBEAT_INTERVAL_MS})
        try:
            async for message in self.socket:
                self._answer(message)
        finally:
            await self.outbox.finish()
            self._end()

    def _answer(self, message: WSMessage) -> None:
        try:
            if message.type is WSMsgType.TEXT:
                self._answer_json(message.data)
            elif message.type is WSMsgType.BINARY:
                self._answer_binary(message.data)
        except Refused as refusal:
            self.server.complain(f"The voice gateway closed a client with {refusal.code}: {refusal}")
            self.outbox.close(refusal.code, str(refusal))

    def _answer_json(self, text: str) -> None:
        try:
            message = json.loads(text)
            answer = self._answers[message["op"]]
            content = dict(message["d"])
        except KeyError as cause:
            raise Refused(UNKNOWN_OP, f"The voice gateway has no such op or field: {cause}.") from cause
        except (ValueError, TypeError) as cause:
            raise Refused(
                BAD_PAYLOAD, "A voice gateway message is not a JSON object with op and d."
            ) from cause
        try:
            answer(content)
        except KeyError as cause:
            raise Refused(BAD_PAYLOAD, f"Op {message['op']} came without {cause}.") from cause

    def _answer_binary(self, frame: bytes) -> None:
        seat, group = self._seated(), self.server.group
        op, payload = frame[0], frame[1:]
        try:
            if op == KEY_PACKAGE:
                self.server.deliver(group.offer(seat.user_id, payload))
            elif op == COMMIT_WELCOME:
                self.server.deliver(group.commit(seat.user_id, payload))
            else:
                raise Refused(UNKNOWN_OP, f"The voice gateway has no binary op {op}.")
        except GroupViolation as violation:
            raise Refused(BAD_PAYLOAD, str(violation)) from violation

    def _identify(self, content: dict[str, Any]) -> None:
        if self.seat:
            raise Refused(ALREADY_AUTHENTICATED, "IDENTIFY came twice on one voice websocket.")
        if int(content["server_id"]) != self.server.guild_id:
            raise Refused(SERVER_NOT_FOUND, f"There is no voice server {content['server_id']} here.")
        invitation = Invitation(int(content["user_id"]), content["session_id"], content["token"])
        if not self.server.admits(invitation):
            raise Refused(AUTHENTICATION_FAILED, "The voice IDENTIFY names a session or token never given.")
        if self.server.has_dave and not content.get("max_dave_protocol_version"):
            raise Refused(DAVE_REQUIRED, "This call is end-to-end encrypted and the client cannot do DAVE.")
        self.seat = self.server.sit_down(invitation)
        self.seat.outbox = self.outbox
        ip, port = self.server.relay.address
        self.seat.send(READY, {"ssrc": self.seat.ssrc, "ip": ip, "port": port, "modes": list(MODES)})

    def _select_protocol(self, content: dict[str, Any]) -> None:
        seat, data = self._seated(), content["data"]
        if content["protocol"] != "udp":
            raise Refused(UNKNOWN_PROTOCOL, "SELECT_PROTOCOL names another protocol than udp.")
        if data["mode"] not in MODES:
            raise Refused(UNKNOWN_MODE, "SELECT_PROTOCOL names a mode that was not offered.")
        if seat.address != (data["address"], data["port"]):
            self.server.complain("SELECT_PROTOCOL names another address than IP discovery found.")
        key = secrets.token_bytes(KEY_BYTES)
        seat.cipher = make_cipher(data["mode"], key)
        description = {
            "mode": data["mode"],
            "secret_key": list(key),
            "dave_protocol_version": self.server.dave_version,
            "audio_codec": "opus",
            "media_session_id": seat.session_id,
        }
        seat.send(SESSION_DESCRIPTION, description)
        self.server.welcome(seat)

    def _heartbeat(self, content: dict[str, Any]) -> None:
        self._send(HEARTBEAT_ACK, {"t": content["t"]})

    def _speaking(self, content: dict[str, Any]) -> None:
        seat = self._seated()
        if content["ssrc"] != seat.ssrc:
            raise Refused(BAD_PAYLOAD, "SPEAKING names an SSRC that is not the client's own.")
        self.server.announce(seat, int(content["speaking"]))

    def _resume(self, content: dict[str, Any]) -> None:
        seat = self.server.resume(content["session_id"], content["token"])
        if seat is None:
            # No fault of the client's: the session may have ended while it was away.
            self.outbox.close(SESSION_INVALID, "Session is no longer valid.")
            return
        self.seat = seat
        if seat.outbox:
            seat.outbox.close(DISPLACED)
        seat.resume(self.outbox, int(content.get("seq_ack", -1)))
        self._send(RESUMED, None)

    def _transition_ready(self, content: dict[str, Any]) -> None:
        self.server.deliver(self.server.group.ready(self._seated().user_id, content["transition_id"]))

    def _invalid_commit(self, content: dict[str, Any]) -> None:
        # The client's new key package (op 26) follows and has it taken out and added anew.
        self.server.invalid_commits += 1

    def _seated(self) -> Seat:
        if self.seat is None:
            raise Refused(NOT_AUTHENTICATED, "The client spoke before IDENTIFY.")
        return self.seat

    def _send(self, op: int, content: Any) -> None:
        self.outbox.put(json.dumps({"op": op, "d": content}))

    def _end(self) -> None:
        """Decide what becomes of the seat: kept for RESUME, or given up."""
        seat = self.seat
        if seat is None or seat.outbox is not self.outbox:
            return
        code = self.outbox.closed_with or self.socket.close_code
        if code in RESUMABLE or code in (None, 1006):
            self.server.await_resume(seat)
        else:
            self.server.vacate(seat)


def make_voice_app(server: VoiceServer) -> web.Application:
    """Make the web application whose root is *server*'s voice gateway."""

    async def connect(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        if request.query.get("v") != "8":
            server.complain(f"The voice gateway was opened with version {request.query.get('v')}, not 8.")
        await VoiceConnection(server, socket).serve()
        return socket

    app = web.Application()
    app.router.add_get("/", connect)
    return app
