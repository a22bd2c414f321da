"""The benchmark of the transcribe stage."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from standup.bench.transcribe import VOICES, Score, TranscribeFigures, rehearse, run, word_error_rate
from standup.errors import ServiceMissing
from standup.settings import WhisperSettings


@pytest.mark.parametrize(
    ("spoken", "heard", "expected"),
    [
        pytest.param({"a": "Yes, it's done."}, {"a": "yes it's done"}, 0.0, id="case and punctuation aside"),
        pytest.param({"a": "one two three four"}, {"a": "one two three"}, 0.25, id="a word missed"),
        pytest.param({"a": "one two", "b": "three four"}, {"a": "one two"}, 0.5, id="a speaker missed"),
        pytest.param({"a": "one", "b": "two"}, {"a": "two", "b": "one"}, 1.0, id="the wrong speakers"),
    ],
)
def test_the_word_error_rate_is_over_all_speakers(
    spoken: dict[str, str], heard: dict[str, str], expected: float
) -> None:
    """Errors are counted speaker by speaker and pooled."""
    assert word_error_rate(spoken, heard) == expected


def test_figures_are_told_as_ratios() -> None:
    """The machine's own speed drops out of the comparison."""
    slow, fast = Score(9.0, 0.9, 0.05), Score(3.0, 0.3, 0.05)
    figures = TranscribeFigures("tiny.en", "cpu", "int8", 2, 3, 10.0, ours=fast, plain=slow, batched=fast)

    assert (figures.times_plain, figures.times_batched) == (3.0, 1.0)


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without flite there is no benchmark, and the message says what to run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceMissing, match=r"flite is not installed or failed; run `\./setup\.sh`"):
        rehearse(tmp_path, 0.01, ["This sentence is said in no other test."])


@pytest.mark.integration
def test_a_rehearsal_has_a_track_per_voice_and_takes_turns(tmp_path: Path) -> None:
    """Utterances follow one another on the meeting clock, and every voice has its own file."""
    rehearsal = rehearse(tmp_path, 0.2, ["Yes.", "No blockers."])
    times = [(one.start_ms, one.end_ms) for one in rehearsal.utterances]

    assert sorted(rehearsal.tracks) == sorted(VOICES)
    assert all(path.read_bytes().startswith(b"OggS") for path in rehearsal.tracks.values())
    assert all(end < start for (_, end), (start, _) in pairwise(times))


@pytest.mark.integration
def test_the_benchmark_measures_all_ways_on_the_same_words() -> None:
    """A tiny run gives times and error rates for the stage and both of faster-whisper's own ways."""
    figures = run(WhisperSettings(model="tiny.en", device="cpu", language="en"), minutes=0.2, repetitions=1)

    assert figures.model == "tiny.en"
    assert all(
        one.wall_s > 0 and one.word_error_rate < 0.3 for one in (figures.ours, figures.plain, figures.batched)
    )
