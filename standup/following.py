"""Has speech read while a meeting is still recorded: each closed journal segment publishes two tasks,
one that reads its speech and one that looks ahead for the stages that follow.

Nothing waits for these tasks and none is repeated: what they do not get to is done by the chain after the meeting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from celery import chain
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from standup.archive.manifest import meeting_folder
from standup.capture.segments import segments
from standup.celery import app
from standup.errors import BrokerUnreachable
from standup.pipeline import FOLLOW, FOLLOW_EXPIRES_S, SKIM


def publish_follow(meeting_id: str, connection: Connection | None = None) -> None:
    """Have what was said so far in a meeting read, or raise BrokerUnreachable within seconds.

    *connection* leads to another broker than the settings name.
    """
    links = [
        app.signature(name, args=(meeting_id,), immutable=True, options={"expires": FOLLOW_EXPIRES_S})
        for name in (FOLLOW, SKIM)
    ]
    try:
        chain(*links).apply_async(
            connection=connection, retry=True, retry_policy={"max_retries": 1, "interval_start": 0}
        )
    except (OperationalError, OSError) as cause:
        raise BrokerUnreachable(
            "Redis does not answer, so nothing is read ahead; start Redis and check STANDUP_BROKER_URL."
        ) from cause


class Following:
    """Sees journals grow; for one thread."""

    def __init__(self, data_dir: Path, publish: Callable[[str], None] = publish_follow) -> None:
        self._data_dir = data_dir
        self._publish = publish
        self._closed: dict[str, int] = {}

    def round(self, recorded: Iterable[str]) -> None:
        """Publish for every meeting of *recorded* whose journal has another closed segment than at the last round.

        Raises BrokerUnreachable; the round is then repeated by the next.
        """
        self._closed = {meeting_id: self._closed.get(meeting_id, 0) for meeting_id in recorded}
        for meeting_id, before in self._closed.items():
            closed = self._count(meeting_id)
            if closed > before:
                self._publish(meeting_id)
                self._closed[meeting_id] = closed

    def _count(self, meeting_id: str) -> int:
        """Return how many segments are closed: all but the newest."""
        try:
            return max(0, len(segments(meeting_folder(self._data_dir, meeting_id) / "journal")) - 1)
        except OSError:
            return 0
