"""The order of an MLS group, with real DAVE sessions as its members."""

from __future__ import annotations

from collections import deque
from random import Random

import davey
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standup.simulator.group import (
    ANNOUNCE_COMMIT,
    EXECUTE_TRANSITION,
    PROPOSALS,
    WELCOME,
    Frame,
    Group,
    GroupViolation,
)
from standup.simulator.mls import ExternalSender

CHANNEL_ID = 1234567890123
FRAME = b"\x78" + bytes(range(60))


class Call:
    """A voice channel without a network: each member has a queue of frames that is worked off in any order."""

    def __init__(self, random: Random | None = None) -> None:
        self.group = Group(ExternalSender(CHANNEL_ID.to_bytes(8, "big")))
        self.sessions: dict[int, davey.DaveSession] = {}
        self.executed: list[int] = []
        self._queues: dict[int, deque[Frame]] = {}
        self._random = random or Random(0)

    def enter(self, user_id: int) -> None:
        """Somebody connects and offers a key package."""
        session = davey.DaveSession(1, user_id, CHANNEL_ID)
        session.set_external_sender(self.group.sender.package())
        self.sessions[user_id], self._queues[user_id] = session, deque()
        self.post(self.group.offer(user_id, session.get_serialized_key_package()))

    def leave(self, user_id: int) -> None:
        """Somebody disconnects; what was on its way to them is lost."""
        del self.sessions[user_id], self._queues[user_id]
        self.post(self.group.leave(user_id))

    def post(self, frames: list[Frame]) -> None:
        """Queue frames for whoever is still there."""
        for frame in frames:
            if frame.user_id in self._queues:
                self._queues[frame.user_id].append(frame)

    def step(self) -> bool:
        """Let one member take its next frame; False when there is none."""
        waiting = [user_id for user_id, queue in self._queues.items() if queue]
        if not waiting:
            return False
        user_id = self._random.choice(waiting)
        self._take(user_id, self._queues[user_id].popleft())
        return True

    def settle(self) -> None:
        """Work everything off."""
        while self.step():
            pass

    def _take(self, user_id: int, frame: Frame) -> None:
        session = self.sessions[user_id]
        if frame.op == PROPOSALS:
            result = session.process_proposals(davey.ProposalsOperationType.append, frame.payload[1:])
            if result is not None:
                self.post(self.group.commit(user_id, result.commit + (result.welcome or b"")))
        elif frame.op in (ANNOUNCE_COMMIT, WELCOME):
            follow = session.process_commit if frame.op == ANNOUNCE_COMMIT else session.process_welcome
            follow(frame.payload[2:])
            transition_id = int.from_bytes(frame.payload[:2], "big")
            if transition_id:
                self.post(self.group.ready(user_id, transition_id))
        elif frame.op == EXECUTE_TRANSITION:
            self.executed.append(frame.transition_id)


def agreed(call: Call) -> None:
    """Check that all who are there form one group and can decrypt each other."""
    assert call.group.is_settled
    assert set(call.group.members) == set(call.sessions)
    if len(call.sessions) < 2:
        return
    assert len({session.get_epoch_authenticator() for session in call.sessions.values()}) == 1
    for speaker_id, speaker in call.sessions.items():
        frame = speaker.encrypt_opus(FRAME)
        for listener_id, listener in call.sessions.items():
            if listener_id != speaker_id:
                assert listener.decrypt(speaker_id, davey.MediaType.audio, frame) == FRAME


steps = st.lists(
    st.one_of(st.tuples(st.just("toggle"), st.integers(1, 5)), st.tuples(st.just("step"), st.integers(1, 6))),
    max_size=25,
)


@settings(max_examples=25)
@given(steps, st.randoms(use_true_random=False))
def test_any_coming_and_going(actions: list[tuple[str, int]], random: Random) -> None:
    """Whoever comes and goes whenever, those who are left end in one group that all of them share."""
    call = Call(random)
    for action, number in actions:
        if action == "step":
            for _ in range(number):
                call.step()
        elif number in call.sessions:
            call.leave(number)
        else:
            call.enter(number)
    call.settle()

    agreed(call)


def test_a_new_session_is_not_welcomed_with_the_old_key_package() -> None:
    """Somebody who leaves before being added and comes back is added by what the new session offers."""
    call = Call()
    call.enter(11)
    call.enter(22)
    call.leave(22)
    call.enter(22)
    call.settle()

    agreed(call)


def test_founder_alone() -> None:
    """The first to come is the group by itself, at leaf 0 of epoch 0."""
    call = Call()
    call.enter(11)

    assert (call.group.members, call.group.epoch, call.group.is_settled) == ({11: 0}, 0, True)


def test_transitions_are_counted() -> None:
    """The first commit is transition 0 and executes by itself; later ones wait for everybody."""
    call = Call()
    for user_id in (11, 22, 33):
        call.enter(user_id)
        call.settle()

    assert call.executed == [1, 1, 1]
    assert call.group.epoch == 2


def test_leaf_is_used_again() -> None:
    """A newcomer takes the leftmost blank leaf."""
    call = Call()
    for user_id in (11, 22, 33):
        call.enter(user_id)
        call.settle()
    call.leave(22)
    call.settle()
    call.enter(44)
    call.settle()

    assert call.group.members == {11: 0, 33: 2, 44: 1}
    agreed(call)


def test_second_offer_replaces_the_first() -> None:
    """A member who offers a new key package is taken out and added anew."""
    call = Call()
    for user_id in (11, 22):
        call.enter(user_id)
        call.settle()
    call.enter(22)
    call.settle()

    assert call.group.epoch == 3
    agreed(call)


def test_founder_leaves_before_the_commit() -> None:
    """When nobody is left who could commit, the newcomer founds the group anew."""
    call = Call()
    call.enter(11)
    call.enter(22)
    call.leave(11)
    call.settle()

    assert call.group.members == {22: 0}


def test_restart() -> None:
    """After a restart new key packages make a new group."""
    call = Call()
    call.enter(11)
    call.enter(22)
    call.settle()
    call.group.restart()
    for user_id, session in call.sessions.items():
        session.reinit(1, user_id, CHANNEL_ID)
        call.post(call.group.offer(user_id, session.get_serialized_key_package()))
    call.settle()

    assert call.group.epoch == 1
    agreed(call)


def test_late_commit_is_ignored() -> None:
    """Of two commits for one epoch the second counts for nothing."""
    call = Call()
    for user_id in (11, 22):
        call.enter(user_id)
        call.settle()
    frames = call.group.offer(33, davey.DaveSession(1, 33, CHANNEL_ID).get_serialized_key_package())
    payloads = []
    for frame in frames:
        result = call.sessions[frame.user_id].process_proposals(
            davey.ProposalsOperationType.append, frame.payload[1:]
        )
        assert result is not None
        payloads.append((frame.user_id, result.commit + (result.welcome or b"")))
    first = call.group.commit(*payloads[0])

    assert [frame.op for frame in first] == [ANNOUNCE_COMMIT, ANNOUNCE_COMMIT, WELCOME]
    assert call.group.commit(*payloads[1]) == []


def test_foreign_key_package() -> None:
    """Nobody can offer somebody else's key package."""
    call = Call()

    with pytest.raises(GroupViolation, match="key package of user 22"):
        call.group.offer(11, davey.DaveSession(1, 22, CHANNEL_ID).get_serialized_key_package())


def test_unreadable_commit() -> None:
    """A commit that is no MLS is a violation."""
    with pytest.raises(GroupViolation, match="cannot be read"):
        Call().group.commit(11, b"nonsense")


def test_commit_from_the_wrong_member() -> None:
    """A commit counts only from the member whose leaf made it."""
    call = Call()
    call.enter(11)
    call.settle()
    frames = call.group.offer(22, davey.DaveSession(1, 22, CHANNEL_ID).get_serialized_key_package())
    result = call.sessions[11].process_proposals(davey.ProposalsOperationType.append, frames[0].payload[1:])
    assert result is not None

    with pytest.raises(GroupViolation, match="not theirs"):
        call.group.commit(99, result.commit + (result.welcome or b""))


def test_commit_without_its_welcome() -> None:
    """An Add committed without a Welcome would keep the newcomer out."""
    call = Call()
    call.enter(11)
    call.settle()
    frames = call.group.offer(22, davey.DaveSession(1, 22, CHANNEL_ID).get_serialized_key_package())
    result = call.sessions[11].process_proposals(davey.ProposalsOperationType.append, frames[0].payload[1:])
    assert result is not None

    with pytest.raises(GroupViolation, match="Welcome does not fit"):
        call.group.commit(11, result.commit)
