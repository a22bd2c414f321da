"""A microphone's sound as the packets that a Discord client would have sent: Opus, 20 ms each, pauses as silence.

libopus itself says where nobody speaks (discontinuous transmission, RFC 6716 section 2.1.9): its detector is
careful, so a noisy room counts as speech rather than speech as noise. In a pause it sends one packet of background
noise every 400 ms; that one is made silence too, so that a pause does not fall into pieces.
"""

from __future__ import annotations

from discord import opus
from discord.opus import Encoder, OpusNotLoaded

from standup.capture.opus import FRAME_SAMPLES, SILENCE, is_silence
from standup.capture.record import JournalRecord
from standup.errors import ServiceMissing

RATE_HZ = 48_000
FRAME_BYTES = FRAME_SAMPLES * 2  # int16, mono
BITRATE_KBIT = 48
EXPECTED_LOSS = 0.01  # the least that the encoder takes; nothing is lost on the way to the disk
SET_DTX = 4016  # OPUS_SET_DTX_REQUEST in opus_defines.h


class _MonoEncoder(Encoder):
    CHANNELS = 1
    SAMPLE_SIZE = 2
    FRAME_SIZE = FRAME_BYTES


class Voice:
    """From one person's microphone to journal records. One owner; not thread-safe."""

    def __init__(self, user_id: int) -> None:
        """Make an encoder; raise ServiceMissing without libopus."""
        try:
            self._encoder = _MonoEncoder(
                application="voip",
                bitrate=BITRATE_KBIT,
                fec=False,
                expected_packet_loss=EXPECTED_LOSS,
                signal_type="voice",
            )
        except OpusNotLoaded as cause:
            raise ServiceMissing(
                "libopus is not installed; run ./setup.sh or `apt-get install libopus0`."
            ) from cause
        # discord.py has no call for this one; its version is pinned.
        opus._lib.opus_encoder_ctl(self._encoder._state, SET_DTX, 1)
        self._user_id = user_id
        self._frames = 0
        self._pauses = Pauses()

    def hear(self, pcm: bytes, *, opening: int, monotonic_ns: int, wall_ns: int) -> JournalRecord | None:
        """Return the record of the frame before this one; None for the first.

        *pcm*: int16 in the machine's order, mono, 48 kHz, ``FRAME_BYTES`` long, ValueError otherwise. *opening*
        counts how often the microphone was opened: across an opening, frames do not follow upon each other.
        """
        if len(pcm) != FRAME_BYTES:
            raise ValueError(f"a frame has {FRAME_BYTES} bytes, not {len(pcm)}")
        packet = self._encoder.encode(pcm, FRAME_SAMPLES)
        record = JournalRecord(
            user_id=self._user_id,
            ssrc=self._user_id << 16 | opening & 0xFFFF,
            sequence=self._frames & 0xFFFF,
            timestamp=self._frames * FRAME_SAMPLES & 0xFFFF_FFFF,
            monotonic_ns=monotonic_ns,
            wall_ns=wall_ns,
            flags=0,
            payload=SILENCE if is_silence(packet) else packet,
        )
        self._frames += 1
        return self._pauses.push(record)

    def end(self) -> JournalRecord | None:
        """Return the last frame's record; None when there is none."""
        return self._pauses.end()


class Pauses:
    """Makes a lone packet between two silent ones silent. Pure; holds one record back."""

    def __init__(self) -> None:
        self._held: JournalRecord | None = None
        self._was_silent = False

    def push(self, record: JournalRecord) -> JournalRecord | None:
        """Take a record and return the one before it, which is settled by it."""
        held, self._held = self._held, record
        if held is None:
            return None
        if self._was_silent and record.payload == SILENCE:
            held = held._replace(payload=SILENCE)
        self._was_silent = held.payload == SILENCE
        return held

    def end(self) -> JournalRecord | None:
        """Return the record that is held back, as it is."""
        held, self._held = self._held, None
        return held
