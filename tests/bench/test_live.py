"""The benchmark of reading while people talk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from standup.bench.held import Script, hold
from standup.bench.live import TARGET_MEDIAN_S, TARGET_P95_S, Held, LiveFigures, run
from standup.capture.journal import read

_SPOKEN = Script(((0, 1, b"\xf8one"), (960, 2, b"\xf8two")), 48_000)
_START_NS = 1_767_603_600 * 1_000_000_000


def _figures(after_s: Sequence[float], peer_s: float = 60.0) -> LiveFigures:
    meetings = tuple(Held(10, 100, 9, 1.0, one) for one in after_s)
    return LiveFigures(3.0, meetings, Held(10, 100, 0, 0.0, peer_s))


@pytest.mark.parametrize(
    ("after_s", "is_within"),
    [
        ([TARGET_MEDIAN_S] * 20, True),
        ([TARGET_MEDIAN_S + 0.1] * 20, False),
        ([1.0] * 19 + [TARGET_P95_S + 1], True),
        ([1.0] * 18 + [TARGET_P95_S + 1] * 2, False),
        ([1.0, 1.0, TARGET_P95_S + 1], False),
    ],
)
def test_half_and_nineteen_in_twenty_have_their_targets(after_s: Sequence[float], is_within: bool) -> None:
    """The median has one target, the nearest rank to 95 % another; of few meetings the slowest counts."""
    assert _figures(after_s).is_within_target is is_within


def test_the_ratio_is_to_the_meeting_read_afterwards() -> None:
    """It says how many times sooner the notes come at the median."""
    assert _figures([1.0, 2.0, 9.0], peer_s=12.0).ratio == 6.0


def test_a_held_meeting_is_said_again_until_it_is_over(tmp_path: Path) -> None:
    """Everybody's packets come once a turn, numbered on, at the times of the meeting's own clock."""
    hold(_SPOKEN, 0.05, tmp_path, _START_NS, lambda: None)

    found = [(one.record.user_id, one.record.sequence, one.arrival_ns) for one in read(tmp_path).records()]
    assert found == [
        (user, turn, turn * 1_000_000_000 + (user - 1) * 20_000_000) for turn in range(3) for user in (1, 2)
    ]


def test_each_closed_segment_of_a_held_meeting_is_told(tmp_path: Path) -> None:
    """The call comes once for each segment that is closed while the meeting goes on."""
    told: list[int] = []
    hold(_SPOKEN, 2, tmp_path, _START_NS, lambda: told.append(len(list(tmp_path.iterdir()))))

    assert told == [2, 3, 4]


@pytest.mark.integration
def test_most_of_a_meeting_is_read_before_its_end() -> None:
    """A minute and a half with real workers: notes were posted for both, and little was left for the end of one."""
    figures = run(1.5, meetings=1)

    (held,) = figures.meetings
    assert held.words > 100
    assert 0 < held.read_ahead < held.utterances
    assert figures.afterwards.read_ahead == 0
    assert figures.afterwards.words == pytest.approx(held.words, rel=0.1)
