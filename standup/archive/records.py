"""Rows to values and values to rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from standup.archive.models import MeetingRow, ParticipantRow, TrackRow, UtteranceRow
from standup.meeting import Gap, Meeting, MeetingState, PacketCounts, Participant, Track
from standup.transcript import Outcome, Transcript, Utterance


@dataclass(frozen=True, slots=True)
class Posted:
    """The one message of a meeting."""

    message_id: str
    """Empty when none is known yet."""
    final: bool
    """The notes are in it."""


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def epoch_ms(moment: datetime) -> int:
    """Return an aware moment as milliseconds since the epoch."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment(time_ms: int) -> datetime:
    """Return milliseconds since the epoch as an aware moment."""
    return EPOCH + timedelta(milliseconds=time_ms)


def meeting_row(value: Meeting) -> MeetingRow:
    """Return the row of a meeting."""
    return MeetingRow(
        id=value.id,
        guild_id=value.guild_id,
        voice_channel_id=value.voice_channel_id,
        voice_channel_name=value.voice_channel_name,
        text_channel_id=value.text_channel_id,
        started_at_ms=epoch_ms(value.started_at),
        ended_at_ms=epoch_ms(value.ended_at) if value.ended_at else None,
        state=value.state.value,
        gaps=gaps_json(value.gaps),
        unsighted_people=value.unsighted_people,
    )


def gaps_json(gaps: Iterable[Gap]) -> str:
    """Return gaps as the text of their column."""
    return json.dumps([[one.from_ms, one.until_ms] for one in gaps])


def meeting(row: MeetingRow) -> Meeting:
    """Return the meeting of a row."""
    return Meeting(
        id=row.id,
        guild_id=row.guild_id,
        voice_channel_id=row.voice_channel_id,
        voice_channel_name=row.voice_channel_name,
        text_channel_id=row.text_channel_id,
        started_at=moment(row.started_at_ms),
        ended_at=moment(row.ended_at_ms) if row.ended_at_ms is not None else None,
        state=MeetingState(row.state),
        unattributed_packets=row.unattributed_packets,
        unsighted_people=row.unsighted_people,
        gaps=tuple(Gap(from_ms, until_ms) for from_ms, until_ms in json.loads(row.gaps)),
    )


def track_row(meeting_id: str, value: Track) -> TrackRow:
    """Return the row of a track."""
    return TrackRow(
        meeting_id=meeting_id,
        speaker=value.speaker,
        path=value.path,
        duration_ms=value.duration_ms,
        speech_ms=value.speech_ms,
        received=value.counts.received,
        lost=value.counts.lost,
        late=value.counts.late,
        duplicated=value.counts.duplicated,
        undecryptable=value.counts.undecryptable,
    )


def track(row: TrackRow) -> Track:
    """Return the track of a row."""
    counts = PacketCounts(row.received, row.lost, row.late, row.duplicated, row.undecryptable)
    return Track(row.speaker, row.path, row.duration_ms, row.speech_ms, counts)


def utterance_row(meeting_id: str, value: Utterance) -> UtteranceRow:
    """Return the row of an utterance."""
    return UtteranceRow(
        meeting_id=meeting_id,
        id=value.id,
        speaker=value.speaker,
        start_ms=value.start_ms,
        end_ms=value.end_ms,
        outcome=value.outcome.value,
        reason=value.reason,
        text=value.text,
    )


def utterance(row: UtteranceRow) -> Utterance:
    """Return the utterance of a row."""
    return Utterance(
        row.id, row.speaker, row.start_ms, row.end_ms, row.text, Outcome(row.outcome), row.reason
    )


def keep_utterances(session: Session, meeting_id: str, utterances: Iterable[Utterance]) -> None:
    """Insert or update the rows of *utterances*; those of a meeting are looked up at once, not one by one."""
    present = session.scalars(select(UtteranceRow).where(UtteranceRow.meeting_id == meeting_id)).all()
    with session.no_autoflush:
        for one in utterances:
            session.merge(utterance_row(meeting_id, one))
    del present  # the session finds only rows that somebody holds


def transcript(
    meeting_id: str, people: Iterable[ParticipantRow], spoken: Iterable[UtteranceRow]
) -> Transcript:
    """Return the transcript of a meeting's rows."""
    return Transcript(
        meeting_id,
        tuple(Participant(row.id, row.name) for row in people),
        tuple(map(utterance, spoken)),
    )


def add_missing_participants(session: Session, meeting_id: str, speakers: Iterable[str]) -> None:
    """Give a speaker whom the recorder did not know by name a participant row (named by the id)."""
    known = set(session.scalars(select(ParticipantRow.id).where(ParticipantRow.meeting_id == meeting_id)))
    count = session.scalar(
        select(func.count()).select_from(ParticipantRow).where(ParticipantRow.meeting_id == meeting_id)
    )
    missing = [one for one in speakers if one not in known]
    session.add_all(
        ParticipantRow(meeting_id=meeting_id, id=speaker, name=speaker, position=(count or 0) + index)
        for index, speaker in enumerate(missing)
    )
    session.flush()
