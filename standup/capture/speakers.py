"""Who speaks on which SSRC, and the packets that wait for an answer to that.

Pure: times are arguments, monotonic nanoseconds. Discord names an SSRC's user in a websocket message that may
come after the first packets of the SSRC; a leaver's SSRC may be given to somebody else.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass

HOLD_PACKETS = 100  # per SSRC
HOLD_NS = 2_000_000_000
HELD_SSRCS = 64
KNOWN_SSRCS = 1024
DEPARTED_NS = HOLD_NS  # the last packets of a leaver may come behind the news of leaving


@dataclass(frozen=True, slots=True)
class Frame:
    """A packet after transport decryption, before DAVE."""

    ssrc: int
    sequence: int
    timestamp: int
    monotonic_ns: int
    wall_ns: int
    content: bytes | None
    """None: the transport layer could not be opened."""


class SsrcTable:
    """SSRC to user, and the SSRCs that are not wanted; bounded, the least recently named fall out."""

    def __init__(self) -> None:
        self._users: OrderedDict[int, int] = OrderedDict()
        self._unwanted: OrderedDict[int, None] = OrderedDict()
        self._departed_ns: dict[int, int] = {}  # user -> when

    def user_of(self, ssrc: int, now_ns: int) -> int | None:
        """Return the user of *ssrc*; None when it is not known, or its user left a while ago."""
        user = self._users.get(ssrc)
        if user is not None and self._departed_ns:
            left_ns = self._departed_ns.get(user)
            if left_ns is not None and now_ns - left_ns > DEPARTED_NS:
                self._forget(user)
                return None
        return user

    def is_unwanted(self, ssrc: int) -> bool:
        """Say whether packets of *ssrc* are to be dropped: video, or the bot's own."""
        return ssrc in self._unwanted

    def assign(self, ssrc: int, user_id: int) -> None:
        """Note that *user_id* speaks on *ssrc*, whoever did before."""
        self._departed_ns.pop(user_id, None)
        self._unwanted.pop(ssrc, None)
        self._users[ssrc] = user_id
        self._users.move_to_end(ssrc)
        if len(self._users) > KNOWN_SSRCS:
            self._users.popitem(last=False)

    def refuse(self, ssrc: int) -> None:
        """Note that *ssrc* carries nothing to keep."""
        self._users.pop(ssrc, None)
        self._unwanted[ssrc] = None
        if len(self._unwanted) > KNOWN_SSRCS:
            self._unwanted.popitem(last=False)

    def arrive(self, user_id: int) -> None:
        """Note that *user_id* is in the channel."""
        self._departed_ns.pop(user_id, None)

    def depart(self, user_id: int, now_ns: int) -> None:
        """Note that *user_id* left: the SSRCs stay theirs for the last packets, then belong to nobody."""
        if user_id in self._users.values():
            self._departed_ns[user_id] = now_ns

    def _forget(self, user_id: int) -> None:
        del self._departed_ns[user_id]
        for ssrc in [one for one, user in self._users.items() if user == user_id]:
            del self._users[ssrc]


class HeldFrames:
    """Frames of unnamed SSRCs: per SSRC the newest 100 within 2 s, for at most 64 SSRCs.

    ``dropped`` counts those that did not fit.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[int, deque[Frame]] = OrderedDict()
        self.dropped = 0

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def hold(self, frame: Frame) -> None:
        """Keep *frame*; the oldest of its SSRC, or the longest silent SSRC, make room."""
        waiting = self._held.setdefault(frame.ssrc, deque())
        self._held.move_to_end(frame.ssrc)
        waiting.append(frame)
        while len(waiting) > HOLD_PACKETS or frame.monotonic_ns - waiting[0].monotonic_ns > HOLD_NS:
            waiting.popleft()
            self.dropped += 1
        if len(self._held) > HELD_SSRCS:
            self.dropped += len(self._held.popitem(last=False)[1])

    def release(self, ssrc: int) -> list[Frame]:
        """Return what waited for *ssrc* in order of arrival, and hold it no more."""
        return list(self._held.pop(ssrc, ()))

    def drop(self, ssrc: int) -> None:
        """Let go of what waited for an SSRC that turned out to be unwanted; not counted as lost."""
        self._held.pop(ssrc, None)
