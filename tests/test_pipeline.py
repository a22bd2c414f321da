"""The stages, when a chain is due, and what follows a failure."""

from __future__ import annotations

import pytest

from standup.errors import (
    ChannelForbidden,
    ChannelUnreachable,
    ModelLoadError,
    OutOfMemory,
    StandupError,
    TranscriptionTimeout,
    Transient,
    WorkerCrashed,
    WorkerKilled,
)
from standup.pipeline import (
    MAX_ATTEMPTS,
    QUEUES,
    REPUBLISH_AFTER_MS,
    RETRY_RULES,
    STAGES,
    TASK_NAMES,
    Park,
    Retry,
    RetryRule,
    Stage,
    StageState,
    StageStatus,
    decide,
    due,
    remaining,
    retries_markdown,
    retry_rule,
)

NOW = 1_000_000


def known_errors() -> list[type[StandupError]]:
    """Return every class of the exception tree in `standup.errors`, by name."""
    found: set[type[StandupError]] = set()
    waiting = [StandupError]
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += kind.__subclasses__()
    ours = {kind for kind in found if kind.__module__ == "standup.errors"}
    return sorted(ours, key=lambda kind: kind.__name__)


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
    ("error", "stage", "attempts", "expected"),
    [
        pytest.param(ChannelUnreachable(), Stage.NOTIFY, 1, Retry(2_000), id="waiting helps: soon"),
        pytest.param(ChannelUnreachable(), Stage.NOTIFY, 4, Retry(16_000), id="waiting helps: later"),
        pytest.param(ChannelUnreachable(), Stage.NOTIFY, 12, Park(), id="waiting has not helped 12 times"),
        pytest.param(ModelLoadError(), Stage.TRANSCRIBE, 1, Park(), id="a person must act"),
        pytest.param(ChannelForbidden(), Stage.NOTIFY, 1, Park(), id="a permission is missing"),
        pytest.param(KeyError("x"), Stage.SUMMARIZE, 1, Retry(2_000), id="unforeseen: again"),
        pytest.param(KeyError("x"), Stage.SUMMARIZE, 3, Park(), id="unforeseen three times: given up"),
        pytest.param(TranscriptionTimeout(), Stage.TRANSCRIBE, 2, Retry(60_000), id="too slow: few tries"),
        pytest.param(TranscriptionTimeout(), Stage.TRANSCRIBE, 3, Park(), id="too slow three times"),
        pytest.param(
            TranscriptionTimeout(), Stage.CAPTURE, 3, Retry(8_000), id="too slow, but a short stage"
        ),
        pytest.param(OutOfMemory(), Stage.TRANSCRIBE, 5, Retry(30_000), id="no memory: the last rung"),
        pytest.param(OutOfMemory(), Stage.TRANSCRIBE, 6, Park(), id="no memory on any rung"),
        pytest.param(WorkerCrashed(), Stage.TRANSCRIBE, 1, Retry(2_000), id="one crash"),
        pytest.param(WorkerCrashed(), Stage.TRANSCRIBE, 2, Park(), id="two crashes"),
        pytest.param(WorkerKilled(), Stage.CAPTURE, 5, Retry(60_000), id="killed: another profile"),
        pytest.param(WorkerKilled(), Stage.CAPTURE, 6, Park(), id="killed on every rung"),
    ],
)
def test_decide(error: Exception, stage: Stage, attempts: int, expected: Retry | Park) -> None:
    """What follows a failure is read off its class, its stage and the number of attempts."""
    assert expected == decide(error, attempts, stage)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("error", known_errors())
def test_every_error_has_one_rule_in_every_stage(error: type[StandupError], stage: Stage) -> None:
    """Each class of the exception tree finds a rule of its own family, never the one for the unforeseen."""
    rule = retry_rule(error, stage)
    assert issubclass(error, rule.error)
    assert rule.error is not Exception


@pytest.mark.parametrize("error", [one for one in known_errors() if issubclass(one, Transient)])
def test_what_waiting_cures_is_tried_again(error: type[StandupError]) -> None:
    """Every ``Transient`` has a second try in every stage."""
    assert all(retry_rule(error, stage).policy.max_attempts > 1 for stage in STAGES)


@pytest.mark.parametrize("rule", RETRY_RULES, ids=lambda rule: rule.error.__name__)
def test_waits_are_bounded_and_never_shrink(rule: RetryRule) -> None:
    """A later attempt never waits less than an earlier one, never more than the bound, and there is an end."""
    waits_ms = [rule.policy.wait_ms(attempts) for attempts in range(1, 60)]
    assert waits_ms == sorted(waits_ms)
    assert waits_ms[-1] == rule.policy.max_wait_ms
    assert rule.policy.max_attempts <= MAX_ATTEMPTS


def test_the_markdown_shows_every_rule() -> None:
    """The table of the documentation has a row for each rule, with its tries."""
    lines = retries_markdown().splitlines()[2:]
    shown = [tuple(cell.strip() for cell in line.split("|")[1:4:2]) for line in lines]
    assert shown == [(f"`{rule.error.__name__}`", str(rule.policy.max_attempts)) for rule in RETRY_RULES]
