"""The message of a meeting after its recording: which stage is at work, until the notes replace it.

The worker makes the final edit and this program may not come after it. So it stops editing when the summarize
stage begins, and once the notes are posted it looks whether its own last edit stands in their place; if so, it
has them posted again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from standup import notice as notices
from standup.bot.message import MeetingMessage
from standup.meeting import Meeting
from standup.notice import Notice
from standup.pipeline import STAGES, Stage, StageState, StageStatus

log = logging.getLogger(__name__)

ROUND_S = 1.0
WATCH_S = 6 * 3600.0
#: Longer than any meeting takes to be worked off; the worker's own edit does not depend on this watch.


class Stages(Protocol):
    """What is needed of `standup.dispatcher.Dispatcher`."""

    def stages(self, meeting_id: str) -> tuple[StageStatus, ...]:
        """Return the stage rows as of the last round, empty while they are not known."""

    def forget(self, meeting_id: str) -> None:
        """End the watch over a meeting."""

    def repeat_notify(self, meeting_id: str) -> None:
        """Have the notes posted again."""


def finished(rows: tuple[StageStatus, ...]) -> int:
    """Return how many stages, from the first, are done."""
    done = {row.stage for row in rows if row.state is StageState.DONE}
    return next((place for place, stage in enumerate(STAGES) if stage not in done), len(STAGES))


def has_begun(rows: tuple[StageStatus, ...], stage: Stage) -> bool:
    """Return whether *stage* is being worked on, or is over."""
    return any(row.stage is stage and row.state is not StageState.TODO for row in rows)


def parked(rows: tuple[StageStatus, ...]) -> StageStatus | None:
    """Return the stage that gave up, or None."""
    return next((row for row in rows if row.state is StageState.PARKED), None)


def failure(meeting_id: str, row: StageStatus) -> Notice:
    """Return the notice of a meeting whose stage gave up."""
    sentence = row.error or f"The stage {row.stage.value} gave up."
    return notices.failure(meeting_id, sentence, f"To try again: standup retry {meeting_id}")


async def follow(
    stages: Stages,
    meeting: Meeting,
    message: MeetingMessage,
    decorate: Callable[[Notice], Notice],
    *,
    is_fresh: bool = False,
) -> None:
    """Show the stages of *meeting* in *message* until its notes are posted or a stage gives up.

    *decorate* adds what this meeting's notice says besides. Of a meeting that is not *is_fresh* (one that an
    earlier run of the recorder ended) nothing is shown before its rows are known: its notes may stand there.
    Ends after ``WATCH_S`` at the latest.
    """
    names = [stage.value for stage in STAGES]
    is_first = True
    give_up_s = time.monotonic() + WATCH_S
    try:
        while time.monotonic() < give_up_s:
            rows = stages.stages(meeting.id)
            gave_up = parked(rows)
            if gave_up is not None:
                await message.show(failure(meeting.id, gave_up), at_once=True)
                return
            if finished(rows) == len(STAGES):
                await _check(stages, meeting.id, message)
                return
            if (rows or is_fresh) and not has_begun(rows, Stage.SUMMARIZE):
                wanted = decorate(notices.progress(meeting, names, finished(rows)))
                await message.show(wanted, at_once=is_first)
                is_first = False
            await asyncio.sleep(ROUND_S)
        log.warning("The stages were watched for long enough; the worker posts the notes when they are done")
    finally:
        stages.forget(meeting.id)


async def _check(stages: Stages, meeting_id: str, message: MeetingMessage) -> None:
    if message.shown is not None and await message.still_says(message.shown):
        stages.repeat_notify(meeting_id)
