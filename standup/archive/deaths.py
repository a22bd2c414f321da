"""What becomes of the stages that a worker process held when it died."""

from __future__ import annotations

from sqlalchemy import and_, update
from sqlalchemy.orm import Session

from standup.archive.models import StageRow
from standup.archive.stages import Claim, fail
from standup.errors import WorkerDied
from standup.pipeline import Park, Retry, Stage, StageState, Tally, decide

_BESIDE = "The worker process died while it read another meeting beside this one."


def crash(
    session: Session, meeting_id: str, stage: Stage, holder: str, error: WorkerDied, now_ms: int
) -> Retry | Park | None:
    """Record that the process of *holder* that worked on the stage died; return what follows.

    Meetings that it transcribed beside this one (`standup.company`) are put back without a strike. None when *holder*
    does not hold the stage (any more): then nothing is changed.
    """
    row = session.get(StageRow, (meeting_id, stage.value))
    if row is None or row.state != StageState.RUNNING.value or row.holder != holder:
        return None
    held = Claim(meeting_id, stage, row.fence, Tally(row.attempts, row.strikes, row.crashes))
    decision = decide(error, held.tally, stage)
    fail(session, held, decision, str(error), now_ms)
    if stage is Stage.TRANSCRIBE:
        _put_guests_back(session, holder, now_ms)
    return decision


def _put_guests_back(session: Session, holder: str, now_ms: int) -> None:
    is_held = and_(StageRow.state == StageState.RUNNING.value, StageRow.holder == holder)
    session.execute(
        update(StageRow)
        .where(StageRow.stage == Stage.TRANSCRIBE.value, is_held)
        .values(
            state=StageState.TODO.value,
            lease_until_ms=0,
            enqueued_at_ms=None,
            next_at_ms=now_ms,
            error=_BESIDE,
        )
    )
