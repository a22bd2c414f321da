"""Which channels the next meeting is likely to need.

No clock and no I/O here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from standup.meeting import Meeting

LATELY = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel and what the bot does there."""

    channel_id: int
    listens: bool = False
    posts: bool = False
    is_named: bool = False
    """The operator asked for it; what the bot does there follows from the kind of channel."""
    is_wanted: bool = False
    """The operator asked for it, whether or not a meeting has used it."""
    is_vital: bool = True
    """No meeting goes on without it."""


def places(
    meetings: Iterable[Meeting], named: Iterable[int], alert_channel_id: str, now: datetime
) -> tuple[Place, ...]:
    """Return the channels of the *meetings* of the last two weeks, those *named*, and the one for alerts.

    Each channel comes once; a text chat inside a voice channel is listened to and posted in.
    """
    found: dict[int, Place] = {one: Place(one, is_named=True, is_wanted=True) for one in named}
    for meeting in meetings:
        if now - meeting.started_at > LATELY:
            continue
        for channel_id, change in ((meeting.voice_channel_id, "listens"), (meeting.text_channel_id, "posts")):
            if channel_id.isdecimal():
                number = int(channel_id)
                found[number] = replace(found.get(number, Place(number)), is_named=False, **{change: True})
    if alert_channel_id.isdecimal():
        number = int(alert_channel_id)
        found.setdefault(number, Place(number, is_vital=False))
    return tuple(found.values())
