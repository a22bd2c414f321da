"""Order the MLS group of one voice channel, as the voice server does.

No clock and no I/O here: each method takes one thing that a client did and returns the frames to send.
A newcomer's op 26 and a leaver's departure become changes; one change at a time goes out as a proposal (op 27) to the
members, the first commit for the running epoch (op 28) wins, and it is announced to the members (op 29) and, with the
Welcome, to the newcomer (op 30). The first key package founds the group: its owner is leaf 0 of epoch 0 by itself.
Transition 0 is the first commit; later ones wait for every member's op 23 and then execute (op 22).

https://daveprotocol.com/#voice-gateway-opcodes
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .mls import Commit, ExternalSender, KeyPackage, parse_commit, parse_key_package, serialize_announcement

EXECUTE_TRANSITION = 22
PROPOSALS = 27
ANNOUNCE_COMMIT = 29
WELCOME = 30


class GroupViolation(ValueError):
    """A client did what the DAVE protocol forbids."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message for one member of the call."""

    user_id: int
    op: int
    payload: bytes = b""
    """Binary ops only: what follows the op byte."""
    transition_id: int = 0
    """Op 22 only."""


@dataclass(frozen=True, slots=True)
class Change:
    """One person to add, when *key_package* is there, or else to remove."""

    user_id: int
    key_package: bytes = b""


@dataclass
class Group:
    """Who is in the group, at which leaf, and what is being changed.

    Owned by the event loop of its voice server; not safe across threads.
    """

    sender: ExternalSender
    members: dict[int, int] = field(default_factory=dict)
    """User id to leaf index, for everyone whom a commit (or the founding) put in."""
    epoch: int = 0
    _waiting: deque[Change] = field(default_factory=deque)
    _proposed: Change | None = None
    _next_transition: int = 0
    _unready: dict[int, set[int]] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Say whether every change has been committed and every transition executed."""
        return self._proposed is None and not self._waiting and not self._unready

    def offer(self, user_id: int, raw: bytes) -> list[Frame]:
        """Take a client's key package (op 26); a member who offers one is taken out and added anew.

        Raises GroupViolation when the package is malformed or someone else's.
        """
        package = _key_package_of(user_id, raw)
        if user_id in self.members or self._is_arriving(user_id):
            self._forget_offer(user_id)
            self._enqueue_removal(user_id)
        self._waiting.append(Change(user_id, package.raw))
        return self._advance()

    def leave(self, user_id: int) -> list[Frame]:
        """Take somebody out who left the call; a stranger changes nothing."""
        self._forget_offer(user_id)
        self._enqueue_removal(user_id)
        frames = self._excuse(user_id)
        if self._proposed and not self._committers():
            self._restart()
        return frames + self._advance()

    def commit(self, user_id: int, raw: bytes) -> list[Frame]:
        """Take a member's commit (op 28); only the first one for the running epoch counts.

        Raises GroupViolation when it is malformed, from a stranger, or for an epoch yet to come.
        """
        commit = _commit_of(raw)
        if commit.epoch < self.epoch or self._proposed is None:
            return []
        self._check_commit(user_id, commit)
        change, self._proposed = self._proposed, None
        return self._announce(change, commit) + self._advance()

    def ready(self, user_id: int, transition_id: int) -> list[Frame]:
        """Take op 23; the last member to answer lets the transition execute."""
        unready = self._unready.get(transition_id)
        if unready is None:
            return []
        unready.discard(user_id)
        return self._execute_if_ready(transition_id)

    def _announce(self, change: Change, commit: Commit) -> list[Frame]:
        self.epoch = commit.epoch + 1
        transition_id = self._next_transition
        self._next_transition = transition_id % 0xFFFF + 1
        announcement = serialize_announcement(transition_id, commit.raw)
        if not change.key_package:
            self.members.pop(change.user_id, None)
        # Whoever left and came back meanwhile has a new session, which what was made for the old one would break.
        leaving = self._leaving()
        frames = [
            Frame(member, ANNOUNCE_COMMIT, announcement) for member in self.members if member not in leaving
        ]
        if change.key_package:
            self.members[change.user_id] = self._free_leaf()
            if change.user_id not in leaving:
                welcome = serialize_announcement(transition_id, commit.welcome)
                frames.append(Frame(change.user_id, WELCOME, welcome))
        if transition_id:
            self._unready[transition_id] = set(self.members) - leaving
            frames += self._execute_if_ready(transition_id)
        return frames

    def _advance(self) -> list[Frame]:
        while self._proposed is None and self._waiting:
            change = self._waiting.popleft()
            if not change.key_package and change.user_id not in self.members:
                continue
            if not self._committers(without=change.user_id):
                self._restart()
                self._found(change)
                continue
            self._proposed = change
            return self._propose(change)
        return []

    def _propose(self, change: Change) -> list[Frame]:
        if change.key_package:
            payload = self.sender.propose_add(self.epoch, change.key_package)
        else:
            payload = self.sender.propose_remove(self.epoch, self.members[change.user_id])
        return [Frame(member, PROPOSALS, payload) for member in self._committers(without=change.user_id)]

    def _found(self, change: Change) -> None:
        if change.key_package:
            self.members[change.user_id] = 0

    def _restart(self) -> None:
        """Begin at epoch 0 again: nobody is left who could commit what was proposed."""
        proposed, self._proposed = self._proposed, None
        self.members.clear()
        self._unready.clear()
        self.epoch = self._next_transition = 0
        if proposed and proposed.key_package:
            self._waiting.appendleft(proposed)

    def _committers(self, without: int | None = None) -> list[int]:
        absent = self._leaving() | {without}
        return [member for member in self.members if member not in absent]

    def _leaving(self) -> set[int | None]:
        changes = [*self._waiting, self._proposed] if self._proposed else self._waiting
        return {change.user_id for change in changes if not change.key_package}

    def restart(self) -> None:
        """Forget the group; the caller tells every client to send a new key package (op 24, epoch 1)."""
        self._waiting.clear()
        self._proposed = None
        self._restart()

    def _enqueue_removal(self, user_id: int) -> None:
        is_being_removed = self._proposed == Change(user_id)
        if (user_id in self.members or self._is_arriving(user_id)) and not is_being_removed:
            self._waiting.append(Change(user_id))

    def _is_arriving(self, user_id: int) -> bool:
        proposed = self._proposed
        return proposed is not None and proposed.user_id == user_id and bool(proposed.key_package)

    def _forget_offer(self, user_id: int) -> None:
        self._waiting = deque(change for change in self._waiting if change.user_id != user_id)

    def _excuse(self, user_id: int) -> list[Frame]:
        frames: list[Frame] = []
        for transition_id in list(self._unready):
            self._unready[transition_id].discard(user_id)
            frames += self._execute_if_ready(transition_id)
        return frames

    def _execute_if_ready(self, transition_id: int) -> list[Frame]:
        if self._unready[transition_id]:
            return []
        del self._unready[transition_id]
        return [Frame(member, EXECUTE_TRANSITION, transition_id=transition_id) for member in self.members]

    def _free_leaf(self) -> int:
        """Find the leftmost blank leaf, where RFC 9420 section 7.7 puts a new member."""
        taken = set(self.members.values())
        return next(leaf for leaf in range(len(taken) + 1) if leaf not in taken)

    def _check_commit(self, user_id: int, commit: Commit) -> None:
        if commit.group_id != self.sender.group_id or commit.epoch != self.epoch:
            raise GroupViolation(f"User {user_id} committed to another group or to an epoch yet to come.")
        if self.members.get(user_id) != commit.leaf_index:
            raise GroupViolation(
                f"User {user_id} committed from leaf {commit.leaf_index}, which is not theirs."
            )
        if self._proposed and bool(self._proposed.key_package) != bool(commit.welcome):
            raise GroupViolation(f"User {user_id} committed, and the Welcome does not fit the proposal.")


def _key_package_of(user_id: int, raw: bytes) -> KeyPackage:
    try:
        package = parse_key_package(raw)
    except ValueError as cause:
        raise GroupViolation(f"User {user_id} sent a key package that cannot be read: {cause}") from cause
    if package.user_id != user_id:
        raise GroupViolation(f"User {user_id} sent the key package of user {package.user_id}.")
    return package


def _commit_of(raw: bytes) -> Commit:
    try:
        return parse_commit(raw)
    except ValueError as cause:
        raise GroupViolation(f"A commit cannot be read: {cause}") from cause
