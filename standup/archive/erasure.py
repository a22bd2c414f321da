"""Deleting meetings, or their sound: what is due, that nobody works on it meanwhile, and its rows.

Files go between `condemn` and `erase` (or `silence`): a kill in between leaves the row, which leads to the rest, and
each step may be repeated, by several at once.
"""

from __future__ import annotations

from typing import Any, NoReturn, cast

from sqlalchemy import CursorResult, Engine, delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from standup.archive import database, history, stages
from standup.archive.models import FailureRow, MeetingRow, StageRow
from standup.errors import MeetingBusy, MeetingNotFound, StandupError
from standup.meeting import MeetingState
from standup.pipeline import STAGES, Stage
from standup.retention import DAY_MS, FIRST_STAGE, Deed, Rule, Sound

ABANDONED_MS = 7 * DAY_MS
"""What is recorded for so long is not: its recorder, or the manifest on its disk, is lost, and nothing else ends it."""


class Erasure:
    """What deletes meetings from the archive. Each method is one transaction."""

    def __init__(self, engine: Engine, sessions: sessionmaker[Session]) -> None:
        self._engine = engine
        self._sessions = sessions

    def sound(self, meeting_id: str) -> Sound:
        """Return what is left of a meeting's sound; raise MeetingNotFound."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            return Sound(row_of(session, meeting_id).sound)

    def candidates(self, rule: Rule) -> tuple[str, ...]:
        """Return the meetings that a rule covers, those that ended first in front."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            found = (
                select(MeetingRow.id).where(*_covered(rule)).order_by(MeetingRow.ended_at_ms, MeetingRow.id)
            )
            return tuple(session.scalars(found))

    def condemn_by(self, rule: Rule, meeting_id: str) -> bool:
        """Begin with what a rule is due for; False when it covers the meeting no more."""
        with database.guarded(), self._sessions.begin() as session:
            begun = session.execute(
                update(MeetingRow)
                .where(MeetingRow.id == meeting_id, *_covered(rule))
                .values(sound=Sound.GOING.value)
            )
            if not cast("CursorResult[Any]", begun).rowcount:
                return False
            if rule.deed is Deed.MEETING:
                _release(session, meeting_id)
            return True

    def condemn(self, meeting_id: str, now_ms: int) -> None:
        """Begin to delete a meeting: no worker can take it or store anything any more.

        Raises MeetingNotFound, and MeetingBusy when it is being recorded or worked on.
        """
        with database.guarded(), self._sessions.begin() as session:
            row = row_of(session, meeting_id)
            refuse_busy(session, row, now_ms)
            row.sound = Sound.GOING.value
            _release(session, meeting_id)

    def silence(self, meeting_id: str) -> None:
        """Note that the files of a meeting's sound are gone."""
        with database.guarded(), self._sessions.begin() as session:
            gone = update(MeetingRow).where(
                MeetingRow.id == meeting_id, MeetingRow.sound == Sound.GOING.value
            )
            session.execute(gone.values(sound=Sound.GONE.value))

    def erase(self, meeting_id: str) -> tuple[str, ...]:
        """Delete every row of a meeting, and what later notes quote of it; return the meetings of these notes.

        A failure that happened over it stays, for it is counted, and names no meeting any more.
        """
        with database.guarded(), self._sessions.begin() as session:
            row = session.get(MeetingRow, meeting_id)
            if row is None:
                return ()
            changed = history.disown(session, row)
            session.execute(
                update(FailureRow).where(FailureRow.meeting_id == meeting_id).values(meeting_id="")
            )
            session.execute(delete(MeetingRow).where(MeetingRow.id == meeting_id))
            database.note_deletion(session)
            return changed

    def scrub(self) -> bool:
        """Make what was deleted unreadable in the database's own files; False when that must be tried again."""
        return database.scrub(self._engine)


def refuse_busy(session: Session, row: MeetingRow, now_ms: int) -> None:
    """Raise MeetingBusy when a meeting is being recorded, or a worker holds one of its stages."""
    if row.state == MeetingState.RECORDING.value and now_ms - row.started_at_ms < ABANDONED_MS:
        raise MeetingBusy(
            f"Meeting {row.id} is being recorded; end it with /standup stop, or Ctrl-C in `standup record`, then try "
            "again."
        )
    held = stages.held(session, row.id, now_ms)
    if held is not None:
        raise MeetingBusy(
            f"Meeting {row.id} is being worked on (stage {held.value}); try again when `standup show {row.id}` says "
            "that it is done or parked."
        )


def refuse_repeat(row: MeetingRow, first: Stage, *, has_stages: bool) -> None:
    """Raise StandupError when a meeting lacks what *first* and the stages after it need."""
    if not has_stages:
        raise StandupError(f"Meeting {row.id} is being deleted; `standup delete {row.id}` finishes that.")
    possible = FIRST_STAGE[Sound(row.sound)]
    if STAGES.index(first) < STAGES.index(possible):
        raise StandupError(
            f"The sound of meeting {row.id} was deleted, it cannot be read again; "
            f"`standup retry {row.id} --from {possible.value}` makes its notes from the words that are there."
        )


def refuse_capture(meeting_id: str) -> NoReturn:
    """Raise StandupError for a meeting without a journal: to capture it again would throw its words away."""
    raise StandupError(
        f"Meeting {meeting_id} has no journal that it could be captured from again, and would lose its words; "
        f"`standup retry {meeting_id} --from transcribe` reads its tracks again."
    )


def _covered(rule: Rule) -> list[Any]:
    """Return what `Rule.covers` says as conditions; sound that is gone cannot go again."""
    conditions = [
        MeetingRow.state.in_([one.value for one in rule.states]),
        MeetingRow.ended_at_ms <= rule.ended_until_ms,
    ]
    if rule.deed is Deed.SOUND:
        conditions.append(MeetingRow.sound != Sound.GONE.value)
    return conditions


def _release(session: Session, meeting_id: str) -> None:
    """Take the stage rows away: there is nothing to claim, and whoever still works has been superseded."""
    session.execute(delete(StageRow).where(StageRow.meeting_id == meeting_id))


def row_of(session: Session, meeting_id: str) -> MeetingRow:
    """Return the row of a meeting; raise MeetingNotFound."""
    row = session.get(MeetingRow, meeting_id)
    if row is None:
        raise MeetingNotFound(f"There is no meeting {meeting_id}; `standup list` shows the known ones.")
    return row
