"""The bytes of the external sender, against RFC 9420 and against davey."""

from __future__ import annotations

import davey
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.simulator.mls import (
    ExternalSender,
    MalformedMls,
    Reader,
    parse_commit,
    parse_key_package,
    serialize_announcement,
    serialize_vector,
)

CHANNEL_ID = 1234567890123
GROUP_ID = CHANNEL_ID.to_bytes(8, "big")


@pytest.mark.parametrize(
    ("size", "prefix"),
    [
        pytest.param(0, "00", id="empty"),
        pytest.param(63, "3f", id="last of one byte"),
        pytest.param(64, "4040", id="first of two bytes"),
        pytest.param(16_383, "7fff", id="last of two bytes"),
        pytest.param(16_384, "80004000", id="first of four bytes"),
    ],
)
def test_vector_prefix(size: int, prefix: str) -> None:
    """The length prefix has the widths of RFC 9420 section 2.1.2."""
    assert serialize_vector(bytes(size)) == bytes.fromhex(prefix) + bytes(size)


@given(st.binary(max_size=20_000), st.binary(max_size=5))
def test_vector_round_trip(content: bytes, rest: bytes) -> None:
    """What is put into a vector comes out of it, and what follows stays."""
    reader = Reader(serialize_vector(content) + rest)

    assert (reader.vector(), reader.rest()) == (content, rest)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        pytest.param("c0", "reserved length prefix", id="prefix 11"),
        pytest.param("4001ff", "shortest form", id="two bytes for one"),
        pytest.param("80000001ff", "shortest form", id="four bytes for one"),
        pytest.param("02ff", "but 3 are needed", id="truncated"),
        pytest.param("", "but 1 are needed", id="nothing"),
    ],
)
def test_refused_vectors(raw: str, sentence: str) -> None:
    """A vector that RFC 9420 does not allow is refused."""
    with pytest.raises(MalformedMls, match=sentence):
        Reader(bytes.fromhex(raw)).vector()


def joined() -> tuple[ExternalSender, davey.DaveSession, bytes]:
    """Make a founder's session and the op 28 by which it adds user 22."""
    sender = ExternalSender(GROUP_ID)
    founder, newcomer = davey.DaveSession(1, 11, CHANNEL_ID), davey.DaveSession(1, 22, CHANNEL_ID)
    for session in (founder, newcomer):
        session.set_external_sender(sender.package())
    proposals = sender.propose_add(0, newcomer.get_serialized_key_package())
    result = founder.process_proposals(davey.ProposalsOperationType.append, proposals[1:])
    assert result is not None
    assert result.welcome is not None
    return sender, founder, result.commit + result.welcome


def test_key_package_names_its_owner() -> None:
    """davey's key package is read back to the user it is for."""
    raw = davey.DaveSession(1, 22, CHANNEL_ID).get_serialized_key_package()

    package = parse_key_package(raw)

    assert (package.user_id, package.raw) == (22, raw)


@pytest.mark.parametrize("cut", [1, 5, 40, 150])
def test_truncated_key_package(cut: int) -> None:
    """A key package without its end is refused."""
    raw = davey.DaveSession(1, 22, CHANNEL_ID).get_serialized_key_package()

    with pytest.raises(MalformedMls):
        parse_key_package(raw[:-cut])


def test_key_package_with_more_behind() -> None:
    """Bytes after a key package are refused."""
    raw = davey.DaveSession(1, 22, CHANNEL_ID).get_serialized_key_package()

    with pytest.raises(MalformedMls, match="follow the key package"):
        parse_key_package(raw + b"\0")


def test_commit_is_split_from_welcome() -> None:
    """An op 28 payload falls apart into the very bytes that davey joined."""
    _, founder, payload = joined()
    commit = parse_commit(payload)

    assert (commit.group_id, commit.epoch, commit.leaf_index) == (GROUP_ID, 0, 0)
    assert commit.raw + commit.welcome == payload
    founder.process_commit(commit.raw)
    assert founder.epoch == 1


def test_removal_has_no_welcome() -> None:
    """A commit that removes somebody comes without a Welcome."""
    sender, founder, payload = joined()
    founder.process_commit(parse_commit(payload).raw)
    proposals = sender.propose_remove(1, 1)
    result = founder.process_proposals(davey.ProposalsOperationType.append, proposals[1:])
    assert result is not None

    assert parse_commit(result.commit).welcome == b""
    assert result.welcome is None


@given(st.integers(min_value=0, max_value=400))
def test_truncated_commit(length: int) -> None:
    """A commit cut anywhere is refused, never misread."""
    payload = _PAYLOAD
    commit_bytes = len(parse_commit(payload).raw)

    with pytest.raises(MalformedMls):
        parse_commit(payload[: min(length, commit_bytes - 1)])


@pytest.mark.parametrize(
    ("position", "sentence"),
    [pytest.param(1, "protocol version", id="version"), pytest.param(3, "wire format", id="wire format")],
)
def test_foreign_message(position: int, sentence: str) -> None:
    """An MLS message of another kind is refused by name."""
    changed = bytearray(_PAYLOAD)
    changed[position] = 9

    with pytest.raises(MalformedMls, match=sentence):
        parse_commit(bytes(changed))


def test_foreign_key_is_refused_by_davey() -> None:
    """A proposal signed by another key is none that a member follows."""
    founder = davey.DaveSession(1, 11, CHANNEL_ID)
    founder.set_external_sender(ExternalSender(GROUP_ID).package())
    package = davey.DaveSession(1, 22, CHANNEL_ID).get_serialized_key_package()
    proposals = ExternalSender(GROUP_ID).propose_add(0, package)

    with pytest.raises(ValueError, match="proposal"):
        founder.process_proposals(davey.ProposalsOperationType.append, proposals[1:])


def test_announcement() -> None:
    """Ops 29 and 30 begin with the transition id."""
    assert serialize_announcement(258, b"commit") == b"\x01\x02commit"


_PAYLOAD = joined()[2]
