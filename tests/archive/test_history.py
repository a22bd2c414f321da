"""Which notes a meeting's go on from."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from standup.archive import Archive, Claim, Manifest
from standup.errors import MeetingNotFound
from standup.meeting import Meeting, meeting_id
from standup.pipeline import STAGES, Stage
from standup.summary import Item, Kind, Summary

from .conftest import START

NOW_MS = 1_800_000_000_000
DAY = timedelta(days=1)


def held(archive: Archive, at: datetime, text: str | None, guild: str = "1", channel: str = "2") -> str:
    """A meeting whose notes hold *text*; None: not summarized yet, empty: nobody said anything."""
    made = meeting_id(at, f"{len(archive.meetings()):08x}")
    archive.adopt(Manifest(Meeting(made, guild, channel, "3", at, at + timedelta(minutes=9))))
    if text is None:
        return made
    items = (Item(Kind.NEXT, text, ("u1",), "11"),) if text else ()
    for stage in STAGES[: STAGES.index(Stage.SUMMARIZE) + 1]:
        claim = archive.claim(made, stage, NOW_MS)
        assert isinstance(claim, Claim)
        if stage is Stage.SUMMARIZE:
            archive.store_summary(claim, Summary(items, "rules"), NOW_MS)
        else:
            archive.store_capture(claim, [], [], NOW_MS)
    return made


def found(archive: Archive, meeting: str) -> str | None:
    before = archive.before(meeting)
    return before.summary.items[0].text if before else None


def test_the_last_meeting_of_the_same_channel(archive: Archive) -> None:
    """Of several earlier ones the last is taken, with the moment it began."""
    held(archive, START - 2 * DAY, "older")
    held(archive, START - DAY, "newer")
    before = archive.before(held(archive, START, None))
    assert before is not None
    assert ("newer", START - DAY) == (before.summary.items[0].text, before.began_at)


@pytest.mark.parametrize(
    ("at", "text", "guild", "channel"),
    [
        pytest.param(START - DAY, "x", "9", "2", id="another server"),
        pytest.param(START - DAY, "x", "1", "9", id="another voice channel"),
        pytest.param(START - 8 * DAY, "x", "1", "2", id="too long ago"),
        pytest.param(START + DAY, "x", "1", "2", id="later: the stage runs again"),
        pytest.param(START - DAY, None, "1", "2", id="without notes, or forgotten"),
        pytest.param(START - DAY, "", "1", "2", id="with nothing in its notes"),
    ],
)
def test_other_meetings_are_not_gone_on_from(
    archive: Archive, at: datetime, text: str | None, guild: str, channel: str
) -> None:
    """Only an earlier meeting of the week, of this channel, with items is the meeting before."""
    held(archive, at, text, guild, channel)
    assert found(archive, held(archive, START, None)) is None


def test_an_empty_meeting_does_not_hide_the_one_before_it(archive: Archive) -> None:
    """A recording that was begun by mistake is passed over."""
    held(archive, START - DAY, "yesterday")
    held(archive, START - timedelta(minutes=3), "")
    assert found(archive, held(archive, START, None)) == "yesterday"


def test_imported_meetings_stand_alone(archive: Archive) -> None:
    """Meetings of no voice channel are not taken for one another's."""
    held(archive, START - DAY, "x", "", "")
    assert found(archive, held(archive, START, None, "", "")) is None


def test_notes_that_cannot_be_read_are_passed_over(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged document costs the relations to it, and is told without its words."""
    held(archive, START - DAY, "secret")
    with archive._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE summaries SET document = 'secret nonsense'")
    assert found(archive, held(archive, START, None)) is None
    assert "cannot be read" in caplog.text
    assert "secret" not in caplog.text


def spoken_of(archive: Archive, meeting: str) -> list[str]:
    return [item.text for one in archive.recent_notes(meeting) for item in one.items]


def test_the_last_notes_of_a_server(archive: Archive) -> None:
    """Of all its channels, newest first, five at most, within a week, before the meeting, nobody else's."""
    for hours in range(1, 7):
        held(archive, START - timedelta(hours=hours), f"{hours}", channel=str(hours % 2))
    held(archive, START - timedelta(minutes=1), "elsewhere", guild="9")
    meeting = held(archive, START, None)
    held(archive, START + DAY, "later")
    assert spoken_of(archive, meeting) == ["1", "2", "3", "4", "5"]


def test_notes_too_long_ago(archive: Archive) -> None:
    """What was spoken of before the last week is not expected any more."""
    held(archive, START - 8 * DAY, "x")
    assert spoken_of(archive, held(archive, START, None)) == []


def test_meetings_of_no_server_share_nothing(archive: Archive) -> None:
    """Imported meetings may be anybody's."""
    held(archive, START - DAY, "x", "", "")
    assert spoken_of(archive, held(archive, START, None, "", "")) == []


def test_an_unknown_meeting(archive: Archive) -> None:
    """It is refused as everywhere."""
    for asked in (archive.before, archive.recent_notes):
        with pytest.raises(MeetingNotFound):
            asked("20261123T095800Z-00000000")
