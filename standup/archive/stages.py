"""The stage rows: the one retry authority.

A task claims its row in one statement, renews the lease while it works, and stores its product in the same
transaction that says "done, where the fence is still mine". So a stage may be delivered any number of times and
take effect once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, Select, and_, case, or_, select, update
from sqlalchemy.orm import Session

from standup.archive.models import MeetingRow, StageRow, UtteranceRow
from standup.errors import ArchiveError
from standup.meeting import MeetingState
from standup.pipeline import (
    LEASE_MS,
    MAX_STRIKES,
    STAGES,
    Count,
    Park,
    Retry,
    Stage,
    StageState,
    StageStatus,
    Tally,
)
from standup.transcript import Outcome


class Superseded(ArchiveError):
    """Another worker took this stage over; its product counts, this one is dropped."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a stage until the lease runs out."""

    meeting_id: str
    stage: Stage
    fence: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is nothing to work on: the stage's state, or that an earlier stage is not done."""

    done: bool
    """The stage is done already; the chain may walk on."""
    why: str


def claim(session: Session, meeting_id: str, stage: Stage, now_ms: int, holder: str = "") -> Claim | Refusal:
    """Take the stage in one UPDATE … RETURNING, or say why not.

    A stage is free when it is to do and its next try has come, or when its holder's lease has run out: that is a
    strike, and one too many parks it. An earlier stage that is not done refuses the claim.
    """
    rows = {row.stage: row for row in statuses(session, meeting_id)}
    mine = rows.get(stage)
    if mine is None:
        return Refusal(done=False, why="unknown")
    if mine.state in (StageState.DONE, StageState.PARKED):
        return Refusal(done=mine.state is StageState.DONE, why=mine.state.value)
    if any(rows[one].state is not StageState.DONE for one in STAGES[: STAGES.index(stage)] if one in rows):
        return Refusal(done=False, why="an earlier stage is not done")
    is_expired = mine.state is StageState.RUNNING and mine.lease_until_ms <= now_ms
    if is_expired and mine.strikes + 1 >= MAX_STRIKES:
        park(session, meeting_id, stage, f"given up: {mine.attempts} attempts ended without a word")
        return Refusal(done=False, why=StageState.PARKED.value)
    return _take(session, meeting_id, stage, now_ms, holder) or Refusal(
        done=False, why="held, or not due yet"
    )


def _take(session: Session, meeting_id: str, stage: Stage, now_ms: int, holder: str) -> Claim | None:
    is_due = and_(StageRow.state == StageState.TODO.value, StageRow.next_at_ms <= now_ms)
    is_expired = and_(StageRow.state == StageState.RUNNING.value, StageRow.lease_until_ms <= now_ms)
    taken = session.execute(
        update(StageRow)
        .where(_row(meeting_id, stage), or_(is_due, is_expired))
        .values(
            state=StageState.RUNNING.value,
            attempts=StageRow.attempts + 1,
            strikes=StageRow.strikes + case((is_expired, 1), else_=0),
            fence=StageRow.fence + 1,
            holder=holder,
            publishes=0,
            lease_until_ms=now_ms + LEASE_MS,
            started_at_ms=now_ms,
        )
        .returning(StageRow.fence, StageRow.attempts, StageRow.strikes, StageRow.crashes)
    ).one_or_none()
    if taken is None:
        return None
    return Claim(meeting_id, stage, taken.fence, Tally(taken.attempts, taken.strikes, taken.crashes))


def renew(session: Session, held: Claim, now_ms: int) -> bool:
    """Lengthen the lease; False when the claim has been superseded."""
    return _update_mine(session, held, lease_until_ms=now_ms + LEASE_MS)


def finish(session: Session, held: Claim, now_ms: int) -> None:
    """Mark the stage done; raise Superseded when the fence is no longer mine."""
    done = _update_mine(
        session, held, state=StageState.DONE.value, lease_until_ms=0, finished_at_ms=now_ms, error=""
    )
    if not done:
        raise superseded(held)
    _hand_on(session, held, now_ms)


def superseded(held: Claim) -> Superseded:
    """Return the error of a claim that is no longer mine."""
    return Superseded(f"Stage {held.stage.value} of meeting {held.meeting_id} was taken over.")


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
        strikes=StageRow.strikes + int(decision.count is Count.STRIKES),
        crashes=StageRow.crashes + int(decision.count is Count.CRASHES),
        lease_until_ms=0,
        enqueued_at_ms=None,
        next_at_ms=now_ms + decision.wait_ms,
        error=error,
    )


def park(session: Session, meeting_id: str, stage: Stage, error: str) -> None:
    """Stop trying this stage and mark the meeting; `reopen` starts it again."""
    session.execute(
        update(StageRow)
        .where(_row(meeting_id, stage))
        .values(state=StageState.PARKED.value, lease_until_ms=0, error=error)
    )
    _set_state(session, meeting_id, MeetingState.PARKED)


def reopen(session: Session, meeting_id: str, first: Stage, *, anew: bool) -> None:
    """Put *first* and the stages after it back to do, with fresh attempts and a new fence.

    What a stage is to do *anew* it must find undone: utterances are to be read again from TRANSCRIBE on. Otherwise
    it goes on with what it had done when it ended.
    """
    if anew and STAGES.index(first) <= STAGES.index(Stage.TRANSCRIBE):
        session.execute(
            update(UtteranceRow)
            .where(UtteranceRow.meeting_id == meeting_id)
            .values(outcome=Outcome.PENDING.value, reason="", text="")
        )
    session.execute(
        update(StageRow)
        .where(
            StageRow.meeting_id == meeting_id,
            StageRow.stage.in_([stage.value for stage in STAGES[STAGES.index(first) :]]),
        )
        .values(
            state=StageState.TODO.value,
            attempts=0,
            strikes=0,
            publishes=0,
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


def held(session: Session, meeting_id: str, now_ms: int) -> Stage | None:
    """Return the stage of a meeting that a worker holds at *now_ms*, None without one."""
    found = session.scalar(
        select(StageRow.stage).where(
            StageRow.meeting_id == meeting_id,
            StageRow.state == StageState.RUNNING.value,
            StageRow.lease_until_ms > now_ms,
        )
    )
    return None if found is None else Stage(found)


def supersede(session: Session, meetings: Iterable[str] | Select[Any]) -> None:
    """Free the stages of meetings that somebody holds, so that these can store nothing any more.

    Rows that nobody holds get a new fence too: whoever claims one meanwhile waits for this transaction (PostgreSQL
    locks what is changed and no more), and then reads what it left.
    """
    is_held = StageRow.state == StageState.RUNNING.value
    session.execute(
        update(StageRow)
        .where(StageRow.meeting_id.in_(meetings))
        .values(
            state=case((is_held, StageState.TODO.value), else_=StageRow.state),
            fence=StageRow.fence + 1,
            lease_until_ms=0,
        )
        .execution_options(synchronize_session=False)
    )


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
        .values(enqueued_at_ms=now_ms, publishes=StageRow.publishes + 1)
    )


def _status(row: StageRow) -> StageStatus:
    return StageStatus(
        Stage(row.stage),
        StageState(row.state),
        row.attempts,
        row.strikes,
        row.lease_until_ms,
        row.enqueued_at_ms,
        row.next_at_ms,
        row.publishes,
        row.error,
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
