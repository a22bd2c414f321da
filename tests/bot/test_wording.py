"""What the message says when nothing is recorded, and why."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup import notice as notices
from standup.bot import wording
from standup.bot.endings import SENTENCES, Ending
from standup.meeting import Gap, Meeting

MEETING = Meeting(
    id="20261123T095800Z-1f0c9a2b",
    guild_id="1",
    voice_channel_id="2",
    text_channel_id="3",
    started_at=datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc),
)


def test_gaps_are_told() -> None:
    """Each gap is listed by the meeting clock, below what the notice says."""
    notice = wording.with_gaps(
        notices.recording(MEETING, 2, 90_000), [Gap(42_000, 55_000), Gap(61_000, 62_000)]
    )

    assert notice.cards[0].description.endswith("Not heard: 0:42 to 0:55, 1:01 to 1:02.")


def test_without_gaps_the_notice_stays() -> None:
    """Nothing is added when nothing is missing."""
    notice = notices.recording(MEETING, 2, 90_000)

    assert wording.with_gaps(notice, []) == notice


@given(st.lists(st.integers(0, 10**8), max_size=500))
def test_any_number_of_gaps_fits(starts_ms: list[int]) -> None:
    """A notice stays within Discord's limits however often hearing was lost."""
    many = [Gap(one, one + 1000) for one in starts_ms]

    notice = wording.with_gaps(wording.deaf(MEETING, 0), many)

    assert ("Not heard" in notice.cards[0].description) == bool(many)


@pytest.mark.parametrize(
    "notice",
    [
        wording.deaf(MEETING, 1000),
        wording.deafened(MEETING, 1000),
        wording.paused(MEETING),
        wording.not_begun(MEETING, "No."),
    ],
    ids=["deaf", "deafened", "paused", "not begun"],
)
def test_nothing_claims_to_record_without_hearing(notice: notices.Notice) -> None:
    """A bot that does not hear never shows the words of a running recording."""
    assert "being recorded" not in notice.content
    assert notice.cards[0].title == "Not recording"


def test_the_reason_is_told_first() -> None:
    """A recording that nobody stopped says why it ended."""
    notice = wording.with_ending(notices.recording(MEETING, 1, 0), Ending.EMPTY)

    assert notice.content.startswith(SENTENCES[Ending.EMPTY])


def test_a_wish_needs_no_reason() -> None:
    """Whoever stopped the recording knows why."""
    notice = notices.recording(MEETING, 1, 0)

    assert wording.with_ending(notice, Ending.ASKED) == notice
