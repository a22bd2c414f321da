"""Pass voice from each client to the others over UDP, as Discord's SFU does.

A client is known by its SSRC and by the address its IP discovery came from. Its packets are opened with its own
key and sealed anew for every receiver, with the header extension, the losses and the delays of ``Faults`` on the way.
The payload stays as it was: under DAVE the relay cannot read it.

https://discord.com/developers/docs/topics/voice-connections#ip-discovery
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from typing import Any, cast

from .faults import Faults, Impairment, make_impairment
from .seat import Seat
from .transport import PAYLOAD_TYPE_OPUS, Header, PacketRefused, open_packet, seal, seal_relayed

DISCOVERY_BYTES = 74
DISCOVERY_REQUEST = 1
DISCOVERY_REPLY = 2
#: discord.py listens for the reply only after it has asked: a reply faster than any network's would be lost.
DISCOVERY_DELAY_S = 0.02
KEEPALIVE_BYTES = 8
RTCP_TYPES = range(200, 205)
SENDER_REPORT = 200
#: One element of RFC 8285's one-byte form: id 1 (audio level), one byte, then padding to a word.
AUDIO_LEVEL_EXTENSION = bytes((0x10, 0x9E, 0x00, 0x00))


class Relay(asyncio.DatagramProtocol):
    """The UDP side of one voice server.

    *seats* is the voice server's own table by SSRC. *hearing* is called before a receiver gets the first packet
    of an SSRC it knows no owner of; *complain* takes a sentence for every packet no real client would send.
    """

    def __init__(
        self,
        seats: dict[int, Seat],
        faults: Faults,
        seed: int,
        hearing: Callable[[Seat, Seat], None],
        complain: Callable[[str], None],
    ) -> None:
        self.faults = faults
        self.relayed_packets = 0
        self._seats = seats
        self._seed = seed
        self._hearing = hearing
        self._complain = complain
        self._impairments: dict[tuple[int, int], Impairment] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._loop = asyncio.get_running_loop()
        self._reporter: asyncio.Task[None] | None = None
        self._last_heard: dict[int, Header] = {}

    @property
    def address(self) -> tuple[str, int]:
        """Say where clients send their packets."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    async def open(self) -> None:
        """Bind a free port of the loopback interface and begin to relay."""
        await self._loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        if self.faults.rtcp_interval_s:
            self._reporter = asyncio.create_task(self._report())

    async def close(self) -> None:
        """Stop relaying; packets that were still on their way are lost."""
        if self._transport:
            self._transport.close()
        if self._reporter:
            self._reporter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reporter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket that asyncio made."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take one packet from a client."""
        if len(data) == DISCOVERY_BYTES and data[:2] == DISCOVERY_REQUEST.to_bytes(2, "big"):
            self._discover(data, addr)
        elif len(data) == KEEPALIVE_BYTES:
            self._send(data, addr)
        elif len(data) > 1 and data[1] not in RTCP_TYPES:
            try:
                self._relay(data, addr)
            except PacketRefused as refusal:
                self._complain(f"A UDP packet was refused: {refusal}")

    def _discover(self, data: bytes, addr: tuple[str, int]) -> None:
        ssrc = int.from_bytes(data[4:8], "big")
        seat = self._seats.get(ssrc)
        if seat is None:
            self._complain(f"IP discovery asked for SSRC {ssrc}, which no client has.")
            return
        seat.address = addr
        reply = struct.pack(">HHI", DISCOVERY_REPLY, 70, ssrc) + addr[0].encode().ljust(64, b"\0")
        self._loop.call_later(DISCOVERY_DELAY_S, self._send, reply + addr[1].to_bytes(2, "big"), addr)

    def _relay(self, data: bytes, addr: tuple[str, int]) -> None:
        ssrc = int.from_bytes(data[8:12], "big")
        sender = self._seats.get(ssrc)
        if sender is None or sender.cipher is None or sender.address != addr:
            return  # From a connection that has ended: the real relay is silent, too.
        header, payload = open_packet(sender.cipher, data)
        if header.payload_type != PAYLOAD_TYPE_OPUS:
            return
        self._last_heard[ssrc] = header
        for receiver in list(self._seats.values()):
            if receiver is not sender and receiver.cipher and receiver.address and not receiver.is_deaf:
                self._hearing(receiver, sender)
                self._pass_on(receiver, header, payload)

    def _pass_on(self, receiver: Seat, header: Header, payload: bytes) -> None:
        impairment = self._impairment(receiver.ssrc, header.ssrc)
        now_ms = self._loop.time() * 1000
        for due_ms in impairment.plan(now_ms):
            packet = self._seal(receiver, header, payload, impairment.padding_bytes())
            if due_ms <= now_ms:
                self._send(packet, receiver.address)
            else:
                self._loop.call_at(due_ms / 1000, self._send, packet, receiver.address)

    def _seal(self, receiver: Seat, header: Header, payload: bytes, padding_bytes: int) -> bytes:
        assert receiver.cipher is not None
        receiver.sent_packets += 1
        self.relayed_packets += 1
        extension = AUDIO_LEVEL_EXTENSION if self.faults.has_extension else b""
        return seal_relayed(
            receiver.cipher,
            header,
            payload,
            count=receiver.sent_packets,
            extension=extension,
            padding_bytes=padding_bytes,
        )

    def _impairment(self, receiver_ssrc: int, ssrc: int) -> Impairment:
        key = receiver_ssrc, ssrc
        if key not in self._impairments:
            self._impairments[key] = make_impairment(
                self.faults, self._seed, receiver_ssrc=receiver_ssrc, ssrc=ssrc
            )
        return self._impairments[key]

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self.faults.rtcp_interval_s)
            for receiver in list(self._seats.values()):
                for header in list(self._last_heard.values()):
                    self._send_report(receiver, header)

    def _send_report(self, receiver: Seat, header: Header) -> None:
        """Send one RTCP sender report (RFC 3550 section 6.4.1), sealed after its first 8 bytes."""
        if receiver.cipher is None or receiver.address is None or receiver.ssrc == header.ssrc:
            return
        receiver.sent_packets += 1
        clear = struct.pack(">BBHI", 0x80, SENDER_REPORT, 6, header.ssrc)
        ntp = int(self._loop.time() * 2**32) & (2**64 - 1)
        body = struct.pack(">QIII", ntp, header.timestamp_ticks, self.relayed_packets, 0)
        self._send(seal(receiver.cipher, clear, body, receiver.sent_packets), receiver.address)

    def _send(self, packet: bytes, address: tuple[str, int] | None) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(packet, address)
