"""Whether the bot hears, judged from what the voice server announces and what could be decrypted.

No clock and no I/O here. The law: a heartbeat or a flag never counts as hearing, only decrypted speech does.
Whoever announced speech (op 5) or sent packets that could not be decrypted, and of whom nothing was decrypted
for ``DEAF_AFTER_MS``, proves that the bot is deaf. Silence proves nothing; but where the server echoes keepalives,
a socket on which nothing at all arrives for ``CUT_OFF_AFTER_MS`` is cut off, whoever speaks or not.

A rejoin interrupts everybody. So it is made at most ``REJOINS_PER_USER`` times for one person while others are
heard; after that their packets are only counted.
"""

from __future__ import annotations

from dataclasses import dataclass

DEAF_AFTER_MS = 10_000
#: How long somebody may speak unheard before the connection is taken for deaf.
LOST_PACKETS = 250
#: Undecryptable packets (5 s of speech) of one person that prove deafness while others are heard.
REJOINS_PER_USER = 2
#: Rejoins that somebody who is never heard is worth while others are heard.
CUT_OFF_AFTER_MS = 20_000
#: Four keepalives without an echo, and not a single packet.
REJOIN_WAITS_MS = (0, 2_000, 5_000, 15_000, 30_000)
#: The wait before each attempt to rejoin; after the last one the recording ends.


@dataclass(slots=True)
class _Unheard:
    since_ms: int
    packets: int = 0


@dataclass(slots=True)
class _Blame:
    rejoins: int = 0
    others_heard: bool = False

    @property
    def is_dropped(self) -> bool:
        return self.others_heard and self.rejoins >= REJOINS_PER_USER


class Liveness:
    """What is known about hearing since the connection was made, and for whom it was made anew.

    Not thread-safe: its owner holds a lock around every call.
    """

    def __init__(self) -> None:
        self._unheard: dict[int | None, _Unheard] = {}
        self._blamed: dict[int | None, _Blame] = {}
        self._awaited: set[int | None] = set()  # those blamed for the last rejoin and not heard since
        self._heard_ms: int | None = None
        self.first_heard_ms: int | None = None
        #: When speech was first decrypted since the last `forget`.
        self.last_heard_ms: int | None = None
        #: When speech was last decrypted, on whichever connection.
        self._echoed = False
        self._arrived_ms = 0

    @property
    def is_cured(self) -> bool:
        """Whether speech was decrypted since the last `forget`, also of those who were the reason to rejoin.

        Who has left since, or is no reason to rejoin any more, is not waited for.
        """
        return self._heard_ms is not None and not self._awaited

    def forget(self) -> None:
        """Start over: the connection is a new one. Who was the reason for that is remembered."""
        self._unheard.clear()
        self._heard_ms = self.first_heard_ms = None
        self._echoed = False

    def blame(self, now_ms: int) -> None:
        """Note that the bot rejoins because of those whose unheard speech proves deafness at *now_ms*."""
        self._awaited = {user for user, one in self._unheard.items() if self._proves(user, one, now_ms)}
        for user in self._awaited:
            self._blamed.setdefault(user, _Blame()).rejoins += 1

    def arrived(self, now_ms: int, *, is_echo: bool) -> None:
        """Note a datagram of whatever kind; *is_echo*: of a keepalive."""
        self._arrived_ms = now_ms
        self._echoed = self._echoed or is_echo

    def announced(self, user_id: int, now_ms: int) -> None:
        """Note that *user_id* said it is about to speak."""
        self._unheard.setdefault(user_id, _Unheard(now_ms))

    def undecryptable(self, user_id: int | None, now_ms: int) -> None:
        """Note a packet that could not be decrypted; None stands for senders that are not known yet."""
        self._unheard.setdefault(user_id, _Unheard(now_ms)).packets += 1

    def decrypted(self, user_id: int, now_ms: int) -> None:
        """Note speech of *user_id*."""
        self._heard_ms = now_ms
        self.first_heard_ms = now_ms if self.first_heard_ms is None else self.first_heard_ms
        self.last_heard_ms = max(now_ms, self.last_heard_ms or now_ms)
        self._unheard.pop(user_id, None)
        self._awaited -= {user_id, None}  # of a sender who cannot be named, nothing can be heard again
        self._blamed.pop(user_id, None)
        for other, blame in self._blamed.items():
            blame.others_heard = True
            if blame.is_dropped:
                self._awaited.discard(other)

    def silent(self, user_id: int) -> None:
        """Note that *user_id* sends silence, which travels in clear: an open microphone is no unheard speech,
        but silence does not prove that speech could be decrypted."""
        unheard = self._unheard.get(user_id)
        if unheard is not None and not unheard.packets:
            del self._unheard[user_id]

    def left(self, user_id: int) -> None:
        """Note that *user_id* is muted or has left: nothing is expected from them."""
        self._unheard.pop(user_id, None)
        self._awaited.discard(user_id)

    def deaf_since_ms(self, now_ms: int) -> int | None:
        """Return since when the bot has not heard, or None while nothing proves deafness."""
        proofs = [one.since_ms for user, one in self._unheard.items() if self._proves(user, one, now_ms)]
        if self._echoed and now_ms - self._arrived_ms >= CUT_OFF_AFTER_MS:
            proofs.append(self._arrived_ms)
        return min(proofs, default=None)

    def _proves(self, user_id: int | None, unheard: _Unheard, now_ms: int) -> bool:
        blame = self._blamed.get(user_id)
        if now_ms - unheard.since_ms < DEAF_AFTER_MS or (blame is not None and blame.is_dropped):
            return False
        nobody_heard = self._heard_ms is None or self._heard_ms < unheard.since_ms
        return nobody_heard or unheard.packets >= LOST_PACKETS
