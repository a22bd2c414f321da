"""What the recorder knows of a meeting becomes rows; inside the caller's transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from standup.archive import records, stages
from standup.archive.manifest import Manifest
from standup.archive.models import MeetingRow, NoticeRow, ParticipantRow, StageRow
from standup.meeting import MeetingEvent, MeetingState, advance
from standup.pipeline import STAGES, StageState


def adopt(session: Session, manifest: Manifest) -> None:
    """Bring the rows of a meeting up to date, and open its stages once it has ended; see `Archive.adopt`."""
    _adopt_meeting(session, manifest)
    session.flush()
    for position, person in enumerate(manifest.participants):
        session.merge(
            ParticipantRow(meeting_id=manifest.meeting.id, id=person.id, name=person.name, position=position)
        )
    _adopt_notice(session, manifest)
    if manifest.meeting.ended_at and not stages.statuses(session, manifest.meeting.id):
        session.add_all(
            StageRow(meeting_id=manifest.meeting.id, stage=stage.value, state=StageState.TODO.value)
            for stage in STAGES
        )


def _adopt_meeting(session: Session, manifest: Manifest) -> None:
    meeting = manifest.meeting
    known = session.get(MeetingRow, meeting.id)
    if known is None:
        known = records.meeting_row(meeting)
        session.add(known)
    if meeting.ended_at and known.state == MeetingState.RECORDING.value:
        known.ended_at_ms = records.epoch_ms(meeting.ended_at)
        known.gaps = records.gaps_json(meeting.gaps)
        known.unsighted_people = meeting.unsighted_people
        known.state = advance(MeetingState.RECORDING, MeetingEvent.ENDED).value


def _adopt_notice(session: Session, manifest: Manifest) -> None:
    notice = session.get(NoticeRow, manifest.meeting.id)
    if notice is None:
        session.add(NoticeRow(meeting_id=manifest.meeting.id, message_id=manifest.message_id))
    elif manifest.message_id and not notice.final:
        # Somebody deleted the first, and the recorder posted another.
        notice.message_id = manifest.message_id
