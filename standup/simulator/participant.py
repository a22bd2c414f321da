"""A person in the loopback Discord: in the guild, in voice, speaking and writing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random

import aiohttp

from .errors import LoopbackError
from .transport import XCHACHA20
from .voice_client import SILENCE, VoiceClient
from .voice_rooms import Ticket, VoiceRooms
from .world import Message, VoiceState

FRAME_S = 0.02
FRAME_TICKS = 960
SILENCE_FRAMES = 5


@dataclass(frozen=True)
class Surroundings:
    """What every participant needs of the loopback Discord."""

    guild_id: int
    voice_channel_id: int
    rooms: VoiceRooms
    web: aiohttp.ClientSession
    tls: ssl.SSLContext
    write: Callable[[int, int | None, str], Message]
    """Post as a user: user id, channel id (None: the text channel), text."""
    settled: Callable[[int, int], Awaitable[None]]
    """Wait until a user (id) is heard in a voice channel (id)."""


class Participant:
    """One person, and the client they sit in voice with.

    Owned by the event loop of the loopback Discord. *heard* gets the speaker's id and the decrypted Opus frame of
    everything that reaches this person; without it they are deafened, and the relay sends them nothing.
    """

    def __init__(
        self,
        user_id: int,
        name: str,
        surroundings: Surroundings,
        *,
        random: Random,
        heard: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self.user_id = user_id
        self.name = name
        self.mode = XCHACHA20
        """The transport mode to choose at the next join."""
        self.client: VoiceClient | None = None
        self.sequence = random.randrange(1 << 16)
        """The next RTP sequence number; may be set to try the wrap-around."""
        self.timestamp_ticks = random.randrange(1 << 32)
        """The next RTP timestamp; may be set to try the wrap-around."""
        self.has_running_clock = True
        """The RTP timestamp goes on over pauses; else it stands still between talk spurts."""
        self._heard = heard
        self._random = random
        self._around = surroundings
        self._state: VoiceState | None = None
        self._is_speaking = False
        self._last_sent_s: float | None = None

    @property
    def ssrc(self) -> int:
        """Say which SSRC the person has now; 0 outside voice."""
        return self.client.ssrc if self.client else 0

    async def join_voice(self, channel_id: int | None = None) -> None:
        """Enter a voice channel; returns once the person could be heard by everybody in it.

        Every entry gets a new SSRC. Raises LoopbackError when the channel does not let them in.
        """
        wanted = channel_id or self._around.voice_channel_id
        self._state = VoiceState(
            self.user_id, wanted, f"{self._random.getrandbits(128):032x}", self_deaf=self._heard is None
        )
        ticket = await self._around.rooms.join(self._state)
        if ticket is None:
            raise LoopbackError(f"User {self.user_id} may not connect to channel {wanted}.")
        await self.connect(ticket)

    async def connect(self, ticket: Ticket) -> None:
        """Connect to the voice server of *ticket*, leaving the one before."""
        if self.client:
            await self.client.close()
        self.client = VoiceClient(self.user_id, self._around.guild_id, self.mode, self._heard)
        await self.client.connect(self._around.web, self._around.tls, ticket)
        await self._around.settled(self.user_id, ticket.channel_id)
        if self._is_speaking:
            await self.client.announce(1)

    async def leave_voice(self) -> None:
        """Leave voice; outside it nothing happens."""
        client, self.client = self.client, None
        self._state = None
        if client:
            self._around.rooms.leave(self.user_id)
            await client.close()

    async def set_mute(self, is_muted: bool) -> None:
        """Mute or unmute oneself, which everybody in the guild is told."""
        if self._state is None:
            raise LoopbackError(f"User {self.user_id} sits in no voice channel.")
        state = self._state
        self._state = VoiceState(state.user_id, state.channel_id, state.session_id, is_muted, state.self_deaf)
        await self._around.rooms.join(self._state)

    async def speak(
        self, frames: Sequence[bytes], *, interval_s: float = FRAME_S, late_speaking_frames: int = 0
    ) -> int:
        """Say Opus *frames* of 20 ms as one talk spurt, and return how many were sent.

        The spurt begins with SPEAKING, or only after *late_speaking_frames* frames, and ends with five silence
        frames in clear and SPEAKING off. Frames that fall into a reconnect are lost, as they would be.
        *interval_s* is the pace: 0.02 is real time.
        """
        self._resume_clock()
        self._is_speaking = not late_speaking_frames
        if self._is_speaking:
            await self._announce(1)
        sent, begin_s = 0, asyncio.get_running_loop().time()
        for position, frame in enumerate([*frames, *[SILENCE] * SILENCE_FRAMES]):
            if late_speaking_frames and position == late_speaking_frames:
                self._is_speaking = True
                await self._announce(1)
            sent += self._send(frame) and position < len(frames)
            await _sleep_until(begin_s + (position + 1) * interval_s)
        self._is_speaking = False
        await self._announce(0)
        return sent

    def write(self, text: str, channel_id: int | None = None) -> Message:
        """Write a message into a channel, by default the text channel."""
        return self._around.write(self.user_id, channel_id, text)

    def _send(self, frame: bytes) -> bool:
        was_sent = self.client is not None and self.client.send_frame(
            frame, self.sequence, self.timestamp_ticks
        )
        self.timestamp_ticks = (self.timestamp_ticks + FRAME_TICKS) & 0xFFFFFFFF
        if was_sent:
            self.sequence = (self.sequence + 1) & 0xFFFF
        self._last_sent_s = asyncio.get_running_loop().time()
        return was_sent

    def _resume_clock(self) -> None:
        if self.has_running_clock and self._last_sent_s is not None:
            pause_s = asyncio.get_running_loop().time() - self._last_sent_s
            frames = max(0, int(pause_s / FRAME_S))
            self.timestamp_ticks = (self.timestamp_ticks + frames * FRAME_TICKS) & 0xFFFFFFFF

    async def _announce(self, flags: int) -> None:
        if self.client and self.client.is_connected:
            await self.client.announce(flags)


async def _sleep_until(due_s: float) -> None:
    await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))
