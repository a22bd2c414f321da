"""discord.py's connection, read afresh."""

from __future__ import annotations

import pytest
from discord.utils import MISSING
from discord.voice_state import VoiceConnectionState

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
