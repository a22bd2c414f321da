"""What receiving costs: CPU per active speaker, beside a sink that decodes.

The packets are real: Opus by libopus, a DAVE group of all speakers and two listeners, transport encryption. One
listener is `standup.capture` with its journal on disk; the other does what stock receive sinks do, decrypt,
decode with libopus and write a WAV file. Both take the same packets in turns, in slices, as fast as they can;
the middle slice counts. Socket reads are in neither figure.
"""

from __future__ import annotations

import math
import statistics
import struct
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import davey
from discord.opus import Decoder, Encoder

from standup.capture.decrypt import TransportDecrypter, open_frame
from standup.capture.journal import JournalWriter
from standup.capture.keys import ConnectionKeys
from standup.capture.opus import FRAME_SAMPLES, SILENCE
from standup.capture.receiver import SPEAKING, Receiver
from standup.capture.rtp import AUDIO_PAYLOAD_TYPE, parse, strip
from standup.errors import AudioCaptureError
from standup.simulator.mls import ExternalSender
from standup.simulator.transport import XCHACHA20, Header, make_cipher, seal_relayed

PACKETS_PER_S = 50
TARGET_CORE_PERCENT = 0.5
SLICES = 5
CHANNEL_ID = 7_000
RECORDER_ID, SINK_ID = 1, 2
FIRST_SPEAKER_ID = 100
BACKLOG_RECORDS = 8_192


@dataclass(frozen=True, slots=True)
class CaptureFigures:
    """Both costs of one run, on one machine, over the same packets."""

    speakers: int
    seconds: float
    packets: int
    """Packets each listener took."""
    recorded: int
    """Packets that reached the journal decrypted; fewer than *packets* would make the run void."""
    receive_us: float
    """CPU microseconds per packet of our path: transport, DAVE, receiver, journal."""
    sink_us: float
    """CPU microseconds per packet of the decoding sink."""

    @property
    def core_percent(self) -> float:
        """Percent of one core per speaker at 50 packets a second."""
        return self.receive_us * PACKETS_PER_S / 1e4

    @property
    def sink_core_percent(self) -> float:
        """The same of the decoding sink."""
        return self.sink_us * PACKETS_PER_S / 1e4

    @property
    def ratio(self) -> float:
        """How many times the sink's CPU ours is; below 1 is cheaper."""
        return self.receive_us / self.sink_us

    @property
    def is_within_target(self) -> bool:
        """Whether a speaker costs at most 0.5 percent of a core."""
        return self.core_percent <= TARGET_CORE_PERCENT


class Connection:
    """One listener's voice connection: what discord.py would hold."""

    def __init__(self, secret_key: bytes, session: davey.DaveSession) -> None:
        self.mode = XCHACHA20
        self.secret_key = list(secret_key)
        self.dave_protocol_version = davey.DAVE_PROTOCOL_VERSION
        self.dave_session = session


class _Recorder:
    """The listener under test."""

    def __init__(self, connection: Connection, folder: Path, speakers: range) -> None:
        self.receiver = Receiver(ConnectionKeys(connection), RECORDER_ID)
        self.journal = JournalWriter(folder, time.time_ns())
        for user in speakers:
            self.receiver.voice_event({"op": SPEAKING, "d": {"user_id": str(user), "ssrc": user}}, 0)

    def take(self, datagrams: list[bytes]) -> None:
        """Receive and journal *datagrams*, and wait until the journal has them."""
        for number, datagram in enumerate(datagrams):
            for record in self.receiver.receive(datagram, time.monotonic_ns(), time.time_ns()):
                self.journal.append(record)
            if number % BACKLOG_RECORDS == BACKLOG_RECORDS - 1:
                self._drain()
        self._drain()

    def _drain(self) -> None:
        deadline_s = time.monotonic() + 30
        while self.journal.health.pending:
            if time.monotonic() > deadline_s:
                raise AudioCaptureError("The journal did not keep up for 30 s; check the disk and run again.")
            time.sleep(0.01)


class _Sink:
    """The listener to compare with: decodes each packet and writes one WAV file per speaker."""

    def __init__(self, connection: Connection, folder: Path, speakers: range) -> None:
        self._keys = ConnectionKeys(connection)
        self._transport = TransportDecrypter()
        self._decoders = {user: Decoder() for user in speakers}  # type: ignore[no-untyped-call]
        self._files = {user: wave.open(str(folder / f"{user}.wav"), "wb") for user in speakers}
        for file in self._files.values():
            file.setparams((2, 2, 48_000, 0, "NONE", ""))

    def take(self, datagrams: list[bytes]) -> None:
        """Decrypt, decode and write *datagrams*."""
        for datagram in datagrams:
            packet = parse(datagram)
            body = self._transport.open(packet, self._keys.mode, self._keys.secret_key)
            frame = open_frame(self._keys, packet.ssrc, strip(packet, body or b""))
            pcm = self._decoders[packet.ssrc].decode(frame, fec=False)
            self._files[packet.ssrc].writeframes(pcm)

    def close(self) -> None:
        """Finish the files."""
        for file in self._files.values():
            file.close()


def run(speakers: int, seconds: float) -> CaptureFigures:
    """Measure *speakers* people talking at once for *seconds* each; takes a fraction of that time.

    Raises AudioCaptureError when a packet did not come through, as the figures would mean nothing, and
    ValueError for less than a packet.
    """
    if speakers < 1 or seconds * PACKETS_PER_S < 1:
        raise ValueError("a capture benchmark needs a speaker and 20 ms of speech")
    people = range(FIRST_SPEAKER_ID, FIRST_SPEAKER_ID + speakers)
    sessions = make_group([RECORDER_ID, SINK_ID, *people])
    key = Random(seconds).randbytes(32)
    datagrams = list(_datagrams(people, sessions, key, round(seconds * PACKETS_PER_S)))
    with tempfile.TemporaryDirectory() as folder:
        recorder = _Recorder(Connection(key, sessions[RECORDER_ID]), Path(folder, "journal"), people)
        sink = _Sink(Connection(key, sessions[SINK_ID]), Path(folder), people)
        costs = [
            (_cpu_us(recorder.take, part), _cpu_us(sink.take, part)) for part in _slices(datagrams) if part
        ]
        sink.close()
        recorder.journal.close()
    recorded = recorder.receiver.counts.decrypted
    if recorded != len(datagrams) or recorder.journal.health.written != recorded:
        raise AudioCaptureError(
            f"Only {recorded} of {len(datagrams)} packets were recorded; the run is void."
        )
    ours, theirs = (statistics.median(column) for column in zip(*costs, strict=True))
    return CaptureFigures(speakers, seconds, len(datagrams), recorded, ours, theirs)


def make_group(user_ids: list[int]) -> dict[int, davey.DaveSession]:
    """Return a DAVE session for each user, all members of one MLS group; the first founds it."""
    server = ExternalSender(CHANNEL_ID.to_bytes(8, "big"))
    sessions: dict[int, davey.DaveSession] = {}
    for epoch, user in enumerate(user_ids, -1):
        session = davey.DaveSession(davey.DAVE_PROTOCOL_VERSION, user, CHANNEL_ID)
        session.set_external_sender(server.package())
        key_package = session.get_serialized_key_package()
        if sessions:
            _admit(sessions, server.propose_add(epoch, key_package), session)
        sessions[user] = session
    return sessions


def _admit(members: dict[int, davey.DaveSession], operation: bytes, newcomer: davey.DaveSession) -> None:
    append = davey.ProposalsOperationType.append
    answers = [member.process_proposals(append, operation[1:]) for member in members.values()]
    winner = answers[0]
    if winner is None or winner.welcome is None:
        raise AudioCaptureError("The DAVE group could not be made; check that davey is installed as pinned.")
    for member in members.values():
        member.process_commit(winner.commit)
    newcomer.process_welcome(winner.welcome)


def _datagrams(
    people: range, sessions: dict[int, davey.DaveSession], key: bytes, count: int
) -> Iterator[bytes]:
    """Yield *count* packets of each person, as relayed: interleaved, with a header extension."""
    frames = _opus_frames()
    cipher = make_cipher(XCHACHA20, key)
    for number in range(count):
        for user in people:
            sealed = sessions[user].encrypt_opus(frames[(number + user) % len(frames)])
            header = Header(AUDIO_PAYLOAD_TYPE, number & 0xFFFF, number * FRAME_SAMPLES & 0xFFFFFFFF, user)
            yield seal_relayed(
                cipher, header, sealed, count=number * len(people) + user, extension=b"\x51\x00\x00\x00"
            )


def _opus_frames() -> list[bytes]:
    """Return two seconds of a gliding, noisy voice, encoded as discord.py would."""
    noise = Random(1)
    encoder = Encoder()
    frames = []
    phase = 0.0
    for number in range(2 * PACKETS_PER_S):
        samples = []
        for _ in range(FRAME_SAMPLES):
            phase += 2 * math.pi * (120 + number) / 48_000
            voice = sum(math.sin(phase * partial) / partial for partial in (1, 2, 3, 5))
            samples.append(int(6_000 * voice + noise.gauss(0, 300)))
        stereo = [one for sample in samples for one in (sample, sample)]
        frames.append(encoder.encode(struct.pack(f"<{len(stereo)}h", *stereo), FRAME_SAMPLES))
    return [frame for frame in frames if frame != SILENCE]


def _slices(datagrams: list[bytes]) -> Iterator[list[bytes]]:
    size = max(1, len(datagrams) // SLICES)
    for start in range(0, size * SLICES, size):
        yield datagrams[start : start + size if start < size * (SLICES - 1) else None]


def _cpu_us(take: Callable[[list[bytes]], None], datagrams: list[bytes]) -> float:
    begin_s = time.process_time()
    take(datagrams)
    return (time.process_time() - begin_s) * 1e6 / len(datagrams)
