"""RTP packets: a table per field, and a file per defect."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.capture.rtp import is_audio, parse, strip, unwrap
from standup.errors import MalformedPacket

Packet = Callable[[str], bytes]


@pytest.mark.parametrize(
    "name", ["plain", "marker", "csrc", "extension", "padding", "csrc_extension_padding"]
)
def test_audio_is_kept(packet: Packet, name: str) -> None:
    """RTP version 2 with payload type 0x78 is audio, whatever header bits are set."""
    assert is_audio(packet(name))


@pytest.mark.parametrize(
    "name",
    [
        "rtcp_sender_report",
        "rtcp_receiver_report",
        "ip_discovery",
        "keepalive",
        "video",
        "version_1",
        "empty",
    ],
)
def test_everything_else_is_not(packet: Packet, name: str) -> None:
    """Other traffic of the voice socket is told apart from audio."""
    assert not is_audio(packet(name))


def test_discovery_reply_has_74_bytes(packet: Packet) -> None:
    """The discovery fixture is what a voice server sends, not a stand-in."""
    assert len(packet("ip_discovery")) == 74


def test_header_fields(packet: Packet) -> None:
    """Sequence, timestamp, SSRC, payload type, marker and padding bit are read from their places."""
    one = parse(packet("marker"))

    assert (one.sequence, one.timestamp, one.ssrc) == (513, 960, 0x01020304)
    assert (one.payload_type, one.is_marked, one.has_padding) == (0x78, True, False)


@pytest.mark.parametrize(
    ("name", "header_length", "extension_words"),
    [
        pytest.param("plain", 12, 0, id="fixed header"),
        pytest.param("csrc", 20, 0, id="two CSRCs"),
        pytest.param("extension", 16, 2, id="extension header"),
        pytest.param("csrc_extension_padding", 20, 1, id="CSRC and extension header"),
    ],
)
def test_authenticated_length(packet: Packet, name: str, header_length: int, extension_words: int) -> None:
    """The clear part is 12 bytes, 4 per CSRC, and 4 of extension header."""
    one = parse(packet(name))

    assert (one.header_length, one.extension_words) == (header_length, extension_words)


@pytest.mark.parametrize("name", ["plain", "csrc", "extension", "padding", "csrc_extension_padding"])
def test_parts_make_the_datagram(packet: Packet, name: str) -> None:
    """Header, ciphertext and nonce suffix are the whole datagram, in order."""
    one = parse(packet(name))

    assert one.header + one.ciphertext + one.nonce_suffix == packet(name)
    assert len(one.nonce_suffix) == 4


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty", "shorter than its fixed header"),
        ("keepalive", "shorter than its fixed header"),
        ("version_1", "version is 1"),
        ("truncated_csrc", "no room for a tag"),
        ("truncated_extension", "cut off in its extension header"),
        ("no_room_for_tag", "no room for a tag"),
    ],
)
def test_malformed_packets_are_refused(packet: Packet, name: str, reason: str) -> None:
    """A packet shorter than it announces is refused with the reason."""
    with pytest.raises(MalformedPacket, match=reason):
        parse(packet(name))


@given(st.binary(max_size=80))
def test_any_bytes_parse_or_are_refused(datagram: bytes) -> None:
    """No datagram makes the parser fail in another way than MalformedPacket."""
    try:
        one = parse(datagram)
    except MalformedPacket:
        return
    assert one.header + one.ciphertext + one.nonce_suffix == datagram


@pytest.mark.parametrize(
    ("name", "body", "payload"),
    [
        pytest.param("plain", b"opus", b"opus", id="nothing to strip"),
        pytest.param("padding", b"opus\x00\x00\x03", b"opus", id="padding"),
        pytest.param("extension", b"extended" + b"opus", b"opus", id="extension"),
        pytest.param("csrc_extension_padding", b"exte" + b"opus\x01", b"opus", id="padding, then extension"),
    ],
)
def test_strip(packet: Packet, name: str, body: bytes, payload: bytes) -> None:
    """Padding goes first, then the extension body."""
    assert strip(parse(packet(name)), body) == payload


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param("padding", b"opus\x06", id="padding longer than the body"),
        pytest.param("padding", b"opus\x00", id="padding of zero"),
        pytest.param("padding", b"", id="no last byte"),
        pytest.param("padding", b"\x00\x02", id="only padding"),
        pytest.param("extension", b"seven b", id="extension longer than the body"),
        pytest.param("extension", b"extended", id="nothing behind the extension"),
        pytest.param("plain", b"", id="empty body"),
    ],
)
def test_strip_refuses(packet: Packet, name: str, body: bytes) -> None:
    """A body that cannot hold what the header claims is refused."""
    with pytest.raises(MalformedPacket):
        strip(parse(packet(name)), body)


@pytest.mark.parametrize(
    ("value", "reference", "bits", "expected"),
    [
        pytest.param(5, 4, 16, 5, id="next"),
        pytest.param(0, 65535, 16, 65536, id="wraps at 65535"),
        pytest.param(65535, 65536, 16, 65535, id="late across the wrap"),
        pytest.param(65535, 3 * 65536, 16, 3 * 65536 - 1, id="late across a later wrap"),
        pytest.param(32768, 0, 16, -32768, id="half a turn counts as earlier"),
        pytest.param(32767, 0, 16, 32767, id="just under half a turn"),
        pytest.param(959, 2**32 - 1, 32, 2**32 + 959, id="timestamp wraps"),
    ],
)
def test_unwrap(value: int, reference: int, bits: int, expected: int) -> None:
    """The nearest integer with these low bits is found, on either side."""
    assert unwrap(value, reference, bits) == expected


@given(st.integers(0, 2**50), st.integers(-(2**15) + 1, 2**15 - 1))
def test_unwrap_recovers_the_counter(reference: int, step: int) -> None:
    """A counter that moved by less than half a turn is recovered from its low bits."""
    assert unwrap((reference + step) & 0xFFFF, reference, 16) == reference + step
