"""The chart of the transcribe benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.bench.chart import NAMES, draw
from standup.bench.contenders import Contender
from standup.bench.transcribe import Score, TranscribeFigures


@pytest.mark.parametrize("word_error_rate", [0.0, 0.07, 1.5])
def test_figures_are_drawn(tmp_path: Path, word_error_rate: float) -> None:
    """A PNG comes of any figures, even of contenders who are all the same."""
    scores = {one: Score(2.0, 0.0, 0.1, word_error_rate, None, 300.0) for one in NAMES}
    figures = TranscribeFigures("tiny.en", "cpu", "int8", 2, 3, 4, 20.0, 1.0, scores)
    draw(figures, tmp_path / "chart.png")

    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_every_contender_is_drawn() -> None:
    """All but the floor, which is a line."""
    assert set(NAMES) == set(Contender) - {Contender.FLOOR}
