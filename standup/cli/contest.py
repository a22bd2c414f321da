"""How `standup bench transcribe` shows its figures."""

from __future__ import annotations

import dataclasses
from typing import Any

from rich.table import Table

from standup.bench.contenders import Contender
from standup.bench.transcribe import Score, TranscribeFigures

NAMES = {
    Contender.OURS: "StandupBot",
    Contender.PLAIN: "plain",
    Contender.BATCHED: "batched",
    Contender.TUNED: "tuned",
}
_COLUMNS = (
    "",
    "wall",
    "ours faster",
    "start-up aside",
    "WER",
    "WER by utterance",
    "placed",
    "start",
    "memory",
)
_MEANINGS = """\
plain: the command whisper-ctranslate2; batched: the same with --batched True; tuned: faster-whisper's batches with
word times, a track per core; floor: the encoder alone over this much speech, in windows of 15 s, a stream per core.
placed: utterances with their text under them; start: error of their start times, 95th percentile. StandupBot is told
where utterances begin and end, as Discord tells it, so its start error is nought by nature."""


def table(figures: TranscribeFigures) -> Table:
    """Return a line for each contender, and one for the floor."""
    shown = Table(*_COLUMNS, box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    for contender, name in NAMES.items():
        score = figures.scores[contender]
        times = ("", "")
        if contender is not Contender.OURS:
            times = (f"{figures.times(contender):.1f} ×", f"{figures.times_started(contender):.1f} ×")
        shown.add_row(name, f"{score.wall_s:.1f} s", *times, *_cells(score))
    ratio = figures.floor_s / figures.scores[Contender.OURS].wall_s
    shown.add_row("floor", f"{figures.floor_s:.1f} s", f"{ratio:.1f} ×", style="dim")
    return shown


def in_words(figures: TranscribeFigures) -> str:
    """Return what the table's figures are of."""
    startups = ", ".join(
        f"{NAMES[name]} {one.startup_s:.1f} s" for name, one in figures.scores.items() if one.startup_s
    )
    return (
        f"\n{figures.speech_s:.0f} s of speech, {figures.model} {figures.compute_type}, {figures.cores} cores, "
        f"{figures.repetitions} × each in turn, medians; words of all {figures.utterances} utterances.\n"
        f"Start-up within the wall time of the commands: {startups}.\n{_MEANINGS}"
    )


def describe(figures: TranscribeFigures) -> dict[str, Any]:
    """Return the JSON form."""
    others = [one for one in figures.scores if one is not Contender.OURS]
    return dataclasses.asdict(figures) | {
        "times": {one.value: round(figures.times(one), 2) for one in others},
        "times_start_up_aside": {one.value: round(figures.times_started(one), 2) for one in others},
        "targets": [dataclasses.asdict(one) for one in figures.targets],
    }


def _cells(score: Score) -> tuple[str, ...]:
    placement = score.placement
    placed = ("–", "–", "–")
    if placement is not None:
        late_ms = placement.start_error_p95_ms
        placed = (
            _percent(placement.word_error_rate),
            _percent(placement.share),
            "–" if late_ms is None else f"{late_ms} ms",
        )
    return (_percent(score.word_error_rate), *placed, f"{score.peak_mb:.0f} MB")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
