"""discord.py's connection, read afresh."""

from __future__ import annotations

import davey
import pytest
from discord.utils import MISSING
from discord.voice_state import VoiceConnectionState

from standup.bench.capture import make_group
from standup.capture.keys import ConnectionKeys, VoiceConnection


class Connection:
    """discord.py's attributes, settable."""

    def __init__(self, **attributes: object) -> None:
        self.mode: object = MISSING
        self.secret_key: object = MISSING
        self.dave_protocol_version = 0
        self.dave_session: object = None
        self.__dict__.update(attributes)


def test_before_negotiation_there_is_nothing() -> None:
    """discord.py's placeholders read as no mode and no key."""
    keys = ConnectionKeys(Connection())

    assert (keys.mode, keys.secret_key, keys.dave_decrypt) == ("", b"", None)


def test_key_is_bytes() -> None:
    """discord.py holds the key as a list of numbers; it is read as bytes."""
    assert ConnectionKeys(Connection(secret_key=[1, 2, 255])).secret_key == b"\x01\x02\xff"


def test_each_read_is_fresh() -> None:
    """What the connection holds at the moment of reading is what counts."""
    connection = Connection(mode="first", dave_protocol_version=1)
    keys = ConnectionKeys(connection)
    first = (keys.mode, keys.dave_protocol_version)
    connection.mode, connection.dave_protocol_version = "second", 0

    assert [first, (keys.mode, keys.dave_protocol_version)] == [("first", 1), ("second", 0)]


@pytest.mark.parametrize("name", sorted(VoiceConnection.__annotations__))
def test_discord_py_has_the_attributes(name: str) -> None:
    """The pinned discord.py sets each attribute that is read."""
    assert name in VoiceConnectionState.__init__.__code__.co_names


class _Rekeying:
    """A session that the event loop's thread has in hand."""

    def get_user_ids(self) -> list[str]:
        raise RuntimeError("Already mutably borrowed")


@pytest.mark.parametrize(
    ("session", "users"),
    [
        pytest.param(None, set(), id="no session"),
        pytest.param(davey.DaveSession(davey.DAVE_PROTOCOL_VERSION, 1, 7), set(), id="no group"),
        pytest.param(make_group([1, 11, 22])[1], {1, 11, 22}, id="a group"),
        pytest.param(_Rekeying(), set(), id="being re-keyed"),
    ],
)
def test_the_groups_members(session: object, users: set[int]) -> None:
    """Who can have sent a frame is who is in the group; asking never raises."""
    assert ConnectionKeys(Connection(dave_session=session)).dave_users == users
