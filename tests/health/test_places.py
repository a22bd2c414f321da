"""Which channels the doctor looks at."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from standup.health.places import Place, places
from standup.meeting import Meeting

NOW = datetime(2026, 11, 23, 9, 55, tzinfo=timezone.utc)


def meeting(voice: str, text: str, days_ago: int = 1) -> Meeting:
    began = NOW - timedelta(days=days_ago)
    return Meeting(f"{began:%Y%m%dT%H%M%SZ}-00000000", "1", voice, text, began)


def test_a_meetings_channels() -> None:
    """The voice channel is listened to, the text channel posted in, each once."""
    found = places([meeting("10", "20"), meeting("10", "21")], (), "", NOW)
    assert (Place(10, listens=True), Place(20, posts=True), Place(21, posts=True)) == found


def test_a_chat_inside_a_voice_channel() -> None:
    """A channel that is both is one place with both needs."""
    assert (Place(10, listens=True, posts=True),) == places([meeting("10", "10")], (), "", NOW)


def test_old_meetings_do_not_count() -> None:
    """A channel last used fifteen days ago is not looked at."""
    assert () == places([meeting("10", "20", days_ago=15)], (), "", NOW)


def test_an_import_has_no_channels() -> None:
    """A meeting without channels names none."""
    assert () == places([meeting("", "")], (), "", NOW)


def test_named_and_alert_channels() -> None:
    """What the operator names is vital, the alert channel is not, and a known channel keeps its use."""
    found = places([meeting("10", "20")], (10, 30), "20", NOW)
    named = (Place(10, listens=True, is_wanted=True), Place(30, is_named=True, is_wanted=True))
    assert (*named, Place(20, posts=True)) == found
    assert (Place(40, is_vital=False),) == places([], (), "40", NOW)
