"""What a recording hears: from a voice connection's packets and events to the journal.

The order in which a connection is used: READY (op 2) makes a fresh `Receiver`, because SSRCs belong to one
voice server session and another person may get the same number on the next; RESUMED (op 9) keeps it.
https://discord.com/developers/docs/topics/voice-connections

Threads: `datagram` is called on discord.py's socket reader, everything else on the event loop. One lock guards
what is known about hearing; the receiver has its own; the journal's `append` never blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from standup.bot.liveness import Liveness
from standup.capture.keys import Keys
from standup.capture.opus import SILENCE
from standup.capture.receiver import CLIENT_DISCONNECT, SPEAKING, Receiver
from standup.capture.record import UNKNOWN_SPEAKER, JournalRecord

READY = 2
KEEPALIVE_BYTES = 8
NS_PER_MS = 1_000_000


class Journal(Protocol):
    """Where records go; `append` never blocks and never raises for a full disk."""

    def append(self, record: JournalRecord) -> object:
        """Take one record."""


class Listener:
    """The ears of one recording, across all its voice connections."""

    def __init__(
        self,
        journal: Journal,
        *,
        monotonic_ns: Callable[[], int],
        wall_ns: Callable[[], int],
        is_kept: Callable[[int], bool] = lambda _: True,
    ) -> None:
        """Prepare; *monotonic_ns* and *wall_ns* are the clocks that stamp what arrives.

        *is_kept* tells whose sound is kept; of all others nothing is written, counted as heard or expected. It is
        called from both threads, for every packet.
        """
        self._journal = journal
        self._is_kept = is_kept
        self._monotonic_ns = monotonic_ns
        self._wall_ns = wall_ns
        self._receiver: Receiver | None = None
        self._lock = threading.Lock()
        self._liveness = Liveness()
        self._heard: set[int] = set()
        self._own_user_id = 0

    @property
    def heard(self) -> frozenset[int]:
        """The user ids that sent anything so far, decrypted or not."""
        with self._lock:
            return frozenset(self._heard)

    @property
    def is_cured(self) -> bool:
        """Whether the present connection has brought speech, also of those for whom it was made."""
        with self._lock:
            return self._liveness.is_cured

    @property
    def first_speech_ms(self) -> int | None:
        """How long ago the present connection brought its first speech; None before that."""
        with self._lock:
            return self._age_ms(self._liveness.first_heard_ms)

    @property
    def last_speech_ms(self) -> int | None:
        """How long ago speech was last heard, on whichever connection; None before the first."""
        with self._lock:
            return self._age_ms(self._liveness.last_heard_ms)

    @property
    def deaf_ms(self) -> int | None:
        """For how long somebody has been speaking unheard; None while nothing proves deafness."""
        now_ms = self._now_ms()
        with self._lock:
            return self._age_ms(self._liveness.deaf_since_ms(now_ms))

    def connected(self, keys: Keys, own_user_id: int) -> None:
        """Begin to listen on a new voice server session, read with *keys*."""
        self.end()
        with self._lock:
            self._liveness.forget()
            self._own_user_id = own_user_id
            self._receiver = Receiver(keys, own_user_id)

    def end(self) -> None:
        """Give up packets that still wait for their sender to be named, as their connection ends; count them."""
        if self._receiver is not None:
            self._kept(self._receiver.end())

    def datagram(self, data: bytes) -> None:
        """Take one datagram off the voice socket."""
        receiver, now_ns = self._receiver, self._monotonic_ns()
        if receiver is None:
            return
        records = self._kept(receiver.receive(data, now_ns, self._wall_ns()))
        with self._lock:
            self._liveness.arrived(now_ns // NS_PER_MS, is_echo=len(data) == KEEPALIVE_BYTES)
            self._judge(records)

    def voice_event(self, message: Mapping[str, Any]) -> None:
        """Take one JSON message of the voice websocket."""
        receiver = self._receiver
        if receiver is None:
            return
        self._heed(message)
        records = self._kept(receiver.voice_event(message, self._monotonic_ns()))
        with self._lock:
            self._judge(records)

    def muted(self, user_id: int) -> None:
        """Note that nothing is expected from *user_id*: muted, deafened by the server, gone, or not kept (any more)."""
        with self._lock:
            self._liveness.left(user_id)

    def rejoining(self) -> None:
        """Note that the connection is made anew, because of those who are not heard at present."""
        with self._lock:
            self._liveness.blame(self._now_ms())

    def undeafened(self) -> None:
        """Note that Discord sends voice again; what was announced meanwhile was not to be heard."""
        with self._lock:
            self._liveness.forget()

    def _kept(self, records: Iterable[JournalRecord]) -> list[JournalRecord]:
        """Write the records of those who are kept, and those without content of nobody known, and return them."""
        kept = [one for one in records if one.user_id == UNKNOWN_SPEAKER or self._is_kept(one.user_id)]
        for record in kept:
            self._journal.append(record)
        return kept

    def _heed(self, message: Mapping[str, Any]) -> None:
        """Note announced speech; malformed messages are the receiver's to count."""
        data = message.get("d")
        if message.get("op") not in (SPEAKING, CLIENT_DISCONNECT) or not isinstance(data, Mapping):
            return
        user_text = str(data.get("user_id", ""))
        if not user_text.isdecimal() or int(user_text) == self._own_user_id:
            return
        is_kept = self._is_kept(int(user_text))
        with self._lock:
            if message["op"] == SPEAKING and data.get("speaking") and is_kept:
                self._liveness.announced(int(user_text), self._now_ms())
            elif message["op"] == CLIENT_DISCONNECT:
                self._liveness.left(int(user_text))

    def _judge(self, records: Iterable[JournalRecord]) -> None:
        for record in records:
            if record.user_id == UNKNOWN_SPEAKER:
                self._liveness.undecryptable(None, record.monotonic_ns // NS_PER_MS)
                continue
            self._heard.add(record.user_id)
            if record.is_undecryptable:
                self._liveness.undecryptable(record.user_id, record.monotonic_ns // NS_PER_MS)
            elif record.payload == SILENCE:
                self._liveness.silent(record.user_id)
            else:
                self._liveness.decrypted(record.user_id, record.monotonic_ns // NS_PER_MS)

    def _age_ms(self, at_ms: int | None) -> int | None:
        return None if at_ms is None else self._now_ms() - at_ms

    def _now_ms(self) -> int:
        return self._monotonic_ns() // NS_PER_MS
