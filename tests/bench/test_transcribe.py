"""The benchmark of the transcribe stage: scores, ratios, targets, and a real run of all contenders."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from standup.bench.accuracy import Placement
from standup.bench.contenders import Contender, Run
from standup.bench.pieces import Piece
from standup.bench.rehearsal import Rehearsal
from standup.bench.transcribe import Score, TranscribeFigures, run, score
from standup.settings import WhisperSettings
from standup.transcript import Utterance
from tests.bench.contest_figures import figures


def scored(wall_s: float, startup_s: float = 0.0, placement: Placement | None = None) -> Score:
    return Score(wall_s, startup_s, wall_s / 30, 0.05, placement, 300.0)


FIGURES = figures(
    {
        Contender.OURS: scored(2.0, placement=Placement(0.079, 1.0, 0)),
        Contender.PLAIN: scored(10.0, 2.0, Placement(0.1, 0.9, 500)),
        Contender.BATCHED: scored(6.0, 1.0),
        Contender.TUNED: scored(3.2, placement=Placement(0.075, 0.9, 200)),
    }
)


def changed(contender: Contender, **changes: object) -> TranscribeFigures:
    other = dataclasses.replace(FIGURES.scores[contender], **changes)  # type: ignore[arg-type]
    return dataclasses.replace(FIGURES, scores={**FIGURES.scores, contender: other})


def test_figures_are_told_as_ratios() -> None:
    """The machine's own speed drops out of the comparison; a command's start-up can be left aside."""
    assert [FIGURES.times(one) for one in FIGURES.scores] == [1.0, 5.0, 3.0, 1.6]
    assert [FIGURES.times_started(one) for one in FIGURES.scores] == [1.0, 4.0, 2.5, 1.6]


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        pytest.param(FIGURES, [], id="all reached, most of them exactly"),
        pytest.param(changed(Contender.PLAIN, wall_s=9.9), ["times faster than `plain`"], id="plain"),
        pytest.param(changed(Contender.BATCHED, wall_s=5.9), ["times faster than `batched`"], id="batched"),
        pytest.param(changed(Contender.TUNED, wall_s=3.1), ["times faster than `tuned`"], id="tuned"),
        pytest.param(
            changed(Contender.OURS, placement=Placement(0.081, 1.0, 0)),
            ["WER by utterance above `tuned`, points"],
            id="accuracy",
        ),
        pytest.param(
            changed(Contender.OURS, placement=Placement(0.05, 1.0, 301)),
            ["start error (p95), ms"],
            id="starts",
        ),
        pytest.param(changed(Contender.TUNED, placement=None), [], id="what is not known is not missed"),
    ],
)
def test_missed_targets_are_named(figures: TranscribeFigures, missed: list[str]) -> None:
    """Each target by its own name."""
    assert [one.name for one in figures.targets if not one.is_met] == missed


def meeting(folder: Path, text: str = "Hello there, everybody.", end_ms: int = 2000) -> Rehearsal:
    said = Utterance("u0", "a", 0, end_ms)
    return Rehearsal({"a": folder}, (said.heard(text) if text else said,), {"a": text or "Hello."})


def test_a_score_is_of_medians(tmp_path: Path) -> None:
    """Times and memory are medians over the repetitions, each of a meeting of its own length."""
    heard = (Piece("a", 0, 2000, " hello there everybody"),)
    runs = [Run(4.0, 100.0, heard, 3.0), Run(1.0, 300.0, heard, 1.0), Run(2.0, 200.0, heard, 2.0)]
    meetings = [meeting(tmp_path, end_ms=end_ms) for end_ms in (8000, 4000, 2000)]

    assert score(meetings, runs) == Score(2.0, 2.0, 0.5, 0.0, Placement(0.0, 1.0, 0), 200.0)


def test_a_score_is_of_the_words_of_all_meetings(tmp_path: Path) -> None:
    """Every meeting has its own speakers and utterances, though they have the same names in all of them."""
    meetings = [meeting(tmp_path), meeting(tmp_path, "Good morning, Ana.")]
    runs = [Run(1.0, 1.0, (Piece("a", 0, 2000, " hello there everybody"),)), Run(1.0, 1.0)]
    made = score(meetings, runs)

    assert (made.word_error_rate, made.placement) == (0.5, Placement(0.5, 0.5, 0))


@pytest.mark.parametrize(("text", "tells_times"), [("Hello.", False), ("", True)])
def test_without_times_or_texts_only_speakers_are_scored(
    tmp_path: Path, text: str, tells_times: bool
) -> None:
    """A contender that tells no times, or a rehearsal of recordings, has no placement."""
    made = score([meeting(tmp_path, text)], [Run(1.0, 1.0, (Piece("a", 0, 2000, " hello"),))], tells_times)

    assert (made.placement, made.word_error_rate) == (None, 0.0)


@pytest.mark.integration
@pytest.mark.alone
@pytest.mark.timeout(300)
def test_the_benchmark_measures_all_contenders_on_the_same_words() -> None:
    """A tiny run gives times, errors and memory of every contender, and the floor lies below all."""
    settings = WhisperSettings(model="tiny.en", device="cpu", language="en")
    figures = run(settings, minutes=0.2, repetitions=1)
    scores = figures.scores

    assert set(scores) == set(Contender) - {Contender.FLOOR}
    assert all(one.wall_s > figures.floor_s > 0 for one in scores.values())
    assert all(one.word_error_rate < 0.3 and 50 < one.peak_mb < 2000 for one in scores.values())
    assert {name for name, one in scores.items() if one.startup_s} == {Contender.PLAIN, Contender.BATCHED}
    assert {name for name, one in scores.items() if one.placement is None} == {Contender.BATCHED}
