"""From utterances to clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from standup.errors import TranscribeError
from standup.transcribe import guards
from standup.transcribe.audio import TrackReader
from standup.transcribe.clips import TRACK_DAMAGED, TRACK_MISSING, TRACK_UNREADABLE, Clip, Skipped, Tracks
from standup.transcribe.windows import WINDOW_MS
from standup.transcript import Utterance

MakeTones = Callable[[Path, Sequence[tuple[int, int]], int], Path]


def clips_of(tracks: dict[str, Path], utterances: Sequence[Utterance]) -> list[Clip | Skipped]:
    """Return everything the tracks yield for *utterances*."""
    with Tracks(tracks) as opened:
        return list(opened.clips(utterances))


def test_speech_becomes_one_clip_per_utterance(
    tracks: dict[str, Path], pending: tuple[Utterance, ...]
) -> None:
    """Every utterance of real speech passes, in time order, with exactly its own samples."""
    clips = clips_of(tracks, tuple(reversed(pending)))

    assert [(one.span.utterance, len(one.pcm)) for one in clips if isinstance(one, Clip)] == [
        (one.id, (one.end_ms - one.start_ms) * 16) for one in pending
    ]


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "reason"),
    [
        pytest.param(2000, 2150, guards.TOO_SHORT, id="a click of the key"),
        pytest.param(2000, 2000, guards.TOO_SHORT, id="no time at all"),
        pytest.param(5000, 7000, guards.TOO_QUIET, id="an open but silent line"),
        pytest.param(1000, 3000, guards.NO_SPEECH, id="a tone"),
    ],
)
def test_what_is_no_speech_is_skipped_with_the_reason(
    tmp_path: Path, tones: MakeTones, start_ms: int, end_ms: int, reason: str
) -> None:
    """Silence is verified before any model sees it, and says why."""
    track = tones(tmp_path / "a.ogg", [(0, 4000)], 8000)
    (only,) = clips_of({"a": track}, [Utterance("u0", "a", start_ms, end_ms)])

    assert isinstance(only, Skipped)
    assert (only.reason, only.error) == (reason, None)


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        pytest.param({}, TRACK_MISSING, id="no track"),
        pytest.param({"rms": "nowhere.ogg"}, TRACK_UNREADABLE, id="no file"),
        pytest.param({"rms": "make.py"}, TRACK_UNREADABLE, id="a foreign file"),
    ],
)
def test_a_broken_track_costs_its_own_speaker_only(
    data: Path, tracks: dict[str, Path], pending: tuple[Utterance, ...], paths: dict[str, str], reason: str
) -> None:
    """Everybody else is heard; the broken track's utterances carry the error and its code."""
    del tracks["rms"]
    found = clips_of(tracks | {name: data / file for name, file in paths.items()}, pending)
    skipped = {one.span.utterance: one.reason for one in found if isinstance(one, Skipped)}

    assert skipped == {one.id: reason for one in pending if one.speaker == "rms"}
    assert all(isinstance(one.error, TranscribeError) for one in found if isinstance(one, Skipped))
    assert {one.span.utterance for one in found if isinstance(one, Clip)} == {
        one.id for one in pending if one.speaker != "rms"
    }


def test_a_truncated_track_keeps_what_comes_before(
    data: Path, tracks: dict[str, Path], pending: tuple[Utterance, ...]
) -> None:
    """Of a speaker's two utterances the first is whole and the second is missing."""
    found = clips_of(
        tracks | {"rms": data / "truncated.ogg"}, [one for one in pending if one.speaker == "rms"]
    )

    assert [one.reason if isinstance(one, Skipped) else "heard" for one in found] == ["heard", TRACK_DAMAGED]


def test_a_long_utterance_is_cut_into_windows_that_cover_it(tracks: dict[str, Path], tmp_path: Path) -> None:
    """A monologue comes as clips that join without overlap, none longer than a window."""
    pcm = _speech(tracks["rms"], 2580, 5535)
    path = tmp_path / "long.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (np.tile(pcm, 14)[None] * 32767).astype(np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
    clips = clips_of({"a": path}, [Utterance("u0", "a", 0, 41_000)])
    bounds = [(one.span.start_ms, one.span.end_ms) for one in clips]

    assert all(isinstance(one, Clip) and one.span.duration_ms <= WINDOW_MS for one in clips)
    assert (bounds[0][0], bounds[-1][1]) == (0, 41_000)
    assert [end for _, end in bounds[:-1]] == [start for start, _ in bounds[1:]]


def _speech(path: Path, start_ms: int, end_ms: int) -> np.ndarray:
    return TrackReader(path).read(start_ms, end_ms)
