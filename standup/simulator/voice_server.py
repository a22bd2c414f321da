"""One voice server: who sits in it, its relay, its MLS group and its port.

A region move is a second ``VoiceServer`` that everybody is sent to. The websocket protocol is in
``voice_gateway``.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from aiohttp import web

from .faults import Faults
from .group import EXECUTE_TRANSITION, Frame, Group
from .mls import ExternalSender
from .relay import Relay
from .seat import Seat

SPEAKING = 5
CLIENTS_CONNECT = 11
CLIENT_DISCONNECT = 13
PREPARE_EPOCH = 24
EXTERNAL_SENDER = 25
DAVE_VERSION = 1
DISCONNECTED = 4014
SHUTDOWN_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Invitation:
    """What the gateway told one client it may IDENTIFY with."""

    user_id: int
    session_id: str
    token: str = field(repr=False)


@dataclass(eq=False)
class VoiceServer:
    """One voice server for one channel.

    Owned by the event loop that opened it. *lost* is called with the user id when a client's websocket has
    been away for longer than *resume_window_s*; *complain* takes a sentence for everything no real client
    would do.
    """

    guild_id: int
    channel_id: int
    faults: Faults
    seed: int
    has_dave: bool
    complain: Callable[[str], None]
    lost: Callable[[int], None]
    ssrcs: Iterator[int]
    """Where new SSRCs come from; no two servers give the same."""
    resume_window_s: float = 15.0
    seats: dict[int, Seat] = field(default_factory=dict, init=False)
    """By SSRC."""
    deaf_users: set[int] = field(default_factory=set, init=False)
    """Who was deaf when invited."""
    port: int = field(default=0, init=False)
    invalid_commits: int = field(default=0, init=False)
    """How often a client could not follow a commit or a Welcome (op 31)."""
    _invitations: dict[int, Invitation] = field(default_factory=dict, init=False)
    _ghosts: dict[int, asyncio.TimerHandle] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.group = Group(ExternalSender(self.channel_id.to_bytes(8, "big")))
        self.relay = Relay(self.seats, self.faults, self.seed, self._tell_owner, self.complain)
        self._runner: web.AppRunner | None = None

    @property
    def endpoint(self) -> str:
        """Say where clients connect: the host and port of a VOICE_SERVER_UPDATE."""
        return f"127.0.0.1:{self.port}"

    @property
    def dave_version(self) -> int:
        """Say which DAVE protocol version the session descriptions carry; 0 is none."""
        return DAVE_VERSION if self.has_dave else 0

    async def open(self, app: web.Application, tls: ssl.SSLContext) -> None:
        """Bind free loopback ports for *app*'s websocket and for the relay."""
        await self.relay.open()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Close every websocket with 4014, then both ports."""
        for ghost in self._ghosts.values():
            ghost.cancel()
        for seat in list(self.seats.values()):
            if seat.outbox:
                seat.outbox.close(DISCONNECTED)
        await self.relay.close()
        if self._runner:
            await self._runner.cleanup()

    def invite(self, user_id: int, session_id: str) -> Invitation:
        """Let *user_id* IDENTIFY; an earlier invitation of the same user ends."""
        invitation = Invitation(user_id, session_id, secrets.token_hex(8))
        self._invitations[user_id] = invitation
        return invitation

    def admits(self, invitation: Invitation) -> bool:
        """Say whether exactly this invitation was given and still holds."""
        return self._invitations.get(invitation.user_id) == invitation

    def seat_of(self, user_id: int) -> Seat | None:
        """Find the client of *user_id*."""
        return next((seat for seat in self.seats.values() if seat.user_id == user_id), None)

    def hears(self, user_id: int) -> bool:
        """Say whether *user_id* is connected and, under DAVE, in a group where nothing is under way."""
        seat = self.seat_of(user_id)
        if seat is None or seat.cipher is None:
            return False
        return not self.has_dave or (user_id in self.group.members and self.group.is_settled)

    def sit_down(self, invitation: Invitation) -> Seat:
        """Give the invited client a seat and a new SSRC; its earlier seat is vacated."""
        former = self.seat_of(invitation.user_id)
        if former:
            self.vacate(former)
        seat = Seat(invitation.user_id, next(self.ssrcs), invitation.session_id, invitation.token)
        seat.is_deaf = invitation.user_id in self.deaf_users
        self.seats[seat.ssrc] = seat
        return seat

    def welcome(self, seat: Seat) -> None:
        """Introduce a client that has its session description to the others, and the group to it."""
        others = [other for other in self.seats.values() if other is not seat and other.cipher]
        if others:
            seat.send(CLIENTS_CONNECT, {"user_ids": [str(other.user_id) for other in others]})
        for other in others:
            other.send(CLIENTS_CONNECT, {"user_ids": [str(seat.user_id)]})
        if self.has_dave:
            seat.send_binary(EXTERNAL_SENDER, self.group.sender.package())

    def announce(self, speaker: Seat, flags: int) -> None:
        """Pass SPEAKING (op 5) on to the others."""
        if not flags and not speaker.is_announced:
            return
        speaker.is_announced = True
        for other in self.seats.values():
            if other is not speaker and other.cipher:
                self._send_speaking(other, speaker, flags)

    def deliver(self, frames: list[Frame]) -> None:
        """Send the group's frames; one for somebody who has left is dropped."""
        for frame in frames:
            seat = self.seat_of(frame.user_id)
            if seat is None:
                continue
            if frame.op == EXECUTE_TRANSITION:
                seat.send(frame.op, {"transition_id": frame.transition_id})
            else:
                seat.send_binary(frame.op, frame.payload)

    def recreate_group(self) -> None:
        """Tell every client to begin a new MLS group (op 24 with epoch 1)."""
        self.group.restart()
        for seat in self.seats.values():
            if seat.cipher:
                seat.send(PREPARE_EPOCH, {"protocol_version": DAVE_VERSION, "epoch": 1})

    def vacate(self, seat: Seat, code: int = DISCONNECTED) -> None:
        """Take a client out: its websocket is closed with *code*, the others and the group learn it."""
        if self.seats.pop(seat.ssrc, None) is None:
            return
        ghost = self._ghosts.pop(seat.ssrc, None)
        if ghost:
            ghost.cancel()
        if seat.outbox:
            seat.outbox.close(code)
        for other in self.seats.values():
            if other.cipher:
                other.send(CLIENT_DISCONNECT, {"user_id": str(seat.user_id)})
        self.deliver(self.group.leave(seat.user_id))

    def dismiss(self, user_id: int) -> None:
        """Take *user_id* out and let nobody IDENTIFY as them until invited anew."""
        self._invitations.pop(user_id, None)
        seat = self.seat_of(user_id)
        if seat:
            self.vacate(seat)

    def await_resume(self, seat: Seat) -> None:
        """Keep the seat of a client whose websocket broke, for *resume_window_s*."""
        seat.outbox = None
        loop = asyncio.get_running_loop()
        self._ghosts[seat.ssrc] = loop.call_later(self.resume_window_s, self._give_up, seat)

    def resume(self, session_id: str, token: str) -> Seat | None:
        """Find the seat that a RESUME means; None when there is none any more."""
        for seat in self.seats.values():
            if seat.session_id == session_id and secrets.compare_digest(seat.token, token):
                ghost = self._ghosts.pop(seat.ssrc, None)
                if ghost:
                    ghost.cancel()
                return seat
        return None

    def _give_up(self, seat: Seat) -> None:
        self.vacate(seat)
        self.lost(seat.user_id)

    def _tell_owner(self, receiver: Seat, speaker: Seat) -> None:
        if speaker.is_announced and speaker.ssrc not in receiver.told:
            self._send_speaking(receiver, speaker, 1)

    def _send_speaking(self, receiver: Seat, speaker: Seat, flags: int) -> None:
        receiver.told.add(speaker.ssrc)
        receiver.send(SPEAKING, {"user_id": str(speaker.user_id), "ssrc": speaker.ssrc, "speaking": flags})
