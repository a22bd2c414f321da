"""A recording stops by itself when nobody is left, or when it takes too long."""

from __future__ import annotations

import pytest

from standup.bot.endings import SENTENCES, Ending, Limits

LIMITS = Limits(empty_grace_ms=30_000, longest_ms=3_600_000)


@pytest.mark.parametrize(
    ("elapsed_ms", "empty_ms", "expected"),
    [
        pytest.param(0, 0, None, id="just begun"),
        pytest.param(3_599_999, 0, None, id="within the limit"),
        pytest.param(3_600_000, 0, Ending.TOO_LONG, id="at the limit"),
        pytest.param(60_000, 29_999, None, id="empty within the grace time"),
        pytest.param(60_000, 30_000, Ending.EMPTY, id="empty for too long"),
        pytest.param(3_600_000, 30_000, Ending.TOO_LONG, id="both"),
    ],
)
def test_limits(elapsed_ms: int, empty_ms: int, expected: Ending | None) -> None:
    """Limits count from their exact millisecond."""
    assert LIMITS.ending(elapsed_ms, empty_ms) == expected


def test_no_grace_still_needs_an_empty_channel() -> None:
    """Without grace time a recording whose channel is not empty goes on."""
    limits = Limits(empty_grace_ms=0, longest_ms=1000)

    assert limits.ending(10, 0) is None


def test_limits_are_positive() -> None:
    """A limit that could never be kept cannot be made."""
    with pytest.raises(ValueError, match="positive"):
        Limits(empty_grace_ms=30_000, longest_ms=0)


def test_every_ending_has_its_sentence() -> None:
    """People are told why, whatever the reason."""
    assert set(SENTENCES) == set(Ending)
