"""Earlier meetings: the one that the notes of today go on from, and what a server's last notes spoke of."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from standup import summary as summaries
from standup.archive.models import MeetingRow, SummaryRow
from standup.archive.records import moment
from standup.errors import InputRefused
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


def _readable(document: str) -> Summary | None:
    try:
        return summaries.parse(document)
    except InputRefused:
        log.warning("The notes of an earlier meeting cannot be read; they are passed over")
        return None
