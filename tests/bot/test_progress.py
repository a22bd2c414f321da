"""The meeting's message follows the stages and never ends up in the place of the notes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, cast

import pytest

from standup.bot import progress
from standup.bot.message import MeetingMessage
from standup.meeting import Meeting
from standup.notice import Notice
from standup.pipeline import STAGES, Stage, StageState, StageStatus

STARTED = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = Meeting("20261123T095800Z-1f0c9a2b", "1", "2", "3", STARTED, STARTED)
Rows = tuple[StageStatus, ...]


def rows(done: int, *, running: bool = False, parked: bool = False, error: str = "") -> Rows:
    """Return stage rows of which the first *done* are done and the next is in the state asked for."""
    states = [StageState.DONE] * done + [StageState.TODO] * (len(STAGES) - done)
    if running:
        states[done] = StageState.RUNNING
    if parked:
        states[done] = StageState.PARKED
    return tuple(StageStatus(stage, state, error=error) for stage, state in zip(STAGES, states, strict=True))


class ScriptedStages:
    """Answers with one set of rows after the other; the last one stays."""

    def __init__(self, script: Sequence[Rows]) -> None:
        self._script: Iterator[Rows] = iter(script)
        self._present: Rows = ()
        self.repeated: list[str] = []
        self.forgotten: list[str] = []

    def stages(self, meeting_id: str) -> Rows:
        self._present = next(self._script, self._present)
        return self._present

    def forget(self, meeting_id: str) -> None:
        self.forgotten.append(meeting_id)

    def repeat_notify(self, meeting_id: str) -> None:
        self.repeated.append(meeting_id)


class ShownMessage:
    """Remembers what it was made to show; *replaced*: the notes stand in its place."""

    def __init__(self, *, replaced: bool = True) -> None:
        self.history: list[Notice] = []
        self._replaced = replaced

    @property
    def shown(self) -> Notice | None:
        return self.history[-1] if self.history else None

    async def show(self, notice: Notice, *, at_once: bool = False) -> bool:
        self.history.append(notice)
        return True

    async def still_says(self, notice: Notice) -> bool:
        return not self._replaced


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "ROUND_S", 0)


async def follow(stages: ScriptedStages, message: ShownMessage, *, is_fresh: bool = True) -> None:
    shown = cast(MeetingMessage, cast(Any, message))
    following = progress.follow(stages, MEETING, shown, lambda notice: notice, is_fresh=is_fresh)
    await asyncio.wait_for(following, 5)


async def test_edits_end_when_summarize_begins() -> None:
    """Each stage is shown until the summary is being written; from there the message is the worker's."""
    stages = ScriptedStages([(), rows(0), rows(1), rows(2, running=True), rows(3, running=True), rows(4)])
    message = ShownMessage()

    await follow(stages, message)

    assert len(message.history) == 3
    assert stages.repeated == []


async def test_an_edit_over_the_notes_is_repaired() -> None:
    """When this program's edit came after the worker's, the notes are posted again."""
    stages = ScriptedStages([rows(1), rows(4)])

    await follow(stages, ShownMessage(replaced=False))

    assert stages.repeated == [MEETING.id]


@pytest.mark.parametrize("before", [[], [()], [(), ()]])
async def test_notes_that_were_there_before_are_left_alone(before: list[Rows]) -> None:
    """After a restart nothing is shown before it is known that the notes are not there yet."""
    stages = ScriptedStages([*before, rows(4)])
    message = ShownMessage(replaced=False)

    await follow(stages, message, is_fresh=False)

    assert (message.history, stages.repeated) == ([], [])


@pytest.mark.parametrize("done", range(len(STAGES)))
async def test_a_parked_stage_is_told_with_its_cure(done: int) -> None:
    """Whatever stage gives up, the message says why and how to try again."""
    stages = ScriptedStages([rows(done, parked=True, error="The model is missing; install it.")])
    message = ShownMessage()

    await follow(stages, message)

    (notice,) = message.history
    told = notice.cards[0].description
    assert "The model is missing" in told
    assert f"standup retry {MEETING.id}" in told.replace("\\", "")


async def test_the_watch_is_ended() -> None:
    """The dispatcher does not watch a meeting that nobody asks about."""
    stages = ScriptedStages([rows(4)])

    await follow(stages, ShownMessage())

    assert stages.forgotten == [MEETING.id]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param((), 0, id="nothing known"),
        pytest.param(rows(0), 0, id="none done"),
        pytest.param(rows(2, running=True), 2, id="two done, one at work"),
        pytest.param(rows(4), 4, id="all done"),
        pytest.param((StageStatus(Stage.NOTIFY, StageState.DONE),), 0, id="a later one only"),
    ],
)
def test_finished(found: Rows, expected: int) -> None:
    """Stages count as finished from the first one on, without holes."""
    assert progress.finished(found) == expected
