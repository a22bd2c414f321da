"""Who speaks on which SSRC, and the packets that wait for an answer to that.

Pure: times are arguments, monotonic nanoseconds. Discord names an SSRC's user in a websocket message that may
come after the first packets of the SSRC, or never for somebody who was talking before the bot came; a leaver's
SSRC may be given to somebody else.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from standup.capture.opus import SILENCE

HOLD_PACKETS = 100  # per SSRC
HOLD_NS = 2_000_000_000
HELD_SSRCS = 64
KNOWN_SSRCS = 1024
TRIES = 8  # of a user's key on a held frame, per packet that comes: 3 to 10 us each
SELDOM = 10  # packets from one search to the next, once as many as can be held were searched in vain
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

    @property
    def named(self) -> frozenset[int]:
        """The users who have an SSRC."""
        return frozenset(self._users.values())

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


@dataclass(slots=True)
class _Waiting:
    """The frames of one SSRC, and how far the search for their sender has come."""

    frames: deque[Frame] = field(default_factory=deque)
    users: tuple[int, ...] = ()
    place: int = 0
    """Of the frame in question among *frames*."""
    turn: int = 0
    """The next user to try."""
    left: int = 0
    """How many users were not tried on the frame in question."""
    came: int = 0
    """Packets since the search began."""

    def drop_oldest(self) -> Frame:
        self.place -= 1
        if self.place < 0:
            self.place, self.left = 0, len(self.users)
        return self.frames.popleft()

    def tries(self, users: tuple[int, ...]) -> Iterator[tuple[Frame, int]]:
        if users != self.users:
            self.users, self.place, self.turn, self.left, self.came = users, 0, 0, len(users), 0
        while users and self.place < len(self.frames):
            frame = self.frames[self.place]
            if self.left == 0 or frame.content == SILENCE:
                self.place, self.left = self.place + 1, len(users)
                continue
            user = users[self.turn]
            self.turn, self.left = (self.turn + 1) % len(users), self.left - 1
            yield frame, user


class HeldFrames:
    """Frames of unnamed SSRCs: per SSRC the newest 100 within 2 s, for at most 64 SSRCs.

    ``dropped`` counts those that did not fit.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[int, _Waiting] = OrderedDict()
        self.dropped = 0

    def __len__(self) -> int:
        return sum(len(waiting.frames) for waiting in self._held.values())

    def hold(self, frame: Frame) -> list[Frame]:
        """Keep *frame*; return what made room: the oldest of its SSRC, or the longest silent SSRC's."""
        waiting = self._held.setdefault(frame.ssrc, _Waiting())
        self._held.move_to_end(frame.ssrc)
        waiting.came += 1
        frames = waiting.frames
        frames.append(frame)
        made_room: list[Frame] = []
        while len(frames) > HOLD_PACKETS or frame.monotonic_ns - frames[0].monotonic_ns > HOLD_NS:
            made_room.append(waiting.drop_oldest())
        if len(self._held) > HELD_SSRCS:
            made_room += self._held.popitem(last=False)[1].frames
        self.dropped += len(made_room)
        return made_room

    def is_search_due(self, ssrc: int) -> bool:
        """Say whether to look for the sender of *ssrc* at this packet: often at first, seldom after long in vain."""
        waiting = self._held.get(ssrc)
        return waiting is not None and (waiting.came <= HOLD_PACKETS or waiting.came % SELDOM == 0)

    def tries(self, ssrc: int, users: tuple[int, ...]) -> Iterator[tuple[Frame, int]]:
        """Yield at most TRIES pairs of a frame that waits for *ssrc* and one of *users* who may have sent it.

        Goes on where the last call for the same users ended: the oldest frame with each user, then the next.
        A key that opened a frame opens no older ones, so the first that can be opened must be found. The user
        last tried is never tried again before the others, even when frames make room faster than they are tried.
        """
        waiting = self._held.get(ssrc)
        return islice(waiting.tries(users), TRIES) if waiting is not None else iter(())

    def release(self, ssrc: int) -> list[Frame]:
        """Return what waited for *ssrc* in order of arrival, and hold it no more."""
        waiting = self._held.pop(ssrc, None)
        return list(waiting.frames) if waiting is not None else []

    def drop_all(self) -> list[Frame]:
        """Return all that still waits, and count it as dropped."""
        left = [frame for waiting in self._held.values() for frame in waiting.frames]
        self._held.clear()
        self.dropped += len(left)
        return left

    def drop(self, ssrc: int) -> None:
        """Let go of what waited for an SSRC that turned out to be unwanted; not counted as lost."""
        self._held.pop(ssrc, None)
