"""The benchmark of reading while people talk."""

from __future__ import annotations

import pytest

from standup.bench.live import TARGET_S, LiveFigures, run


@pytest.mark.parametrize(("summarize_s", "is_within"), [(TARGET_S - 2, True), (TARGET_S, False)])
def test_the_target_is_for_all_that_follows_the_end(summarize_s: float, is_within: bool) -> None:
    """The stages after the meeting count together; what was read ahead does not."""
    stages_s = {"capture": 1.0, "transcribe": 1.0, "summarize": summarize_s}

    assert LiveFigures(3.0, 10, 100, 9, 60.0, stages_s).is_within_target is is_within


@pytest.mark.integration
def test_most_of_a_meeting_is_read_before_its_end() -> None:
    """A minute and a half on a clock that does not wait: all stages ran, and little was left for the end."""
    figures = run(1.5)

    assert figures.words > 100
    assert 0 < figures.read_ahead < figures.utterances
    assert set(figures.stages_s) == {"capture", "transcribe", "summarize"}
