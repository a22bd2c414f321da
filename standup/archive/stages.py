"""The stage rows: the one retry authority.

A task claims its row in one statement, renews the lease while it works, and stores its product in the same
transaction that says "done, where the fence is still mine". So a stage may be delivered any number of times and
take effect once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, and_, or_, select, update
from sqlalchemy.orm import Session

from standup.archive.models import MeetingRow, StageRow
from standup.errors import ArchiveError, WorkerCrashed, WorkerDied
from standup.meeting import MeetingState
from standup.pipeline import (
    LEASE_MS,
    MAX_ATTEMPTS,
    STAGES,
    Park,
    Retry,
    Stage,
    StageState,
    StageStatus,
    decide,
)


class Superseded(ArchiveError):
    """Another worker took this stage over; its product counts, this one is dropped."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a stage until the lease runs out."""

    meeting_id: str
    stage: Stage
    fence: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is nothing to work on: the stage's state, or that an earlier stage is not done."""

    done: bool
    """The stage is done already; the chain may walk on."""
    why: str


def claim(session: Session, meeting_id: str, stage: Stage, now_ms: int) -> Claim | Refusal:
    """Take the stage in one UPDATE … RETURNING, or say why not.

    A stage is free when it is to do, or when its holder's lease has run out. Beyond ``MAX_ATTEMPTS`` it is
    parked. An earlier stage that is not done refuses the claim.
    """
    rows = {row.stage: row for row in statuses(session, meeting_id)}
    mine = rows.get(stage)
    if mine is None:
        return Refusal(done=False, why="unknown")
    if mine.state in (StageState.DONE, StageState.PARKED):
        return Refusal(done=mine.state is StageState.DONE, why=mine.state.value)
    if any(rows[one].state is not StageState.DONE for one in STAGES[: STAGES.index(stage)] if one in rows):
        return Refusal(done=False, why="an earlier stage is not done")
    if mine.attempts >= MAX_ATTEMPTS and mine.lease_until_ms <= now_ms:
        park(session, meeting_id, stage, f"given up after {mine.attempts} attempts")
        return Refusal(done=False, why=StageState.PARKED.value)
    free = or_(
        StageRow.state == StageState.TODO.value,
        and_(StageRow.state == StageState.RUNNING.value, StageRow.lease_until_ms <= now_ms),
    )
    taken = session.execute(
        update(StageRow)
        .where(_row(meeting_id, stage), free)
        .values(
            state=StageState.RUNNING.value,
            attempts=StageRow.attempts + 1,
            fence=StageRow.fence + 1,
            lease_until_ms=now_ms + LEASE_MS,
            started_at_ms=now_ms,
        )
        .returning(StageRow.fence, StageRow.attempts)
    ).one_or_none()
    if taken is None:
        return Refusal(done=False, why="leased by another worker")
    return Claim(meeting_id, stage, taken.fence, taken.attempts)


def renew(session: Session, held: Claim, now_ms: int) -> bool:
    """Lengthen the lease; False when the claim has been superseded."""
    return _update_mine(session, held, lease_until_ms=now_ms + LEASE_MS)


def finish(session: Session, held: Claim, now_ms: int) -> None:
    """Mark the stage done; raise Superseded when the fence is no longer mine."""
    done = _update_mine(
        session, held, state=StageState.DONE.value, lease_until_ms=0, finished_at_ms=now_ms, error=""
    )
    if not done:
        raise Superseded(f"Stage {held.stage.value} of meeting {held.meeting_id} was taken over.")
    _hand_on(session, held, now_ms)


def _hand_on(session: Session, held: Claim, now_ms: int) -> None:
    """Note that the chain publishes the next stage about now, if this stage came by a chain."""
    following = STAGES[STAGES.index(held.stage) + 1 :][:1]
    for stage in following:
        session.execute(
            update(StageRow)
            .where(_row(held.meeting_id, stage), StageRow.enqueued_at_ms.is_not(None))
            .values(enqueued_at_ms=now_ms)
        )


def fail(session: Session, held: Claim, decision: Retry | Park, error: str, now_ms: int) -> None:
    """Record a failure: try again later, or park the meeting. A superseded claim changes nothing."""
    if isinstance(decision, Park):
        if _update_mine(session, held, lease_until_ms=0):
            park(session, held.meeting_id, held.stage, error)
        return
    _update_mine(
        session,
        held,
        state=StageState.TODO.value,
        lease_until_ms=0,
        enqueued_at_ms=None,
        next_at_ms=now_ms + decision.wait_ms,
        error=error,
    )


def crash(
    session: Session, meeting_id: str, stage: Stage, error: WorkerDied, now_ms: int
) -> Retry | Park | None:
    """Record that the process that worked on the stage died; return what follows, None when nobody did.

    Crashes have a count of their own, so that they are few whatever else went wrong before.
    """
    row = session.get(StageRow, (meeting_id, stage.value))
    if row is None or row.state != StageState.RUNNING.value:
        return None
    is_crash = isinstance(error, WorkerCrashed)
    row.crashes += is_crash
    decision = decide(error, row.crashes if is_crash else row.attempts, stage)
    session.flush()
    fail(session, Claim(meeting_id, stage, row.fence, row.attempts), decision, str(error), now_ms)
    return decision


def park(session: Session, meeting_id: str, stage: Stage, error: str) -> None:
    """Stop trying this stage and mark the meeting; `reopen` starts it again."""
    session.execute(
        update(StageRow)
        .where(_row(meeting_id, stage))
        .values(state=StageState.PARKED.value, lease_until_ms=0, error=error)
    )
    _set_state(session, meeting_id, MeetingState.PARKED)


def reopen(session: Session, meeting_id: str, first: Stage) -> None:
    """Put *first* and the stages after it back to do, with fresh attempts and a new fence."""
    session.execute(
        update(StageRow)
        .where(
            StageRow.meeting_id == meeting_id,
            StageRow.stage.in_([stage.value for stage in STAGES[STAGES.index(first) :]]),
        )
        .values(
            state=StageState.TODO.value,
            attempts=0,
            crashes=0,
            fence=StageRow.fence + 1,
            lease_until_ms=0,
            enqueued_at_ms=None,
            next_at_ms=0,
            error="",
        )
    )
    _set_state(session, meeting_id, MeetingState.PROCESSING)


def statuses(session: Session, meeting_id: str) -> tuple[StageStatus, ...]:
    """Return the stage rows of a meeting in stage order; empty for an unknown or running meeting."""
    rows = session.scalars(select(StageRow).where(StageRow.meeting_id == meeting_id))
    return tuple(sorted(map(_status, rows), key=lambda one: STAGES.index(one.stage)))


def open_meetings(session: Session) -> dict[str, tuple[StageStatus, ...]]:
    """Return the stage rows of every meeting that is being processed, oldest meeting first."""
    rows = session.scalars(
        select(StageRow)
        .join(MeetingRow, MeetingRow.id == StageRow.meeting_id)
        .where(MeetingRow.state == MeetingState.PROCESSING.value)
        .order_by(MeetingRow.started_at_ms)
    )
    grouped: dict[str, list[StageStatus]] = defaultdict(list)
    for row in rows:
        grouped[row.meeting_id].append(_status(row))
    return {
        meeting_id: tuple(sorted(found, key=lambda one: STAGES.index(one.stage)))
        for meeting_id, found in grouped.items()
    }


def mark_published(session: Session, meeting_id: str, chain: Sequence[Stage], now_ms: int) -> None:
    """Note when the stages of a chain were put on their way."""
    session.execute(
        update(StageRow)
        .where(StageRow.meeting_id == meeting_id, StageRow.stage.in_([stage.value for stage in chain]))
        .values(enqueued_at_ms=now_ms)
    )


def _status(row: StageRow) -> StageStatus:
    return StageStatus(
        Stage(row.stage),
        StageState(row.state),
        row.attempts,
        row.lease_until_ms,
        row.enqueued_at_ms,
        row.next_at_ms,
        row.error,
        row.crashes,
    )


def _row(meeting_id: str, stage: Stage) -> Any:
    return and_(StageRow.meeting_id == meeting_id, StageRow.stage == stage.value)


def _update_mine(session: Session, held: Claim, **values: Any) -> bool:
    mine = and_(_row(held.meeting_id, held.stage), StageRow.fence == held.fence)
    running = StageRow.state == StageState.RUNNING.value
    result = session.execute(update(StageRow).where(mine, running).values(**values))
    return bool(cast("CursorResult[Any]", result).rowcount)


def _set_state(session: Session, meeting_id: str, state: MeetingState) -> None:
    session.execute(update(MeetingRow).where(MeetingRow.id == meeting_id).values(state=state.value))
