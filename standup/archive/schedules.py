"""The schedules of all voice channels, one a channel."""

from __future__ import annotations

import logging

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from standup.archive import database
from standup.archive.models import ScheduleRow
from standup.archive.records import epoch_ms, moment
from standup.schedule import Schedule, parse_days, parse_time

log = logging.getLogger(__name__)

UNREADABLE = "The schedule of voice channel %s cannot be read; set it again with `/standup schedule`."


class ScheduleBook:
    """The schedules in the archive. Each method is one transaction."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._unreadable: set[str] = set()

    def all(self) -> tuple[Schedule, ...]:
        """Return every schedule, by voice channel; one that cannot be read is logged once and left out."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            rows = session.scalars(select(ScheduleRow).order_by(ScheduleRow.voice_channel_id))
            found = [self._schedule(row) for row in rows]
            return tuple(one for one in found if one is not None)

    def keep(self, schedule: Schedule) -> None:
        """Store *schedule* in place of the one that its voice channel has."""
        raw = schedule.serialize()
        row = ScheduleRow(
            voice_channel_id=schedule.voice_channel_id,
            guild_id=schedule.guild_id,
            text_channel_id=schedule.text_channel_id,
            days=raw["days"],
            at=raw["time"],
            zone=schedule.zone,
            since_ms=epoch_ms(schedule.since),
        )
        with database.guarded(), self._sessions.begin() as session:
            session.merge(row)

    def remove(self, voice_channel_id: str) -> None:
        """Remove the schedule of a voice channel; does nothing when there is none."""
        with database.guarded(), self._sessions.begin() as session:
            session.execute(delete(ScheduleRow).where(ScheduleRow.voice_channel_id == voice_channel_id))

    def _schedule(self, row: ScheduleRow) -> Schedule | None:
        try:
            return Schedule(
                row.guild_id,
                row.voice_channel_id,
                row.text_channel_id,
                parse_days(row.days),
                parse_time(row.at),
                row.zone,
                moment(row.since_ms),
            )
        except ValueError:  # a time zone that this machine's tables do not know
            if row.voice_channel_id not in self._unreadable:
                self._unreadable.add(row.voice_channel_id)
                log.error(UNREADABLE, row.voice_channel_id)
            return None
