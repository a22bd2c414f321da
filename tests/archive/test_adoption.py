"""What the recorder knows of a meeting in the archive, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import dataclasses

from standup.archive import Archive, Posted
from standup.meeting import Gap, Participant
from standup.pipeline import STAGES

from .conftest import MEETING, ended, running


def test_a_running_meeting_has_no_stages(archive: Archive) -> None:
    """While people still talk there is nothing to process."""
    archive.adopt(running())
    assert archive.statuses(MEETING) == ()
    assert archive.meeting(MEETING) == running().meeting


def test_the_end_of_a_meeting_opens_its_stages(archive: Archive) -> None:
    """Adopting the ended manifest brings four stages to do, newcomers and the message."""
    archive.adopt(running())
    archive.adopt(ended())
    assert [one.stage for one in archive.statuses(MEETING)] == list(STAGES)
    assert archive.meeting(MEETING).duration_ms == 60_000
    assert archive.meeting(MEETING).gaps == (Gap(1_000, 3_000),)
    assert archive.meeting(MEETING).unsighted_people == 2
    assert archive.transcript(MEETING).participants == (Participant("11", "Ana"), Participant("12", "Ben"))
    assert archive.posted(MEETING) == Posted("777", final=False)


def test_a_message_posted_anew_is_the_one(archive: Archive) -> None:
    """When somebody deleted the notice and the recorder posted another, the archive knows the new one."""
    archive.adopt(ended())
    archive.adopt(dataclasses.replace(ended(), message_id="888"))
    assert archive.posted(MEETING).message_id == "888"
