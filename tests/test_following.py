"""Each closed segment of a recorded meeting has what was said read."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.archive.manifest import meeting_folder
from standup.errors import BrokerUnreachable
from standup.following import Following

ONE, TWO = "20260102T090000Z-00000001", "20260102T100000Z-00000002"


def grow(data_dir: Path, meeting_id: str, segments: int) -> None:
    """Give a meeting's journal this many segments."""
    folder = meeting_folder(data_dir, meeting_id) / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, segments + 1):
        (folder / f"{number:06}.pkt").touch()


def test_every_closed_segment_is_told_once(tmp_path: Path) -> None:
    """The newest segment is still being written and tells nothing."""
    published: list[str] = []
    following = Following(tmp_path, published.append)
    counts = []
    for segments in (0, 1, 1, 2, 2, 4):
        grow(tmp_path, ONE, segments)
        following.round([ONE])
        counts.append(len(published))

    assert counts == [0, 0, 0, 1, 1, 2]


def test_meetings_are_followed_apart_and_forgotten_when_they_end(tmp_path: Path) -> None:
    """A meeting that is no longer recorded publishes nothing."""
    published: list[str] = []
    following = Following(tmp_path, published.append)
    grow(tmp_path, ONE, 2)
    grow(tmp_path, TWO, 3)
    following.round([ONE, TWO])
    grow(tmp_path, ONE, 3)
    following.round([TWO])

    assert published == [ONE, TWO]


def test_a_broker_that_is_away_is_asked_again(tmp_path: Path) -> None:
    """The segment is told in the first round in which Redis answers."""
    answers = iter([BrokerUnreachable("Redis does not answer."), None])
    published: list[str] = []

    def publish(meeting_id: str) -> None:
        problem = next(answers)
        if problem is not None:
            raise problem
        published.append(meeting_id)

    following = Following(tmp_path, publish)
    grow(tmp_path, ONE, 2)
    with pytest.raises(BrokerUnreachable):
        following.round([ONE])
    following.round([ONE])

    assert published == [ONE]
