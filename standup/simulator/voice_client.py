"""Speak the voice protocol from a participant's side: websocket, UDP and a DAVE session.

A second, independent client beside discord.py's: what the two agree on with the server is the protocol.
https://discord.com/developers/docs/topics/voice-connections, https://daveprotocol.com/
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import aiohttp
import davey

from .transport import PAYLOAD_TYPE_OPUS, Cipher, Header, PacketRefused, make_cipher, open_packet, seal
from .voice_rooms import Ticket

IDENTIFY, SELECT_PROTOCOL, READY, HEARTBEAT, SESSION_DESCRIPTION, SPEAKING = range(6)
HELLO, EXECUTE_TRANSITION, TRANSITION_READY, PREPARE_EPOCH = 8, 22, 23, 24
EXTERNAL_SENDER, KEY_PACKAGE, PROPOSALS, COMMIT_WELCOME, ANNOUNCE_COMMIT, WELCOME = range(25, 31)
CLIENT_DISCONNECT = 13
INVALID_COMMIT = 31
CONNECT_TIMEOUT_S = 10.0
SILENCE = b"\xf8\xff\xfe"
LEFT = 1000
HELD_PACKETS = 200


class VoiceClient(asyncio.DatagramProtocol):
    """One participant's connection to one voice server.

    Owned by the event loop that connected it. *heard* is called with the speaker's id (None for an
    unannounced SSRC) and the decrypted Opus frame.
    """

    def __init__(
        self, user_id: int, guild_id: int, mode: str, heard: Callable[[int, bytes], None] | None = None
    ) -> None:
        self.user_id = user_id
        self.ssrc = 0
        self.undecryptable_packets = 0
        self.dave: davey.DaveSession | None = None
        self._guild_id = guild_id
        self._mode = mode
        self._heard = heard
        self._channel_id = 0
        self._cipher: Cipher | None = None
        self._count = 0
        self._sequence = -1
        self._speakers: dict[int, int] = {}
        self._held: deque[tuple[int, bytes]] = deque(maxlen=HELD_PACKETS)
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._discovered: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
        self._described = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_connected(self) -> bool:
        """Say whether voice can be sent."""
        return self._described.is_set() and self._socket is not None and not self._socket.closed

    @property
    def has_keys(self) -> bool:
        """Say whether the client can speak to and hear the others of its group."""
        return self._described.is_set() and (self.dave is None or self.dave.ready)

    async def connect(self, web: aiohttp.ClientSession, tls: ssl.SSLContext, ticket: Ticket) -> None:
        """Go through the whole handshake; returns when the session description is there.

        Raises asyncio.TimeoutError when the server does not answer within 10 s.
        """
        self._channel_id = ticket.channel_id
        self._socket = await web.ws_connect(f"wss://{ticket.endpoint}/?v=8", ssl=tls, autoclose=False)
        self._tasks.append(asyncio.create_task(self._listen()))
        identity = {
            "server_id": str(self._guild_id),
            "user_id": str(self.user_id),
            "session_id": ticket.session_id,
            "token": ticket.token,
            "max_dave_protocol_version": davey.DAVE_PROTOCOL_VERSION,
        }
        await self._send(IDENTIFY, identity)
        await asyncio.wait_for(self._described.wait(), CONNECT_TIMEOUT_S)

    async def announce(self, flags: int) -> None:
        """Send SPEAKING: 1 while speaking, 0 after."""
        await self._send(SPEAKING, {"speaking": flags, "delay": 0, "ssrc": self.ssrc})

    def send_frame(self, frame: bytes, sequence: int, timestamp_ticks: int) -> bool:
        """Encrypt one Opus frame end to end and for the transport, and send it.

        Returns False, and sends nothing, while the client has no keys.
        """
        if not self.is_connected or self._udp is None or self._cipher is None:
            return False
        if self.dave is not None and frame != SILENCE:
            if not self.dave.ready:
                return False
            frame = self.dave.encrypt_opus(frame)
        header = Header(PAYLOAD_TYPE_OPUS, sequence, timestamp_ticks, self.ssrc)
        self._count += 1
        self._udp.sendto(seal(self._cipher, header.serialize(), frame, self._count))
        return True

    async def close(self) -> None:
        """Leave the voice server."""
        if self._socket:
            with contextlib.suppress(ConnectionError):
                await self._socket.close(code=LEFT)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._udp:
            self._udp.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the relay for our own address (IP discovery)."""
        self._udp = cast(asyncio.DatagramTransport, transport)
        self._udp.sendto(struct.pack(">HHI", 1, 70, self.ssrc).ljust(74, b"\0"))

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take one packet from the relay."""
        if len(data) == 74 and data[1] == 2 and not self._discovered.done():
            address = data[8 : data.index(0, 8)].decode()
            self._discovered.set_result((address, int.from_bytes(data[-2:], "big")))
        elif self._heard and data[1] & 0x7F == PAYLOAD_TYPE_OPUS:
            self._hear(data)

    def _hear(self, packet: bytes) -> None:
        assert self._cipher is not None
        try:
            header, payload = open_packet(self._cipher, packet)
        except PacketRefused:
            self.undecryptable_packets += 1
            return
        if header.ssrc in self._speakers:
            self._pass_on(self._speakers[header.ssrc], payload)
        else:
            self._held.append((header.ssrc, payload))

    def _pass_on(self, speaker_id: int, payload: bytes) -> None:
        assert self._heard is not None
        try:
            if self.dave is not None and payload != SILENCE:
                payload = self.dave.decrypt(speaker_id, davey.MediaType.audio, payload)
        except ValueError:
            self.undecryptable_packets += 1
        else:
            self._heard(speaker_id, payload)

    def _learn_speaker(self, ssrc: int, speaker_id: int) -> None:
        self._speakers[ssrc] = speaker_id
        held, self._held = self._held, deque(maxlen=HELD_PACKETS)
        for held_ssrc, payload in held:
            if held_ssrc == ssrc:
                self._pass_on(speaker_id, payload)
            else:
                self._held.append((held_ssrc, payload))

    async def _listen(self) -> None:
        assert self._socket is not None
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._take(json.loads(message.data))
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._sequence = int.from_bytes(message.data[:2], "big")
                await self._take_mls(message.data[2], message.data[3:])

    async def _take(self, message: dict[str, Any]) -> None:
        op, content = message["op"], message["d"]
        self._sequence = message.get("seq", self._sequence)
        if op == HELLO:
            self._tasks.append(asyncio.create_task(self._beat(content["heartbeat_interval"] / 1000)))
        elif op == READY:
            await self._select_protocol(content)
        elif op == SESSION_DESCRIPTION:
            self._cipher = make_cipher(content["mode"], bytes(content["secret_key"]))
            await self._begin_dave(content["dave_protocol_version"])
            self._described.set()
        elif op == SPEAKING:
            self._learn_speaker(content["ssrc"], int(content["user_id"]))
        elif op == PREPARE_EPOCH and content["epoch"] == 1:
            await self._begin_dave(content["protocol_version"])

    async def _select_protocol(self, content: dict[str, Any]) -> None:
        self.ssrc = content["ssrc"]
        loop = asyncio.get_running_loop()
        relay = content["ip"], content["port"]
        await loop.create_datagram_endpoint(lambda: self, remote_addr=relay)
        address, port = await asyncio.wait_for(self._discovered, CONNECT_TIMEOUT_S)
        mode = self._mode if self._mode in content["modes"] else content["modes"][0]
        data = {"address": address, "port": port, "mode": mode}
        await self._send(SELECT_PROTOCOL, {"protocol": "udp", "data": data})

    async def _begin_dave(self, version: int) -> None:
        if not version:
            return
        if self.dave is None:
            self.dave = davey.DaveSession(version, self.user_id, self._channel_id)
        else:
            self.dave.reinit(version, self.user_id, self._channel_id)
        await self._send_binary(KEY_PACKAGE, self.dave.get_serialized_key_package())

    async def _take_mls(self, op: int, payload: bytes) -> None:
        assert self.dave is not None
        if op == EXTERNAL_SENDER:
            self.dave.set_external_sender(payload)
        elif op == PROPOSALS:
            await self._commit(payload)
        elif op in (ANNOUNCE_COMMIT, WELCOME):
            await self._follow(op, int.from_bytes(payload[:2], "big"), payload[2:])

    async def _commit(self, payload: bytes) -> None:
        assert self.dave is not None
        kind = davey.ProposalsOperationType.revoke if payload[0] else davey.ProposalsOperationType.append
        result = self.dave.process_proposals(kind, payload[1:])
        if result is not None:
            await self._send_binary(COMMIT_WELCOME, result.commit + (result.welcome or b""))

    async def _follow(self, op: int, transition_id: int, message: bytes) -> None:
        assert self.dave is not None
        try:
            if op == WELCOME:
                self.dave.process_welcome(message)
            else:
                self.dave.process_commit(message)
        except ValueError:
            await self._send(INVALID_COMMIT, {"transition_id": transition_id})
            await self._begin_dave(davey.DAVE_PROTOCOL_VERSION)
            return
        if transition_id:
            await self._send(TRANSITION_READY, {"transition_id": transition_id})

    async def _beat(self, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            await self._send(HEARTBEAT, {"t": int(time.time() * 1000), "seq_ack": self._sequence})

    async def _send(self, op: int, content: dict[str, Any]) -> None:
        assert self._socket is not None
        await self._socket.send_str(json.dumps({"op": op, "d": content}))

    async def _send_binary(self, op: int, payload: bytes) -> None:
        assert self._socket is not None
        await self._socket.send_bytes(bytes([op]) + payload)
