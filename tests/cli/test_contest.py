"""How the figures of `standup bench transcribe` are shown."""

from __future__ import annotations

import json
from io import StringIO

from rich.console import Console

from standup.bench.accuracy import Placement
from standup.bench.contenders import Contender
from standup.bench.transcribe import Score
from standup.cli.contest import describe, in_words, table
from tests.bench.contest_figures import figures

PLACED = Placement(0.08, 0.975, 120)
FIGURES = figures(
    {
        Contender.OURS: Score(2.0, 0.0, 0.07, 0.07, PLACED, 300.0),
        Contender.PLAIN: Score(12.0, 2.0, 0.4, 0.07, Placement(1.0, 0.0, None), 300.0),
        Contender.BATCHED: Score(7.0, 1.5, 0.2, 0.07, None, 300.0),
        Contender.TUNED: Score(4.0, 0.0, 0.1, 0.07, PLACED, 300.0),
    }
)


def test_every_contender_has_a_line() -> None:
    """Ratios for all but ours; a dash where nothing is known."""
    printed = StringIO()
    Console(width=120, file=printed).print(table(FIGURES))
    _, *rows = printed.getvalue().splitlines()
    lines = {row.split()[0]: row.split()[1:] for row in rows}

    assert lines == {
        "StandupBot": "2.0 s 7.0 % 8.0 % 97.5 % 120 ms 300 MB".split(),
        "plain": "12.0 s 6.0 × 5.0 × 7.0 % 100.0 % 0.0 % – 300 MB".split(),
        "batched": "7.0 s 3.5 × 2.8 × 7.0 % – – – 300 MB".split(),
        "tuned": "4.0 s 2.0 × 2.0 × 7.0 % 8.0 % 97.5 % 120 ms 300 MB".split(),
        "floor": "1.0 s 0.5 ×".split(),
    }


def test_start_up_is_told_of_commands_alone() -> None:
    """What loaded its model before has none."""
    assert "wall time of the commands: plain 2.0 s, batched 1.5 s." in in_words(FIGURES)


def test_the_json_form_has_ratios_and_targets() -> None:
    """Scripts need not divide."""
    found = json.loads(json.dumps(describe(FIGURES)))

    assert found["times"] == {"plain": 6.0, "batched": 3.5, "tuned": 2.0}
    assert found["times_start_up_aside"] == {"plain": 5.0, "batched": 2.75, "tuned": 2.0}
    assert all(one["is_met"] for one in found["targets"])
