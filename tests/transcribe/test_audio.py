"""Reading stretches of a track."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from standup.errors import TranscribeError
from standup.transcribe.audio import TrackReader, levels_db

MakeTones = Callable[[Path, Sequence[tuple[int, int]], int], Path]


def sounding_ms(reader: TrackReader, start_ms: int, end_ms: int) -> list[int]:
    """Return from when to when the stretch sounds, in ms on the meeting clock; empty when it is silent."""
    pcm = reader.read(start_ms, end_ms)
    assert (pcm.dtype, len(pcm)) == (np.float32, (end_ms - start_ms) * 16)
    loud = np.flatnonzero(np.abs(pcm) > 0.1)
    return [start_ms + round(loud[at] / 16) for at in (0, -1)] if len(loud) else []


@pytest.fixture
def reader(tmp_path: Path, tones: MakeTones) -> Iterator[TrackReader]:
    """A track of 20 s that sounds at 1.0-1.5 s, at 2-2.1 s and at 15-16 s."""
    path = tones(tmp_path / "tones.ogg", [(1000, 1500), (2000, 2100), (15_000, 16_000)], 20_000)
    reader = TrackReader(path)
    yield reader
    reader.close()


@pytest.mark.parametrize(
    ("stretch", "expected"),
    [
        pytest.param((0, 1800), [1000, 1500], id="from the beginning"),
        pytest.param((1950, 2200), [2000, 2100], id="a short sound"),
        pytest.param((14_000, 17_000), [15_000, 16_000], id="after a jump"),
        pytest.param((15_400, 15_600), [15_400, 15_600], id="inside a sound"),
        pytest.param((3000, 5000), [], id="in silence"),
    ],
)
def test_sounds_are_where_the_meeting_clock_has_them(
    reader: TrackReader, stretch: tuple[int, int], expected: list[int]
) -> None:
    """Wherever reading starts, samples stand at their own time, to a few milliseconds."""
    assert sounding_ms(reader, *stretch) == pytest.approx(expected, abs=6)


def test_stretches_may_follow_overlap_and_go_back(reader: TrackReader) -> None:
    """The order of reading changes nothing about what is read."""
    stretches = [(900, 1200), (1200, 1300), (1250, 2050), (14_900, 15_100), (2000, 2050), (0, 1100)]
    alone = [sounding_ms(TrackReader(reader._path), *stretch) for stretch in stretches]

    assert [sounding_ms(reader, *stretch) for stretch in stretches] == alone


def test_adjacent_stretches_join_without_a_seam(reader: TrackReader) -> None:
    """Two halves are the whole, so a long utterance may be read piece by piece."""
    halves = np.concatenate([reader.read(1000, 1250), reader.read(1250, 1500)])
    whole = TrackReader(reader._path).read(1000, 1500)

    assert np.max(np.abs(halves - whole)) < 0.02


def test_the_track_may_end_a_little_early(reader: TrackReader) -> None:
    """The last packet may end before the utterance was declared over."""
    assert sounding_ms(reader, 15_500, 20_300) == pytest.approx([15_500, 16_000], abs=6)


@pytest.mark.parametrize("stretch", [(19_900, 20_500), (30_000, 31_000)])
def test_a_stretch_behind_the_end_is_refused(reader: TrackReader, stretch: tuple[int, int]) -> None:
    """Speech that the track does not hold is an error, not silence."""
    with pytest.raises(TranscribeError, match=r"tones\.ogg ends or has a hole .* `standup retry"):
        reader.read(*stretch)


def test_reading_goes_on_after_a_stretch_was_refused(reader: TrackReader) -> None:
    """A stretch that is not there does not cost the ones that are."""
    with pytest.raises(TranscribeError):
        reader.read(30_000, 31_000)

    assert sounding_ms(reader, 900, 1600) == pytest.approx([1000, 1500], abs=6)


def test_a_damaged_page_does_not_shift_what_follows(tmp_path: Path, reader: TrackReader) -> None:
    """Noise in the middle of the file leaves later sounds at their time."""
    raw = bytearray(reader._path.read_bytes())
    middle = raw.index(b"OggS", len(raw) // 3)
    raw[middle + 30 : middle + 60] = bytes(30)
    damaged = tmp_path / "damaged.ogg"
    damaged.write_bytes(raw)

    assert sounding_ms(TrackReader(damaged), 14_000, 17_000) == pytest.approx([15_000, 16_000], abs=6)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"", id="empty"),
        pytest.param(b"#!/bin/sh\necho hello\n" * 50, id="foreign"),
        pytest.param(b"OggS" + bytes(200), id="an Ogg of nothing"),
    ],
)
def test_what_is_no_audio_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    """The message names the file, not its folder, and the next step."""
    path = tmp_path / "anna.ogg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TranscribeError, match=r"The track anna\.ogg .* `standup retry ID --from capture`"):
        TrackReader(path)


def test_closing_lets_go_of_the_file(reader: TrackReader) -> None:
    """A closed reader holds no open file."""
    reader.read(0, 100)
    reader.close()

    assert not [one for one in Path("/proc/self/fd").iterdir() if one.resolve() == reader._path]


@pytest.mark.parametrize(
    ("pcm", "expected"),
    [
        pytest.param(np.zeros(0), [], id="nothing"),
        pytest.param(np.zeros(1600), [-100.0], id="digital silence"),
        pytest.param(np.ones(1601), [0.0, 0.0], id="full scale, with a rest"),
        pytest.param(np.full(1600, 0.1), [-20.0], id="a tenth"),
    ],
)
def test_levels_are_in_decibels_below_full_scale(pcm: np.ndarray, expected: list[float]) -> None:
    """One level per 100 ms, never minus infinity."""
    assert levels_db(pcm.astype(np.float32)) == pytest.approx(expected, abs=1e-3)
