"""The failures of programs and stages, and the measures that answer them.

A failure is noted by whoever sees it (the sentinel for a program, a worker for its pool child) and answered once,
by whichever sentinel comes first. The functions that decide are `standup.failures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from standup.archive import database
from standup.archive.models import FailureRow, MeasureRow
from standup.failures import Measure, Recovery, documented, eased, measure_after, recovery_of

LATEST = 100
#: More failures than any threshold counts.


@dataclass(frozen=True, slots=True)
class Failure:
    """A death of a program or of a worker's pool child, or a want of memory that it survived."""

    at_ms: int
    program: str
    code: int
    """As a shell spells it."""
    meeting_id: str = ""
    stage: str = ""
    error: str = ""
    death_id: str = ""
    """Names the death: noting it twice counts it once. Empty: nobody died, and every note counts."""

    def __post_init__(self) -> None:
        if self.code != documented(self.code):
            raise ValueError("a failure's code is spelt as a shell does")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was done about a failure."""

    measure: Measure | None
    """None: the program simply starts again."""


class FailureLog:
    """The failures and measures of all programs. Each method is one transaction."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def note(self, failure: Failure) -> bool:
        """Keep a failure that is to be answered; False when this death was noted before."""
        row = FailureRow(
            at_ms=failure.at_ms,
            program=failure.program,
            code=failure.code,
            meeting_id=failure.meeting_id,
            stage=failure.stage,
            error=failure.error,
            death_id=failure.death_id or None,
            answered=False,
        )
        with database.guarded():
            try:
                with self._sessions.begin() as session:
                    session.add(row)
            except IntegrityError:
                return False
        return True

    def unanswered(self) -> tuple[tuple[int, Failure], ...]:
        """Return the failures that nobody has answered yet, oldest first, each with its row's number."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            rows = session.scalars(
                select(FailureRow).where(FailureRow.answered.is_(False)).order_by(FailureRow.id).limit(LATEST)
            )
            return tuple((row.id, _failure(row)) for row in rows)

    def answer(self, number: int) -> Answer | None:
        """Mark the failure in row *number* as answered and take the measure it asks for.

        None when another sentinel was first.
        """
        with database.guarded(), self._sessions.begin() as session:
            mine = session.execute(
                update(FailureRow)
                .where(FailureRow.id == number, FailureRow.answered.is_(False))
                .values(answered=True)
            )
            if not cast("CursorResult[Any]", mine).rowcount:
                return None
            return Answer(_take_measure(session, _failure(session.get_one(FailureRow, number))))

    def times_ms(self, program: str, code: int) -> tuple[int, ...]:
        """Return when *program* died with *code*, at most the latest hundred, oldest first."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            rows = session.scalars(
                select(FailureRow.at_ms)
                .where(FailureRow.program == program, FailureRow.code == documented(code))
                .order_by(FailureRow.at_ms.desc())
                .limit(LATEST)
            )
            return tuple(sorted(rows))

    def has(self, meeting_id: str, stage: str) -> bool:
        """Tell whether a worker's pool child died of this stage of a meeting."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            found = select(FailureRow.id).where(
                FailureRow.meeting_id == meeting_id, FailureRow.stage == stage
            )
            return session.scalar(found.limit(1)) is not None

    def measures(self) -> tuple[Measure, ...]:
        """Return every measure in force, by program."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            rows = session.scalars(select(MeasureRow).order_by(MeasureRow.program, MeasureRow.recovery))
            return tuple(map(_measure, rows))

    def level(self, program: str, recovery: Recovery) -> int:
        """Return how far *program* is from its ordinary start: 0 when no such measure is in force."""
        found = (one for one in self.measures() if one.program == program and one.recovery is recovery)
        return next((one.level for one in found), 0)

    def ease(self, now_ms: int) -> tuple[Measure, ...]:
        """Let every memory profile climb that has been quiet long enough; return the measures that changed."""
        changed = []
        with database.guarded(), self._sessions.begin() as session:
            for row in session.scalars(select(MeasureRow)):
                before = _measure(row)
                after = eased(before, now_ms)
                if after == before:
                    continue
                changed.append(before)
                if after is None:
                    session.delete(row)
                else:
                    row.level, row.since_ms = after.level, after.since_ms
        return tuple(changed)

    def end_debug(self, program: str, started_ms: int) -> None:
        """End the debug mode of a program that has run cleanly since *started_ms*.

        A failure noted since (of another process of the same name) keeps it.
        """
        with database.guarded(), self._sessions.begin() as session:
            row = session.get(MeasureRow, (program, Recovery.DEBUG.value))
            if row is not None and row.since_ms <= started_ms:
                session.delete(row)


def _take_measure(session: Session, failure: Failure) -> Measure | None:
    recovery = recovery_of(failure.code, failure.program)
    row = session.get(MeasureRow, (failure.program, recovery.value))
    before = _measure(row) if row is not None else None
    taken = measure_after(before, failure.program, failure.code, failure.at_ms)
    if taken is not None:
        session.merge(
            MeasureRow(
                program=taken.program,
                recovery=taken.recovery.value,
                level=taken.level,
                since_ms=taken.since_ms,
            )
        )
    return taken


def _measure(row: MeasureRow) -> Measure:
    return Measure(row.program, Recovery(row.recovery), row.level, row.since_ms)


def _failure(row: FailureRow) -> Failure:
    return Failure(row.at_ms, row.program, row.code, row.meeting_id, row.stage, row.error, row.death_id or "")
