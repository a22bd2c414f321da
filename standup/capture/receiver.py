"""The receive path from datagram to journal record; no socket, no disk, no clock.

The order of the steps is Discord's (each has its test)::

    keep only audio RTP -> transport AEAD -> padding, extension off -> whose SSRC? -> silence passes -> DAVE

Locking: discord.py calls `Receiver.receive` on its socket reader's thread and `Receiver.voice_event` on the
event loop's. One lock, held for the whole of either call, makes them take turns; nothing inside waits for
anything else. Records may therefore reach the journal in another order than the packets came; they carry
their arrival times, and the timeline sorts.

Discord announces who speaks on an SSRC when they begin, not to a bot that comes later. DAVE names them all the
same: of the group's members only the sender's key opens a frame, and trying the wrong one leaves it as it was.
Packets whose sender is not found in time leave a record of UNKNOWN_SPEAKER without content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from standup.capture.decrypt import TransportDecrypter, is_dave_frame, open_frame
from standup.capture.keys import Keys
from standup.capture.opus import SILENCE
from standup.capture.record import UNDECRYPTABLE, UNKNOWN_SPEAKER, JournalRecord
from standup.capture.rtp import RtpPacket, is_audio, parse, strip
from standup.capture.speakers import Frame, HeldFrames, SsrcTable
from standup.errors import AudioCaptureError, MalformedPacket

SPEAKING, CLIENTS_CONNECT, VIDEO, CLIENT_DISCONNECT = 5, 11, 12, 13  # voice gateway operations


@dataclass(frozen=True, slots=True)
class ReceiveCounts:
    """What became of everything that came in."""

    ignored: int
    """Datagrams that are not audio: RTCP, discovery, keepalives, video, the bot's own."""
    malformed: int
    """Packets and voice events that break the protocol."""
    decrypted: int
    """Packets handed on with their Opus payload."""
    undecryptable: int
    """Packets whose transport or DAVE layer could not be opened."""
    held: int
    """Packets that wait for their user."""
    held_dropped: int
    """Packets whose user was not found in time."""


class Receiver:
    """Turns datagrams and voice events into records; *own_user_id* is the bot, which is never recorded."""

    def __init__(self, keys: Keys, own_user_id: int) -> None:
        self._keys = keys
        self._own_user_id = own_user_id
        self._lock = Lock()
        self._transport = TransportDecrypter()
        self._ssrcs = SsrcTable()
        self._held = HeldFrames()
        self._ignored = self._malformed = self._decrypted = self._undecryptable = 0
        self._problem: str | None = None
        self._decrypted_ns: int | None = None
        self._speaking_ns: int | None = None

    @property
    def counts(self) -> ReceiveCounts:
        """The numbers so far."""
        with self._lock:
            return ReceiveCounts(
                self._ignored,
                self._malformed,
                self._decrypted,
                self._undecryptable,
                len(self._held),
                self._held.dropped,
            )

    @property
    def problem(self) -> str | None:
        """Why no packet can be read at present (no key, unknown mode), for the operator; None when all is well."""
        return self._problem

    @property
    def last_decrypted_ns(self) -> int | None:
        """Monotonic arrival of the newest packet that could be decrypted: the only proof of hearing."""
        return self._decrypted_ns

    @property
    def last_speaking_ns(self) -> int | None:
        """Monotonic time of the newest SPEAKING event of anybody else; None before the first."""
        return self._speaking_ns

    def receive(self, datagram: bytes, monotonic_ns: int, wall_ns: int) -> list[JournalRecord]:
        """Take one datagram off the socket; return the records to write: its own, and of packets that waited.

        Never raises for what a datagram contains.
        """
        with self._lock:
            if not is_audio(datagram):
                self._ignored += 1
                return []
            try:
                packet = parse(datagram)
                if self._ssrcs.is_unwanted(packet.ssrc):
                    self._ignored += 1
                    return []
                content = self._open(packet)
            except MalformedPacket:
                self._malformed += 1
                return []
            frame = Frame(packet.ssrc, packet.sequence, packet.timestamp, monotonic_ns, wall_ns, content)
            return self._place(frame)

    def voice_event(self, message: Mapping[str, Any], monotonic_ns: int) -> list[JournalRecord]:
        """Take one JSON message of the voice websocket (``{"op": 5, "d": {…}}``); return held packets it releases.

        Never raises for what a message contains; operations that do not concern it change nothing.
        """
        with self._lock:
            try:
                return self._heed(message.get("op"), message.get("d"), monotonic_ns)
            except (AttributeError, KeyError, TypeError, ValueError):
                self._malformed += 1
                return []

    def end(self) -> list[JournalRecord]:
        """Give up what still waits for its user, as the connection ends; return the records of that."""
        with self._lock:
            return _unattributed(self._held.drop_all())

    def _heed(self, operation: Any, data: Any, now_ns: int) -> list[JournalRecord]:
        if operation == SPEAKING:
            user_id, ssrc = _snowflake(data["user_id"]), int(data["ssrc"])
            if user_id != self._own_user_id:
                self._speaking_ns = now_ns
            return self._assign(ssrc, user_id)
        if operation == CLIENTS_CONNECT:
            for one in data["user_ids"]:
                self._ssrcs.arrive(int(one))
        elif operation == VIDEO:
            for ssrc in _video_ssrcs(data):
                self._ssrcs.refuse(ssrc)
                self._held.drop(ssrc)
            if data.get("audio_ssrc"):
                return self._assign(int(data["audio_ssrc"]), _snowflake(data["user_id"]))
        elif operation == CLIENT_DISCONNECT:
            self._ssrcs.depart(_snowflake(data["user_id"]), now_ns)
        return []

    def _assign(self, ssrc: int, user_id: int) -> list[JournalRecord]:
        if user_id == self._own_user_id:
            self._ssrcs.refuse(ssrc)
            self._held.drop(ssrc)
            return []
        self._ssrcs.assign(ssrc, user_id)
        return [
            self._record(user_id, frame, self._opus(user_id, frame)) for frame in self._held.release(ssrc)
        ]

    def _open(self, packet: RtpPacket) -> bytes | None:
        keys = self._keys
        try:
            body = self._transport.open(packet, keys.mode, keys.secret_key)
        except AudioCaptureError as cause:
            self._problem = str(cause)
            return None
        if body is None:
            return None
        self._problem = None
        return strip(packet, body)

    def _place(self, frame: Frame) -> list[JournalRecord]:
        user_id = self._ssrcs.user_of(frame.ssrc, frame.monotonic_ns)
        if user_id is not None:
            return [self._record(user_id, frame, self._opus(user_id, frame))]
        if frame.content is None:  # forged or foreign: not worth a place among the held
            self._undecryptable += 1
            return []
        dropped = self._held.hold(frame)
        return [*_unattributed(dropped), *self._find_sender(frame.ssrc)]

    def _find_sender(self, ssrc: int) -> list[JournalRecord]:
        """Let DAVE say whose *ssrc* is, in few tries; return the records of what waited for that."""
        if not self._held.is_search_due(ssrc):
            return []
        for frame, user_id in self._held.tries(ssrc, self._suspects()):
            if frame.content is None or not is_dave_frame(frame.content):
                continue
            opus = open_frame(self._keys, user_id, frame.content)
            if opus is not None:
                self._ssrcs.assign(ssrc, user_id)
                return [
                    self._record(user_id, one, opus if one is frame else self._opus(user_id, one))
                    for one in self._held.release(ssrc)
                ]
        return []

    def _suspects(self) -> tuple[int, ...]:
        """Return who may send on an SSRC that nobody named: those without any, then those back on another."""
        members = self._keys.dave_users if self._keys.dave_decrypt is not None else frozenset()
        named = self._ssrcs.named
        return tuple(sorted(members - {self._own_user_id}, key=lambda one: (one in named, one)))

    def _opus(self, user_id: int, frame: Frame) -> bytes | None:
        return None if frame.content is None else open_frame(self._keys, user_id, frame.content)

    def _record(self, user_id: int, frame: Frame, opus: bytes | None) -> JournalRecord:
        if opus is None:
            self._undecryptable += 1
        else:
            self._decrypted += 1
            self._decrypted_ns = frame.monotonic_ns
        return _record(user_id, frame, opus)


def _record(user_id: int, frame: Frame, opus: bytes | None) -> JournalRecord:
    return JournalRecord(
        user_id,
        frame.ssrc,
        frame.sequence,
        frame.timestamp,
        frame.monotonic_ns,
        frame.wall_ns,
        UNDECRYPTABLE if opus is None else 0,
        opus or b"",
    )


def _unattributed(frames: Iterable[Frame]) -> list[JournalRecord]:
    """Return the records of frames whose sender was not found; silence in clear is nobody's loss."""
    return [_record(UNKNOWN_SPEAKER, frame, None) for frame in frames if frame.content != SILENCE]


def _snowflake(value: Any) -> int:
    user_id = int(value)
    if not 0 < user_id < 1 << 64:
        raise ValueError("a user id has 64 bits")
    return user_id


def _video_ssrcs(data: Mapping[str, Any]) -> Iterator[int]:
    for stream in (data, *data.get("streams", ())):
        for field in ("video_ssrc", "rtx_ssrc") if stream is data else ("ssrc", "rtx_ssrc"):
            if stream.get(field):
                yield int(stream[field])
