"""Ogg Opus: the bytes against the RFCs, and against a decoder that is not ours."""

from __future__ import annotations

import io
import math
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest
from discord.opus import Encoder
from hypothesis import given
from hypothesis import strategies as st

from standup.capture import ogg
from standup.capture.ogg import TimedPacket
from standup.capture.opus import SILENCE, duration_samples, is_silence
from standup.errors import InputRefused, MalformedPacket

LOUD = b"\xfc" + bytes(range(1, 100))


def _file(packets: list[TimedPacket], serial: int = 7) -> bytes:
    return b"".join(ogg.serialize(packets, serial))


def _slow_checksum(page: bytes) -> int:
    """RFC 3533's CRC, bit by bit."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 1 << 31 else 0)) & 0xFFFFFFFF
    return crc


def _tone(count: int) -> list[bytes]:
    """Encode *count* packets of a loud 440 Hz tone with libopus."""
    encoder = Encoder()
    frames = []
    for number in range(count):
        samples = [
            int(12_000 * math.sin(2 * math.pi * 440 * (960 * number + n) / 48_000)) for n in range(960)
        ]
        frames.append(encoder.encode(struct.pack("<1920h", *(one for s in samples for one in (s, s))), 960))
    return frames


def _decode(data: bytes) -> list[float]:
    """Decode with FFmpeg: the left channel at 48 kHz, as any player would play it."""
    with av.open(io.BytesIO(data)) as container:
        return [sample for frame in container.decode(audio=0) for sample in frame.to_ndarray()[0].tolist()]


@given(st.binary(max_size=300))
def test_checksum(page: bytes) -> None:
    """The fast checksum is RFC 3533's."""
    assert ogg.checksum(page) == _slow_checksum(page)


def test_opus_head() -> None:
    """The first page begins the stream and holds OpusHead: version 1, stereo, 48 kHz, no gain, family 0."""
    first = next(ogg.serialize([], serial=0x1_2345_6789))

    assert first[:6] == b"OggS\x00\x02"
    assert first[14:18] == (0x2345_6789).to_bytes(4, "little")
    assert first[28:] == b"OpusHead\x01\x02" + struct.pack("<HIhB", 312, 48_000, 0, 0)


def test_granules_are_the_meeting_clock() -> None:
    """A page's granule position is the sample at which its last packet ends, gaps included."""
    pages = list(ogg.serialize([TimedPacket(90_000, LOUD), TimedPacket(90_960, LOUD)], 1))
    granules = [int.from_bytes(page[6:14], "little") for page in pages]

    assert granules == [0, 0, 48_000, 91_920]


def test_pages_are_numbered_and_ended() -> None:
    """Pages count from zero; only the last carries the end flag, and it carries audio."""
    pages = list(ogg.serialize([TimedPacket(48_000 * n, LOUD) for n in range(5)], 1))

    assert [int.from_bytes(page[18:22], "little") for page in pages] == list(range(len(pages)))
    assert [page[5] for page in pages] == [2, *[0] * (len(pages) - 2), 4]
    assert pages[-1][26] > 0


def test_pages_hold_at_most_a_second() -> None:
    """Audio comes in pages of a second, so a player can seek."""
    pages = list(ogg.serialize([TimedPacket(480_000, LOUD)], 1))
    granules = [int.from_bytes(page[6:14], "little") for page in pages[2:]]

    assert granules == [*range(48_000, 480_001, 48_000), 480_960]


def test_big_packets_span_segments() -> None:
    """Packets of 255 bytes and more, and pages full of them, come back as they were."""
    packets = [
        TimedPacket(960 * n, b"\xfc" + bytes([n]) * size)
        for n, size in enumerate([253, 254, 255, 509, 1275] * 20)
    ]

    assert list(ogg.parse(_file(packets))) == packets


@given(
    st.lists(
        st.tuples(
            st.integers(0, 100_000),
            st.sampled_from([b"\xe0", b"\xe8", b"\xf0", b"\xfc", b"\x10", b"\x18", b"\xfb\x46"]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_packets_come_back_at_their_place(gaps: list[tuple[int, bytes]]) -> None:
    """Every packet is read back within 2.5 ms of its place; what lies between is silence, without a hole."""
    packets, end = [], 0
    for gap, toc in gaps:
        packets.append(TimedPacket(end + gap, toc + b"loud sound"))
        end += gap + duration_samples(toc + b"loud sound")

    found = list(ogg.parse(_file(packets)))

    loud = [one for one in found if b"loud" in one.payload]
    assert [one.payload for one in loud] == [one.payload for one in packets]
    assert all(
        0 <= sent.start_samples - got.start_samples < 120 for sent, got in zip(packets, loud, strict=True)
    )
    ends = [0, *(one.start_samples + duration_samples(one.payload) for one in found)]
    assert [one.start_samples for one in found] == ends[:-1]


def test_gaps_are_silence() -> None:
    """A gap is filled with silence packets, 20 ms where they fit."""
    found = list(ogg.parse(_file([TimedPacket(960 * 2 + 120, LOUD)])))

    assert [one.payload for one in found] == [SILENCE, SILENCE, b"\xe0\xff\xfe", LOUD]
    assert all(duration_samples(one.payload) for one in found)


def test_nothing_is_a_playable_file() -> None:
    """A speaker without a packet has a file that players accept: 20 ms of silence."""
    data = _file([])

    assert [one.payload for one in ogg.parse(data)] == [SILENCE]
    assert max(map(abs, _decode(data)), default=0.0) < 1e-3


def test_same_packets_same_bytes() -> None:
    """A file depends on its packets and its serial number only."""
    packets = [TimedPacket(5000, LOUD)]

    assert _file(packets, 7) == _file(packets, 7) != _file(packets, 8)


def test_what_is_not_opus_is_refused() -> None:
    """A packet that no Opus decoder could size never gets into a file."""
    with pytest.raises(MalformedPacket):
        _file([TimedPacket(0, b"\xfb")])


def test_memory_stays_bounded() -> None:
    """Pages come out while packets go in: a long file is never held as a whole."""
    taken = 0

    def packets() -> Iterator[TimedPacket]:
        nonlocal taken
        for number in range(500):
            taken = number
            yield TimedPacket(960 * number, LOUD)

    pages = ogg.serialize(packets(), 1)
    for _ in range(3):
        next(pages)

    assert 50 <= taken <= 51


def test_it_sounds_where_it_was_said() -> None:
    """Decoded by FFmpeg, tones after silence begin within 5 ms of their place, and silence is silent."""
    packets = [
        TimedPacket(start + 960 * number, frame)
        for start in (48_000, 5 * 48_000 + 960)
        for number, frame in enumerate(_tone(25))
    ]
    samples = _decode(_file(packets))
    loud = [number for number, sample in enumerate(samples) if abs(sample) > 0.2]
    first_end = max(number for number in loud if number < 3 * 48_000)
    second = min(number for number in loud if number > 3 * 48_000)

    assert abs(loud[0] - 48_000) < 240
    assert abs(first_end - 72_000) < 480
    assert abs(second - (5 * 48_000 + 960)) < 240
    assert len(samples) == 5 * 48_000 + 960 + 24_000 - ogg.PRE_SKIP_SAMPLES


def test_loss_keeps_time() -> None:
    """A packet lost inside speech leaves 20 ms; what follows stays where it was."""
    tone = _tone(50)
    kept = [TimedPacket(960 * number, frame) for number, frame in enumerate(tone) if number not in (20, 21)]

    assert len(_decode(_file(kept))) == 50 * 960 - ogg.PRE_SKIP_SAMPLES


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(lambda data: b"", "empty or cut off", id="empty"),
        pytest.param(lambda data: b"RIFF" + data[4:], "not Ogg", id="foreign"),
        pytest.param(lambda data: data[:-10], "cut off or damaged", id="cut in a page"),
        pytest.param(lambda data: data[: data.rindex(b"OggS")], "empty or cut off", id="cut between pages"),
        pytest.param(
            lambda data: data[: data.rindex(b"OggS") + 9], "cut off within a page", id="cut in a header"
        ),
        pytest.param(lambda data: data[:-1] + b"\x00", "cut off or damaged", id="wrong byte"),
        pytest.param(lambda data: data + _file([], serial=8), "more than one stream", id="two streams"),
    ],
)
def test_bad_files_are_refused(damage: Callable[[bytes], bytes], reason: str) -> None:
    """A foreign, cut or damaged file is refused in one sentence."""
    with pytest.raises(InputRefused, match=reason):
        list(ogg.parse(damage(_file([TimedPacket(90_000, LOUD)]))))


def test_ogg_of_something_else_is_refused() -> None:
    """An Ogg file with another codec is refused as such."""
    pages = ogg.Paginator(1)
    data = b"".join([*pages.add(b"\x01vorbis", 0), pages.cut(ogg.BEGINNING | ogg.END)])

    with pytest.raises(InputRefused, match="what it holds is not Opus"):
        list(ogg.parse(data))


def _page(flags: int, lacing: bytes, body: bytes) -> bytes:
    page = bytearray(struct.pack("<4sBBqIIIB", b"OggS", 0, flags, 0, 1, 0, 0, len(lacing)) + lacing + body)
    page[22:26] = struct.pack("<I", _slow_checksum(bytes(page)))
    return bytes(page)


def test_packets_across_pages_are_joined() -> None:
    """A packet that another muxer spread over three pages is one packet."""
    headers = _page(ogg.BEGINNING, b"\x08", b"OpusHead") + _page(0, b"\x08", b"OpusTags")
    pages = [
        _page(0, b"\x03\xff", SILENCE + b"\xfc" * 255),
        _page(ogg.CONTINUED, b"\xff", b"\xfc" * 255),
        _page(ogg.CONTINUED | ogg.END, b"\x02\x03", b"ok" + SILENCE),
    ]

    found = [one.payload for one in ogg.parse(headers + b"".join(pages))]

    assert found == [SILENCE, b"\xfc" * 510 + b"ok", SILENCE]


def test_damaged_opus_is_refused() -> None:
    """A packet in the file that is not Opus is refused."""
    pages = ogg.Paginator(1)
    contents = (b"OpusHead", b"OpusTags", b"\xfb")
    data = b"".join(page for content in contents for page in [*pages.add(content, 0), pages.cut(ogg.END)])

    with pytest.raises(InputRefused, match="damaged Opus packet"):
        list(ogg.parse(data))


@pytest.mark.integration
def test_reading_what_ffmpeg_wrote(tmp_path: Path) -> None:
    """Ogg Opus made by another program is read: 2 s of tone are 2 s of packets."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    path = tmp_path / "tone.ogg"
    tone = ["-f", "lavfi", "-i", "sine=440:duration=2", "-c:a", "libopus", str(path)]
    subprocess.run(["ffmpeg", "-v", "error", *tone], check=True, timeout=60)

    packets = list(ogg.parse(path.read_bytes()))
    end = packets[-1].start_samples + duration_samples(packets[-1].payload)

    assert not any(is_silence(one.payload) for one in packets)
    assert 2 * 48_000 <= end <= 2 * 48_000 + 1920


@pytest.mark.integration
def test_opusinfo_has_nothing_to_say(tmp_path: Path) -> None:
    """opus-tools find no fault with a file and agree on its length."""
    if shutil.which("opusinfo") is None:
        pytest.skip("opusinfo (apt package opus-tools) is not installed")
    path = tmp_path / "track.ogg"
    path.write_bytes(_file([TimedPacket(48_000 + 960 * n, frame) for n, frame in enumerate(_tone(50))]))
    told = subprocess.run(["opusinfo", str(path)], capture_output=True, text=True, check=True, timeout=60)

    assert "WARNING" not in told.stdout + told.stderr
    assert "Playback length: 0m:01.993s" in told.stdout
