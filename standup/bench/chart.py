"""Draw the transcribe benchmark: wall time against word error rate, both smaller is better."""

from __future__ import annotations

from pathlib import Path

from standup.bench.contenders import Contender
from standup.bench.transcribe import Score, TranscribeFigures
from standup.errors import ServiceMissing

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter
except ImportError as cause:
    raise ServiceMissing("matplotlib is not installed; run `./setup.sh`.") from cause

NAMES = {
    Contender.OURS: "StandupBot",
    Contender.PLAIN: "whisper-ctranslate2",
    Contender.BATCHED: "whisper-ctranslate2 --batched",
    Contender.TUNED: "faster-whisper batches, a track per core",
}
_OURS, _OTHERS = "tab:blue", "0.3"
# In shares of the axes: names hang from the top, the fastest one's highest, and nobody's reaches beyond the right edge.
_TOP, _ROW, _POINTS_HIGH, _POINTS_WIDE = 0.97, 0.11, 0.45, 0.6


def draw(figures: TranscribeFigures, path: Path) -> None:
    """Write the chart to *path* as PNG."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot()
    _scale(axes, figures)
    _draw_floor(axes, figures.floor_s)
    by_wall = sorted(figures.scores, key=lambda one: figures.scores[one].wall_s)
    for row, contender in enumerate(by_wall):
        _draw_contender(axes, figures, contender, _TOP - row * _ROW)
    figure.savefig(path, format="png", dpi=150)


def _scale(axes: Axes, figures: TranscribeFigures) -> None:
    walls_s = [figures.floor_s, *(one.wall_s for one in figures.scores.values())]
    first_s = min(walls_s) / 1.5
    # Ratios are what is compared, and equal ratios are equal distances only on such a scale.
    axes.set_xscale("log")
    axes.set_xlim(first_s, first_s * (max(walls_s) / first_s) ** (1 / _POINTS_WIDE))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} s")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0, max(_percent(one) for one in figures.scores.values()) / _POINTS_HIGH or 1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    axes.set_xlabel(f"wall time for {figures.speech_s:.0f} s of speech (logarithmic)")
    axes.set_ylabel("word error rate, by speaker")
    axes.set_title(
        f"{figures.model} {figures.compute_type} on {figures.cores} cores, median of {figures.repetitions}"
    )
    axes.grid(alpha=0.2)


def _draw_contender(axes: Axes, figures: TranscribeFigures, contender: Contender, height: float) -> None:
    """Draw a point, and its name at *height* above it."""
    score = figures.scores[contender]
    is_ours = contender is Contender.OURS
    colour = _OURS if is_ours else _OTHERS
    times = "" if is_ours else f" ({figures.times(contender):.1f} × ours)"
    wall_s, percent = score.wall_s, _percent(score)
    axes.plot(wall_s, percent, "o", color=colour, markersize=9)
    axes.axvline(
        wall_s, percent / axes.get_ylim()[1], height, color=colour, linewidth=0.8, alpha=0.5, zorder=1
    )
    axes.annotate(
        f"{NAMES[contender]}\n{score.wall_s:.1f} s{times}, {percent:.1f} %",
        (wall_s, height),
        xycoords=axes.get_xaxis_transform(),
        xytext=(5, 0),
        textcoords="offset points",
        va="top",
        color=colour,
    )


def _draw_floor(axes: Axes, floor_s: float) -> None:
    axes.axvline(floor_s, color="0.6", linestyle="--")
    axes.annotate(
        f"the encoder alone\n{floor_s:.1f} s",
        (floor_s, 0.03),
        xycoords=axes.get_xaxis_transform(),
        xytext=(5, 0),
        textcoords="offset points",
        color="0.4",
    )


def _percent(score: Score) -> float:
    return 100 * score.word_error_rate
