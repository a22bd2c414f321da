"""The meeting, its id and the table of its life."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from standup.meeting import (
    TRANSITIONS,
    Meeting,
    MeetingEvent,
    MeetingState,
    PacketCounts,
    Participant,
    advance,
    check_meeting_id,
    meeting_id,
)

START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)


def test_id_sorts_by_time_and_is_utc() -> None:
    """An id carries UTC time first, whatever zone it was made in."""
    oslo = timezone(timedelta(hours=1))
    assert meeting_id(START.astimezone(oslo), "1f0c9a2b") == "20261123T095800Z-1f0c9a2b"


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "20261123T095800Z-1f0c9a2b/..", "20261123T095800Z"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """Only ids become paths."""
    with pytest.raises(ValueError, match="is not a meeting id"):
        check_meeting_id(text)


def test_a_naive_time_is_refused() -> None:
    """An id is never made from a time whose zone is unknown."""
    with pytest.raises(ValueError, match="aware"):
        meeting_id(datetime(2026, 11, 23), "1f0c9a2b")  # noqa: DTZ001


@pytest.mark.parametrize("state", MeetingState)
@pytest.mark.parametrize("event", MeetingEvent)
def test_only_the_table_decides(state: MeetingState, event: MeetingEvent) -> None:
    """A pair in the table leads to its state; every other pair raises."""
    expected = TRANSITIONS.get((state, event))
    if expected is None:
        with pytest.raises(ValueError, match="cannot take"):
            advance(state, event)
    else:
        assert expected is advance(state, event)


def test_every_state_can_be_reached_and_left() -> None:
    """No state of a meeting is a dead end or out of reach."""
    left = {state for state, _ in TRANSITIONS}
    reached = set(TRANSITIONS.values()) | {MeetingState.RECORDING}
    assert left == reached == set(MeetingState)


def test_duration_is_the_wall_span() -> None:
    """A meeting lasts from its start to its end, not as long as somebody spoke."""
    meeting = Meeting("20261123T095800Z-1f0c9a2b", "1", "2", "3", START, START + timedelta(seconds=90.5))
    assert meeting.duration_ms == 90_500


def test_a_running_meeting_has_no_duration() -> None:
    """A meeting that goes on has lasted 0 ms so far as the archive is concerned."""
    assert Meeting("20261123T095800Z-1f0c9a2b", "1", "2", "3", START).duration_ms == 0


@pytest.mark.parametrize("bad", ["", "a/b"])
def test_participant_ids_become_file_names(bad: str) -> None:
    """An id that would leave its folder is refused."""
    with pytest.raises(ValueError, match="participant id"):
        Participant(bad, "Ana")


def test_counts_are_not_negative() -> None:
    """A count below zero is a mistake of ours."""
    with pytest.raises(ValueError, match="negative"):
        PacketCounts(lost=-1)
