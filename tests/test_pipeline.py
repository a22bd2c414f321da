"""The stages, when a chain is due, and what follows a failure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.errors import (
    ChannelForbidden,
    ChannelUnreachable,
    ModelLoadError,
    OutOfMemory,
    TranscriptionTimeout,
)
from standup.pipeline import (
    QUEUES,
    REPUBLISH_AFTER_MS,
    STAGES,
    TASK_NAMES,
    UNEXPECTED,
    WAITING_HELPS,
    Park,
    Retry,
    Stage,
    StageState,
    StageStatus,
    WorkerDied,
    decide,
    due,
    remaining,
)

NOW = 1_000_000


def rows(*states: StageState, **head: int | None) -> tuple[StageStatus, ...]:
    made = [StageStatus(stage, state) for stage, state in zip(STAGES, states, strict=True)]
    first = next((i for i, one in enumerate(made) if one.state is not StageState.DONE), None)
    if first is not None:
        made[first] = StageStatus(made[first].stage, made[first].state, **head)  # type: ignore[arg-type]
    return tuple(made)


TODO, RUNNING, DONE, PARKED = StageState.TODO, StageState.RUNNING, StageState.DONE, StageState.PARKED


def test_every_stage_has_a_task_and_a_queue() -> None:
    """No stage is without a task name and a queue, and only transcription goes to the GPU queue."""
    assert set(TASK_NAMES) == set(QUEUES) == set(STAGES)
    assert [stage for stage in STAGES if QUEUES[stage] == "gpu"] == [Stage.TRANSCRIBE]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(rows(TODO, TODO, TODO, TODO), STAGES, id="nothing done: the whole chain"),
        pytest.param(rows(DONE, DONE, TODO, TODO), STAGES[2:], id="the tail that is left"),
        pytest.param(rows(DONE, DONE, DONE, DONE), (), id="all done: nothing"),
        pytest.param(rows(DONE, PARKED, TODO, TODO), (), id="a parked stage blocks the rest"),
        pytest.param((), (), id="no rows (still recording): nothing"),
    ],
)
def test_remaining(found: tuple[StageStatus, ...], expected: tuple[Stage, ...]) -> None:
    """The chain to publish is what is not done, unless a stage is parked."""
    assert expected == remaining(found)


@pytest.mark.parametrize(
    ("found", "is_due"),
    [
        pytest.param(rows(TODO, TODO, TODO, TODO), True, id="never published"),
        pytest.param(rows(TODO, TODO, TODO, TODO, enqueued_at_ms=NOW - 1), False, id="just published"),
        pytest.param(
            rows(TODO, TODO, TODO, TODO, enqueued_at_ms=NOW - REPUBLISH_AFTER_MS),
            True,
            id="stood still for a minute",
        ),
        pytest.param(rows(RUNNING, TODO, TODO, TODO, lease_until_ms=NOW + 1), False, id="being worked on"),
        pytest.param(rows(RUNNING, TODO, TODO, TODO, lease_until_ms=NOW), True, id="the holder died"),
        pytest.param(rows(DONE, TODO, TODO, TODO, next_at_ms=NOW + 1), False, id="waits for its next try"),
        pytest.param(rows(DONE, TODO, TODO, TODO, next_at_ms=NOW), True, id="its next try has come"),
    ],
)
def test_due(found: tuple[StageStatus, ...], is_due: bool) -> None:
    """The head of the chain decides whether anything is published."""
    assert is_due == bool(due(found, NOW))


@pytest.mark.parametrize(
    ("error", "attempts", "strikes", "expected"),
    [
        pytest.param(ChannelUnreachable(), 1, 0, Retry(2_000), id="waiting helps: soon"),
        pytest.param(ChannelUnreachable(), 4, 0, Retry(16_000), id="waiting helps: later"),
        pytest.param(OutOfMemory(), 299, 0, Retry(300_000), id="waiting helps: for a day"),
        pytest.param(OutOfMemory(), 300, 0, Park(), id="waiting has not helped for a day"),
        pytest.param(ModelLoadError(), 1, 0, Park(), id="a person must act"),
        pytest.param(ChannelForbidden(), 1, 0, Park(), id="a permission is missing"),
        pytest.param(KeyError("x"), 1, 0, Retry(2_000, is_strike=True), id="unforeseen: again"),
        pytest.param(
            KeyError("x"), 90, 1, Retry(4_000, is_strike=True), id="unforeseen after many waits: again"
        ),
        pytest.param(WorkerDied(), 3, 2, Park(), id="the third death"),
        pytest.param(
            TranscriptionTimeout(), 1, 0, Retry(30_000, is_strike=True), id="took too long: once more"
        ),
        pytest.param(TranscriptionTimeout(), 2, 1, Park(), id="took too long twice"),
    ],
)
def test_decide(error: Exception, attempts: int, strikes: int, expected: Retry | Park) -> None:
    """What follows a failure is read off its class, the attempts and the strikes so far."""
    assert expected == decide(error, attempts, strikes)


@given(st.integers(1, 1000))
def test_waits_are_bounded_and_never_shrink(attempts: int) -> None:
    """A later attempt never waits less than an earlier one, and never more than the bound."""
    for policy in (WAITING_HELPS, UNEXPECTED):
        assert policy.wait_ms(attempts) <= policy.wait_ms(attempts + 1) <= policy.max_wait_ms


def test_waiting_is_tried_for_a_day() -> None:
    """A Discord that is down over night does not park a meeting."""
    waited_ms = sum(WAITING_HELPS.wait_ms(attempt) for attempt in range(1, WAITING_HELPS.max_attempts))
    assert 20 * 3_600_000 < waited_ms < 28 * 3_600_000
