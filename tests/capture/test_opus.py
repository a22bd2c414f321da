"""What is known of an Opus packet without decoding it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.capture.opus import SILENCE, duration_samples, is_silence, silence
from standup.errors import MalformedPacket


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        pytest.param(SILENCE, 960, id="silence frame, 20 ms"),
        pytest.param(b"\xfc..", 960, id="CELT fullband stereo, 20 ms"),
        pytest.param(b"\xe0..", 120, id="CELT fullband, 2.5 ms"),
        pytest.param(b"\xe8..", 240, id="CELT fullband, 5 ms"),
        pytest.param(b"\xf0..", 480, id="CELT fullband, 10 ms"),
        pytest.param(b"\x10..", 1920, id="SILK narrowband, 40 ms"),
        pytest.param(b"\x18..", 2880, id="SILK narrowband, 60 ms"),
        pytest.param(b"\x78..", 960, id="hybrid fullband, 20 ms"),
        pytest.param(b"\x70..", 480, id="hybrid fullband, 10 ms"),
        pytest.param(b"\xf9..", 1920, id="two equal frames"),
        pytest.param(b"\xfa..", 1920, id="two unequal frames"),
        pytest.param(b"\xfb\x03..", 2880, id="three frames"),
        pytest.param(b"\xfb\x46..", 5760, id="six frames with padding, the longest packet"),
        pytest.param(b"\xfc", 960, id="no frame data"),
    ],
)
def test_duration(packet: bytes, samples: int) -> None:
    """The first byte, and the second for code 3, tell how long a packet sounds."""
    assert duration_samples(packet) == samples


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xfb", id="no frame count"),
        pytest.param(b"\xfb\x00", id="no frames"),
        pytest.param(b"\xfb\x07", id="140 ms"),
    ],
)
def test_duration_refuses(packet: bytes) -> None:
    """A packet that cannot be Opus is refused."""
    with pytest.raises(MalformedPacket):
        duration_samples(packet)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [(SILENCE, True), (b"\xfc", True), (b"\xfc\x00", True), (b"\xfc\xff\xfe", False), (b"\xfc123", False)],
)
def test_is_silence(packet: bytes, expected: bool) -> None:
    """The silence frame and packets without frame data are silence, others are not."""
    assert is_silence(packet) is expected


@given(st.integers(0, 200_000))
def test_silence_fills(samples: int) -> None:
    """Silence packets last as long as they say and fill the gap down to 2.5 ms."""
    packets = list(silence(samples))

    assert all(duration_samples(packet) == length for packet, length in packets)
    assert sum(length for _, length in packets) == samples // 120 * 120
