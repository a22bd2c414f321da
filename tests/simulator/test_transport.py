"""RTP headers and the two AEAD modes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt

from standup.simulator.transport import (
    AES256_GCM,
    MODES,
    XCHACHA20,
    Header,
    PacketRefused,
    make_cipher,
    open_packet,
    parse_header,
    seal,
    seal_relayed,
    unseal,
)

KEY = bytes(range(32))
headers = st.builds(
    Header,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp_ticks=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    has_padding=st.booleans(),
    csrc_count=st.integers(0, 15),
    has_extension=st.booleans(),
)


@given(headers)
def test_header_round_trip(header: Header) -> None:
    """A header written and read is the same header."""
    assert parse_header(header.serialize()) == header


@pytest.mark.parametrize(
    "packet",
    [pytest.param(bytes(11), id="short"), pytest.param(b"\x40" + bytes(20), id="version 1")],
)
def test_no_rtp(packet: bytes) -> None:
    """What is not RTP version 2 is refused."""
    with pytest.raises(PacketRefused, match="not RTP"):
        parse_header(packet)


@pytest.mark.parametrize("mode", MODES)
@given(
    payload=st.binary(max_size=400),
    words=st.integers(0, 3),
    padding_bytes=st.integers(0, 255),
    count=st.integers(0, 1 << 40),
)
def test_relayed_round_trip(mode: str, payload: bytes, words: int, padding_bytes: int, count: int) -> None:
    """A relayed packet opens to its payload, whatever extension and padding it carries."""
    cipher, header = make_cipher(mode, KEY), Header(0x78, 7, 960, 4001)
    packet = seal_relayed(
        cipher, header, payload, count=count, extension=bytes(4 * words), padding_bytes=padding_bytes
    )

    opened, plain = open_packet(cipher, packet)

    assert plain == payload
    assert (opened.sequence, opened.timestamp_ticks, opened.ssrc) == (7, 960, 4001)


def test_layout() -> None:
    """The clear part is authenticated and the nonce is the last 4 bytes, first in an otherwise zero nonce."""
    packet = seal_relayed(
        make_cipher(XCHACHA20, KEY), Header(0x78, 1, 2, 3), b"opus", count=0x01020304, extension=b"abcd"
    )

    assert packet[12:16] == bytes.fromhex("bede0001")
    assert packet[-4:] == bytes.fromhex("01020304")
    nonce = packet[-4:] + bytes(20)
    assert crypto_aead_xchacha20poly1305_ietf_decrypt(packet[16:-4], packet[:16], nonce, KEY) == b"abcdopus"


@pytest.mark.parametrize("mode", MODES)
@given(position=st.integers(0, 47))
def test_tampering(mode: str, position: int) -> None:
    """A packet with any byte changed is refused."""
    cipher = make_cipher(mode, KEY)
    packet = bytearray(seal(cipher, Header(0x78, 1, 2, 3).serialize(), bytes(16), 9))
    assert len(packet) == 48
    packet[position] ^= 1

    with pytest.raises(PacketRefused, match="tag is wrong"):
        unseal(cipher, bytes(packet), 12)


def test_csrcs_stay_in_clear() -> None:
    """CSRCs count to the clear part."""
    header = Header(0x78, 1, 2, 3, csrc_count=2)
    cipher = make_cipher(AES256_GCM, KEY)
    packet = seal(cipher, header.serialize() + bytes(8), b"opus", 1)

    assert open_packet(cipher, packet)[1] == b"opus"


@pytest.mark.parametrize(
    ("header", "after", "plaintext", "sentence"),
    [
        pytest.param(Header(0x78, 1, 2, 3, has_padding=True), b"", b"\x09", "padding", id="padding too long"),
        pytest.param(
            Header(0x78, 1, 2, 3, has_padding=True), b"", b"ab\x00", "padding", id="padding of none"
        ),
        pytest.param(
            Header(0x78, 1, 2, 3, has_extension=True),
            bytes.fromhex("bede0009"),
            b"abcd",
            "extension",
            id="extension too long",
        ),
    ],
)
def test_lying_packets(header: Header, after: bytes, plaintext: bytes, sentence: str) -> None:
    """A packet that claims more than it holds is refused."""
    cipher = make_cipher(AES256_GCM, KEY)

    with pytest.raises(PacketRefused, match=sentence):
        open_packet(cipher, seal(cipher, header.serialize() + after, plaintext, 1))


def test_too_short() -> None:
    """A packet without room for tag and nonce is refused."""
    with pytest.raises(PacketRefused, match="shorter"):
        open_packet(make_cipher(AES256_GCM, KEY), Header(0x78, 1, 2, 3).serialize() + bytes(19))


def test_unknown_mode() -> None:
    """A mode that was never offered has no cipher."""
    with pytest.raises(PacketRefused, match="not offered"):
        make_cipher("xsalsa20_poly1305", KEY)
