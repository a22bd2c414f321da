"""Earlier meetings: the one that the notes of today go on from, and what a server's last notes spoke of."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from standup import summary as summaries
from standup.archive import stages
from standup.archive.models import MeetingRow, SummaryRow
from standup.archive.records import moment
from standup.errors import InputRefused
from standup.meeting import MeetingState
from standup.summary import Summary

log = logging.getLogger(__name__)

REACH_MS = 7 * 24 * 3600 * 1000
"""How far back the meeting before may have begun."""
LOOKED_AT = 5
"""How many earlier meetings are read at most, until one has items."""


@dataclass(frozen=True, slots=True)
class Before:
    """The notes of the meeting before."""

    summary: Summary
    began_at: datetime
    """Aware UTC."""


def before(session: Session, row: MeetingRow) -> Before | None:
    """Return the last meeting in the same voice channel that began before *row* and has items; None without one.

    Meetings that began later are never looked at, so that a stage that runs again finds the same. A meeting of no
    channel (imported audio, a microphone) has no meeting before.
    """
    if not row.voice_channel_id:
        return None
    found = session.execute(
        select(MeetingRow.started_at_ms, SummaryRow.document)
        .join(SummaryRow, SummaryRow.meeting_id == MeetingRow.id)
        .where(
            MeetingRow.guild_id == row.guild_id,
            MeetingRow.voice_channel_id == row.voice_channel_id,
            MeetingRow.started_at_ms < row.started_at_ms,
            MeetingRow.started_at_ms >= row.started_at_ms - REACH_MS,
        )
        .order_by(MeetingRow.started_at_ms.desc(), MeetingRow.id.desc())
        .limit(LOOKED_AT)
    )
    for started_at_ms, document in found:
        summary = _readable(document)
        if summary is not None and summary.items:
            return Before(summary, moment(started_at_ms))
    return None


def recent(session: Session, row: MeetingRow) -> tuple[Summary, ...]:
    """Return a server's last notes from before *row*, newest first, of ``LOOKED_AT`` meetings within ``REACH_MS``.

    As with `before`, later meetings are never looked at. A meeting of no server has none.
    """
    if not row.guild_id:
        return ()
    found = session.scalars(
        select(SummaryRow.document)
        .join(MeetingRow, SummaryRow.meeting_id == MeetingRow.id)
        .where(
            MeetingRow.guild_id == row.guild_id,
            MeetingRow.started_at_ms < row.started_at_ms,
            MeetingRow.started_at_ms >= row.started_at_ms - REACH_MS,
        )
        .order_by(MeetingRow.started_at_ms.desc(), MeetingRow.id.desc())
        .limit(LOOKED_AT)
    )
    return tuple(one for one in map(_readable, found) if one is not None)


def disown(
    session: Session, row: MeetingRow, texts: frozenset[str] | None = None, person: str | None = None
) -> tuple[str, ...]:
    """Take out of later notes what they have from those of *row*: all, or what quotes *texts* or is *person*'s.

    The notes that went on from it directly lose every relation when all is to go, since an item may have been worded
    anew meanwhile; those further on lose what has a text of either. Notes that are being made or posted are done
    again, for their worker may have read these. Returns the meetings whose notes changed.
    """
    mine = notes(session, row.id)
    if texts is None and (mine is None or not mine.items):
        return ()  # nothing went on from it
    gone = {one.text for one in mine.items} if mine and texts is None else set(texts or ())
    if gone:
        stages.supersede(session, _later_at_work(row))
    changed, is_direct = [], True
    for meeting_id, later in _followers(session, row):
        dropped = [
            one
            for one in later.continuity
            if (texts is None and is_direct)
            or one.yesterday in gone
            or (person is not None and one.person == person)
        ]
        gone |= {one.yesterday for one in dropped}
        is_direct = is_direct and not later.items
        if dropped:
            left = tuple(one for one in later.continuity if one not in dropped)
            keep_notes(session, meeting_id, replace(later, continuity=left))
            changed.append(meeting_id)
    return tuple(changed)


def _later_at_work(row: MeetingRow) -> Select[Any]:
    return select(MeetingRow.id).where(
        MeetingRow.voice_channel_id != "",
        MeetingRow.guild_id == row.guild_id,
        MeetingRow.voice_channel_id == row.voice_channel_id,
        MeetingRow.started_at_ms > row.started_at_ms,
        MeetingRow.state == MeetingState.PROCESSING.value,
    )


def keep_notes(session: Session, meeting_id: str, summary: Summary) -> None:
    """Store the notes of a meeting in place of those that it has."""
    document = json.dumps(summaries.serialize(summary), ensure_ascii=False)
    session.merge(SummaryRow(meeting_id=meeting_id, document=document))


def _followers(session: Session, row: MeetingRow) -> Iterator[tuple[str, Summary]]:
    """Yield the later notes of *row*'s voice channel in their order, until nothing can have come so far."""
    if not row.voice_channel_id:
        return
    found = session.execute(
        select(MeetingRow.id, MeetingRow.started_at_ms, SummaryRow.document)
        .join(SummaryRow, SummaryRow.meeting_id == MeetingRow.id)
        .where(
            MeetingRow.guild_id == row.guild_id,
            MeetingRow.voice_channel_id == row.voice_channel_id,
            MeetingRow.started_at_ms > row.started_at_ms,
        )
        .order_by(MeetingRow.started_at_ms, MeetingRow.id)
    ).all()
    latest_ms = row.started_at_ms
    for meeting_id, started_at_ms, document in found:
        if started_at_ms - latest_ms > REACH_MS:
            return
        found_notes = _readable(document)
        if found_notes is not None:
            yield meeting_id, found_notes
            latest_ms = started_at_ms if found_notes.items else latest_ms


def notes(session: Session, meeting_id: str) -> Summary | None:
    """Return the notes of a meeting; None without any, and where they cannot be read."""
    row = session.get(SummaryRow, meeting_id)
    return _readable(row.document) if row else None


def _readable(document: str) -> Summary | None:
    try:
        return summaries.parse(document)
    except InputRefused:
        log.warning("The notes of an earlier meeting cannot be read; they are passed over")
        return None
