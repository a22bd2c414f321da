"""From a microphone's frames to journal records."""

from __future__ import annotations

from array import array
from itertools import groupby
from math import pi, sin

import pytest

from standup.capture.opus import SILENCE, duration_samples
from standup.capture.record import JournalRecord
from standup.capture.voice import FRAME_BYTES, Pauses, Voice

QUIET = bytes(FRAME_BYTES)
FRAME_NS = 20_000_000


def tone(number: int) -> bytes:
    """Return frame *number* of something loud with a changing pitch."""
    times = range(number * 960, number * 960 + 960)
    return array(
        "h", [int(9000 * sin(2 * pi * (180 + number % 9 * 15) * one / 48_000)) for one in times]
    ).tobytes()


def heard(voice: Voice, frames: list[bytes]) -> list[JournalRecord]:
    found = [
        voice.hear(pcm, opening=1, monotonic_ns=number * FRAME_NS, wall_ns=0)
        for number, pcm in enumerate(frames)
    ]
    return [one for one in [*found, voice.end()] if one is not None]


def record(number: int, payload: bytes) -> JournalRecord:
    return JournalRecord(1, 1, number, number * 960, 0, 0, 0, payload)


def test_every_frame_becomes_one_record() -> None:
    """Each frame is 20 ms of Opus, numbered and timed on, and stamped with its own arrival."""
    records = heard(Voice(7), [tone(number) for number in range(5)])
    assert [one.sequence for one in records] == [0, 1, 2, 3, 4]
    assert [one.timestamp for one in records] == [0, 960, 1920, 2880, 3840]
    assert [one.monotonic_ns // FRAME_NS for one in records] == [0, 1, 2, 3, 4]
    assert {duration_samples(one.payload) for one in records} == {960}
    assert {one.user_id for one in records} == {7}


def test_a_pause_is_one_piece_of_silence() -> None:
    """Three seconds of nobody speaking are silence without a break, from a quarter of a second on."""
    frames = [tone(number) for number in range(50)] + [QUIET] * 150 + [tone(number) for number in range(25)]
    runs = [
        (is_silent, len(list(run)))
        for is_silent, run in groupby(heard(Voice(1), frames), lambda one: one.payload == SILENCE)
    ]
    assert [is_silent for is_silent, _ in runs] == [False, True, False]
    assert 135 <= runs[1][1] <= 150


def test_a_new_opening_is_a_new_stream() -> None:
    """Frames from before and after a reopening do not share an SSRC."""
    voice = Voice(1)
    voice.hear(QUIET, opening=1, monotonic_ns=0, wall_ns=0)
    before = voice.hear(QUIET, opening=2, monotonic_ns=0, wall_ns=0)
    after = voice.end()
    assert before is not None
    assert after is not None
    assert before.ssrc != after.ssrc


def test_a_frame_of_another_length_is_refused() -> None:
    """Half a frame is our own mistake."""
    with pytest.raises(ValueError, match="1920 bytes"):
        Voice(1).hear(QUIET[:-2], opening=1, monotonic_ns=0, wall_ns=0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("s", "s", id="speech alone"),
        pytest.param(".s.", "...", id="one packet between silences"),
        pytest.param(".ss.", ".ss.", id="two are speech"),
        pytest.param("s.", "s.", id="a first one has no silence before it"),
        pytest.param("..s", "..s", id="a last one may go on"),
        pytest.param(".s.s.", ".....", id="one after the other"),
    ],
)
def test_a_lone_packet_in_a_pause_is_silence(given: str, expected: str) -> None:
    """Only a packet with silence right before and right after it is background noise."""
    pauses = Pauses()
    found = [
        pauses.push(record(number, SILENCE if one == "." else b"loud")) for number, one in enumerate(given)
    ]
    settled = [one for one in [*found, pauses.end()] if one is not None]
    assert "".join("." if one.payload == SILENCE else "s" for one in settled) == expected
    assert [one.sequence for one in settled] == list(range(len(given)))
