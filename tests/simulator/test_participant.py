"""Participants heard by participants: websocket, UDP, both ciphers and a real MLS group, with no bot about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from standup.simulator.errors import LoopbackError, NotSeen
from standup.simulator.faults import Faults
from standup.simulator.participant import Participant
from standup.simulator.permissions import Overwrite, Permission
from standup.simulator.seat import Seat
from standup.simulator.server import LoopbackDiscord
from standup.simulator.transport import AES256_GCM, XCHACHA20
from standup.simulator.voice_client import SILENCE
from standup.simulator.voice_server import VoiceServer

PACE_S = 0.001
OpenRoom = Callable[..., Awaitable["Room"]]


def frames(speaker: int, count: int = 30) -> list[bytes]:
    """Make Opus-sized frames that tell speaker and position."""
    return [bytes([0x78, speaker, number]) + bytes(57) for number in range(count)]


class Room:
    """Ana speaks and Ben listens."""

    def __init__(self, discord: LoopbackDiscord) -> None:
        self.discord = discord
        self.heard: list[tuple[int, bytes]] = []

    async def fill(self, mode: str) -> None:
        """Bring both into voice."""
        self.ana = await self.discord.enter("Ana")
        self.ben = await self.discord.enter("Ben", heard=lambda who, frame: self.heard.append((who, frame)))
        for person in (self.ana, self.ben):
            person.mode = mode
            await person.join_voice()

    @property
    def server(self) -> VoiceServer:
        """Look up the voice server they are in."""
        found = self.discord.rooms.server_of(self.discord.voice_channel_id)
        assert found is not None
        return found

    @property
    def undecryptable_packets(self) -> int:
        """Count what Ben could not decrypt."""
        assert self.ben.client is not None
        return self.ben.client.undecryptable_packets

    async def wait_for_frames(self, person: Participant, count: int) -> list[bytes]:
        """Wait until Ben has heard that many frames, and return them in order of arrival without silence."""
        await self.discord.wait_until(lambda: len(self.frames_of(person)) >= count, 5, f"{count} frames")
        return self.frames_of(person)

    def frames_of(self, person: Participant) -> list[bytes]:
        """List what Ben has heard of a person, without silence."""
        return [frame for who, frame in self.heard if who == person.user_id and frame != SILENCE]


@pytest.fixture
async def open_room(tmp_path: Path) -> AsyncIterator[OpenRoom]:
    """Open rooms whose relay is as kind as asked."""
    async with AsyncExitStack() as stack:

        async def open_one(mode: str = XCHACHA20, **options: Any) -> Room:
            discord = await stack.enter_async_context(LoopbackDiscord(tmp_path, **options))
            room = Room(discord)
            await room.fill(mode)
            return room

        yield open_one


@pytest.mark.parametrize("mode", [XCHACHA20, AES256_GCM])
@pytest.mark.parametrize("has_dave", [True, False])
async def test_byte_for_byte(open_room: OpenRoom, mode: str, has_dave: bool) -> None:
    """Frames arrive unchanged in both transport modes, with and without end-to-end encryption."""
    room = await open_room(mode, has_dave=has_dave)

    assert await room.ana.speak(frames(1), interval_s=PACE_S) == 30

    assert await room.wait_for_frames(room.ana, 30) == frames(1)
    assert room.discord.violations == []


async def test_silence_is_in_clear(open_room: OpenRoom) -> None:
    """Five silence frames end a talk spurt."""
    room = await open_room()
    await room.ana.speak(frames(1, 3), interval_s=PACE_S)
    await room.discord.wait_until(lambda: len(room.heard) >= 8, 5, "the spurt")

    assert [frame for _, frame in room.heard[-5:]] == [SILENCE] * 5


async def test_deaf_people_hear_nothing(open_room: OpenRoom) -> None:
    """The relay sends a deafened client no voice."""
    room = await open_room()
    await room.ben.speak(frames(2), interval_s=PACE_S)

    assert room.server.relay.relayed_packets == 0


async def test_loss(open_room: OpenRoom) -> None:
    """With every packet lost nothing arrives, and the sender does not notice."""
    room = await open_room(faults=Faults(loss=1.0))

    assert await room.ana.speak(frames(1), interval_s=PACE_S) == 30
    assert room.heard == []


async def test_duplication(open_room: OpenRoom) -> None:
    """With every packet doubled each frame arrives twice."""
    room = await open_room(faults=Faults(duplication=1.0))
    await room.ana.speak(frames(1, 10), interval_s=PACE_S)
    await room.discord.wait_until(lambda: len(room.heard) + room.undecryptable_packets >= 30, 5, "30")

    # The DAVE session takes no frame twice, so the second copy of the encrypted ones is refused by it.
    assert sorted(room.frames_of(room.ana)) == frames(1, 10)
    assert room.undecryptable_packets == 10


async def test_padding_and_no_extension(open_room: OpenRoom) -> None:
    """Padding on every packet changes no frame, nor does the lack of the header extension."""
    room = await open_room(faults=Faults(padding=1.0, has_extension=False))
    await room.ana.speak(frames(1), interval_s=PACE_S)

    assert await room.wait_for_frames(room.ana, 30) == frames(1)


async def test_reordering(open_room: OpenRoom) -> None:
    """Held back packets arrive after their successors, and none is lost."""
    # Without DAVE, which refuses what comes after its successors at the very beginning of an epoch.
    room = await open_room(faults=Faults(reordering=0.3, reorder_ms=20), seed=5, has_dave=False)
    await room.ana.speak(frames(1), interval_s=PACE_S)
    arrived = await room.wait_for_frames(room.ana, 30)

    assert sorted(arrived) == frames(1)
    assert arrived != frames(1)


async def test_sender_reports(open_room: OpenRoom) -> None:
    """RTCP comes among the voice and is told apart."""
    room = await open_room(faults=Faults(rtcp_interval_s=0.02))
    for _ in range(2):
        await room.ana.speak(frames(1), interval_s=0.002)

    assert await room.wait_for_frames(room.ana, 60) == frames(1) * 2
    assert room.undecryptable_packets == 0


async def test_wrap_around(open_room: OpenRoom) -> None:
    """Sequence and timestamp wrap like the counters they are."""
    room = await open_room()
    room.ana.sequence, room.ana.timestamp_ticks = 0xFFFF - 3, 0xFFFFFFFF - 4000

    await room.ana.speak(frames(1), interval_s=PACE_S)

    assert await room.wait_for_frames(room.ana, 30) == frames(1)
    assert room.ana.sequence == 31


async def test_standing_clock(open_room: OpenRoom) -> None:
    """A clock that stands still over pauses goes on by the frames alone."""
    room = await open_room()
    room.ana.has_running_clock = False
    room.ana.timestamp_ticks = 0
    for _ in range(2):
        await room.ana.speak(frames(1, 5), interval_s=PACE_S)

    assert room.ana.timestamp_ticks == 2 * 10 * 960


async def test_late_speaking(open_room: OpenRoom) -> None:
    """Packets before SPEAKING wait for it."""
    room = await open_room()
    await room.ana.speak(frames(1), interval_s=PACE_S, late_speaking_frames=10)

    assert await room.wait_for_frames(room.ana, 30) == frames(1)


async def test_three_members_and_a_leaver(open_room: OpenRoom) -> None:
    """Whoever is left hears the others after somebody, even the founder, has left."""
    room = await open_room()
    eve = await room.discord.enter("Eve")
    await eve.join_voice()
    await room.ana.leave_voice()
    await room.discord.wait_until(
        lambda: room.server.group.is_settled,
        5,
        "the removal",
    )

    await eve.speak(frames(3), interval_s=PACE_S)

    assert await room.wait_for_frames(eve, 30) == frames(3)
    assert room.discord.violations == []


async def test_second_entry(open_room: OpenRoom) -> None:
    """Coming back gives a new SSRC, and the voice is heard again."""
    room = await open_room()
    former_ssrc = room.ana.ssrc
    await room.ana.leave_voice()
    await room.ana.join_voice()
    await room.ana.speak(frames(4), interval_s=PACE_S)

    assert await room.wait_for_frames(room.ana, 30) == frames(4)
    assert room.ana.ssrc != former_ssrc


async def test_speaking_outside_voice(open_room: OpenRoom) -> None:
    """Whoever sits in no voice channel says nothing, and cannot mute."""
    room = await open_room()
    await room.ana.leave_voice()

    assert await room.ana.speak(frames(1), interval_s=PACE_S) == 0
    with pytest.raises(LoopbackError, match="no voice channel"):
        await room.ana.set_mute(True)


async def test_connect_refused(open_room: OpenRoom) -> None:
    """A channel that refuses CONNECT lets nobody in."""
    room = await open_room()
    stranger = await room.discord.enter("Eve")
    room.discord.world.overwrite(
        room.discord.voice_channel_id, Overwrite(stranger.user_id, True, deny=Permission.CONNECT)
    )

    with pytest.raises(LoopbackError, match="may not connect"):
        await stranger.join_voice()


async def test_trouble_needs_a_bot(open_room: OpenRoom) -> None:
    """Trouble in voice needs the bot there, and says so."""
    room = await open_room()

    with pytest.raises(LoopbackError, match="sits in no voice channel"):
        room.discord.drop_voice()
    with pytest.raises(NotSeen, match="in vain"):
        await room.discord.wait_for_bot_voice(0.05)


class RawVoice:
    """A voice websocket with nothing behind it."""

    def __init__(self, room: Room, wire: Any) -> None:
        self.room = room
        self.wire = wire
        self.server = room.server

    async def open(self) -> int:
        """Open it and return the first op."""
        url = f"wss://{self.server.endpoint}/?v=8"
        self.socket = await self.wire.web.ws_connect(url, ssl=self.wire.tls, autoclose=False)
        return int((await self.receive())["op"])

    async def send(self, op: int, content: Any) -> None:
        """Send one JSON message."""
        await self.socket.send_str(json.dumps({"op": op, "d": content}))

    async def receive(self) -> dict[str, Any]:
        """Return the next JSON message; a close comes back as op -1 with its code, a binary frame as op and bytes."""
        message = await self.socket.receive(timeout=5)
        if isinstance(message.data, str):
            parsed: dict[str, Any] = json.loads(message.data)
            return parsed
        return {"op": -1, "d": message.data}

    def seat(self) -> Seat:
        """Look up the bot's seat."""
        seat = self.server.seat_of(self.room.discord.bot_id)
        assert seat is not None
        return seat

    def break_connection(self) -> None:
        """Have the server close the bot's websocket as after a crash."""
        outbox = self.seat().outbox
        assert outbox is not None
        outbox.close(4015)

    def identity(self, **changes: Any) -> dict[str, Any]:
        """Make the IDENTIFY of a newly invited user."""
        user_id = self.room.discord.bot_id
        invitation = self.server.invite(user_id, "session")
        content = {
            "server_id": str(self.room.discord.guild_id),
            "user_id": str(user_id),
            "session_id": "session",
            "token": invitation.token,
            "max_dave_protocol_version": 1,
        }
        return content | changes


@pytest.fixture
async def raw(open_room: OpenRoom, wire_to: Callable[[LoopbackDiscord], Awaitable[Any]]) -> RawVoice:
    """Open a room and a bare voice websocket to it."""
    room = await open_room()
    voice = RawVoice(room, await wire_to(room.discord))
    assert await voice.open() == 8
    return voice


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"token": "wrong"}, 4004, id="token"),
        pytest.param({"session_id": "wrong"}, 4004, id="session"),
        pytest.param({"server_id": "1"}, 4011, id="guild"),
        pytest.param({"max_dave_protocol_version": 0}, 4017, id="no DAVE"),
    ],
)
async def test_refused_identity(raw: RawVoice, changes: dict[str, Any], code: int) -> None:
    """An IDENTIFY that does not fit is closed with its code and noted."""
    await raw.send(0, raw.identity(**changes))

    assert await raw.receive() == {"op": -1, "d": code}
    assert len(raw.room.discord.violations) == 1


@pytest.mark.parametrize(
    ("op", "content", "code"),
    [
        pytest.param(5, {"speaking": 1, "ssrc": 1}, 4003, id="before IDENTIFY"),
        pytest.param(99, {}, 4001, id="unknown op"),
        pytest.param(3, None, 4002, id="no object"),
        pytest.param(3, {}, 4002, id="a field missing"),
        pytest.param(7, {"session_id": "x", "token": "y"}, 4006, id="RESUME of a stranger"),
    ],
)
async def test_voice_breaches(raw: RawVoice, op: int, content: Any, code: int) -> None:
    """A breach of the voice protocol closes with its code."""
    await raw.send(op, content)

    assert await raw.receive() == {"op": -1, "d": code}


async def test_identify_and_breaches_after(raw: RawVoice) -> None:
    """After READY a client may not choose a mode that was not offered."""
    await raw.send(0, raw.identity())
    ready = await raw.receive()
    await raw.send(
        1, {"protocol": "udp", "data": {"address": "127.0.0.1", "port": 9, "mode": "xsalsa20_poly1305"}}
    )

    assert ready["d"]["modes"] == [AES256_GCM, XCHACHA20]
    assert await raw.receive() == {"op": -1, "d": 4016}


async def test_foreign_ssrc(raw: RawVoice) -> None:
    """SPEAKING with somebody else's SSRC is a breach."""
    await raw.send(0, raw.identity())
    await raw.receive()
    await raw.send(5, {"speaking": 1, "ssrc": raw.room.ana.ssrc, "delay": 0})

    assert await raw.receive() == {"op": -1, "d": 4002}


async def test_bad_key_package(raw: RawVoice) -> None:
    """A key package that cannot be read is a breach."""
    await raw.send(0, raw.identity())
    await raw.receive()
    await raw.socket.send_bytes(b"\x1a nonsense")

    assert await raw.receive() == {"op": -1, "d": 4002}
    assert "key package" in raw.room.discord.violations[0]


async def test_heartbeat(raw: RawVoice) -> None:
    """A voice heartbeat is acknowledged with its own number."""
    await raw.send(3, {"t": 7, "seq_ack": -1})

    assert await raw.receive() == {"op": 6, "d": {"t": 7}}


async def test_voice_resume(raw: RawVoice) -> None:
    """After a server crash (4015) RESUME gets what was missed, then RESUMED."""
    identity = raw.identity()
    await raw.send(0, identity)
    ready = await raw.receive()
    seat = raw.seat()
    raw.break_connection()
    assert await raw.receive() == {"op": -1, "d": 4015}
    await raw.socket.close()
    await raw.room.discord.wait_until(lambda: seat.outbox is None, 5, "the break")
    seat.send(13, {"user_id": "1"})
    await raw.open()
    await raw.send(7, {**identity, "seq_ack": ready["seq"]})

    assert [(await raw.receive())["op"] for _ in range(2)] == [13, 9]


async def test_ghost_is_given_up(raw: RawVoice) -> None:
    """A broken connection that nobody resumes is given up, and the others learn it."""
    raw.server.resume_window_s = 0.02
    await raw.send(0, raw.identity())
    await raw.receive()
    raw.break_connection()
    await raw.receive()
    await raw.socket.close()

    await raw.room.discord.wait_until(
        lambda: raw.server.seat_of(raw.room.discord.bot_id) is None,
        5,
        "the ghost to go",
    )


async def test_wire_bot_is_moved(
    open_room: OpenRoom, wire_to: Callable[[LoopbackDiscord], Awaitable[Any]]
) -> None:
    """A region move invites the bot to a new server with a new token, and the others go there."""
    room = await open_room()
    wire = await wire_to(room.discord)
    await wire.identify()
    await wire.send(4, {"channel_id": str(room.discord.voice_channel_id)})
    first = await wire.event("VOICE_SERVER_UPDATE")

    await asyncio.wait_for(room.discord.move_region(), 10)
    second = await wire.event("VOICE_SERVER_UPDATE")
    await room.ana.speak(frames(5), interval_s=PACE_S)

    assert first["endpoint"] != second["endpoint"]
    assert first["token"] != second["token"]
    assert await room.wait_for_frames(room.ana, 30) == frames(5)


async def test_new_group(open_room: OpenRoom, wire_to: Callable[[LoopbackDiscord], Awaitable[Any]]) -> None:
    """Op 24 leads everybody into a new group."""
    room = await open_room()
    wire = await wire_to(room.discord)
    await wire.identify()
    await wire.send(4, {"channel_id": str(room.discord.voice_channel_id)})
    await wire.event("VOICE_SERVER_UPDATE")

    room.discord.recreate_group()
    await room.discord.wait_until(
        lambda: room.discord._have_keys(room.server) and room.server.hears(room.ben.user_id), 5, "all"
    )
    await room.ana.speak(frames(6), interval_s=PACE_S)

    assert await room.wait_for_frames(room.ana, 30) == frames(6)
