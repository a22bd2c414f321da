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
    QUEUES,
    REPUBLISH_AFTER_MS,
    RETRY_RULES,
    STAGES,
    TASK_NAMES,
    Count,
    Park,
    Retry,
    RetryRule,
    Stage,
    StageState,
    StageStatus,
    Tally,
    decide,
    due,
    remaining,
    retries_markdown,
    retry_rule,
)

NOW = 1_000_000


def strike(wait_ms: int) -> Retry:
    return Retry(wait_ms, Count.STRIKES)


def crash(wait_ms: int) -> Retry:
    return Retry(wait_ms, Count.CRASHES)


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
    ("error", "stage", "tally", "expected"),
    [
        pytest.param(ChannelUnreachable(), Stage.NOTIFY, Tally(1), Retry(2_000), id="waiting helps: soon"),
        pytest.param(ChannelUnreachable(), Stage.NOTIFY, Tally(4), Retry(16_000), id="waiting helps: later"),
        pytest.param(
            ChannelUnreachable(), Stage.NOTIFY, Tally(299), Retry(300_000), id="waiting helps: for a day"
        ),
        pytest.param(
            ChannelUnreachable(), Stage.NOTIFY, Tally(300), Park(), id="waiting has not helped for a day"
        ),
        pytest.param(ModelLoadError(), Stage.TRANSCRIBE, Tally(1), Park(), id="a person must act"),
        pytest.param(ChannelForbidden(), Stage.NOTIFY, Tally(1), Park(), id="a permission is missing"),
        pytest.param(KeyError("x"), Stage.SUMMARIZE, Tally(1), strike(2_000), id="unforeseen: again"),
        pytest.param(
            KeyError("x"), Stage.SUMMARIZE, Tally(90, 1), strike(4_000), id="unforeseen after many waits"
        ),
        pytest.param(
            KeyError("x"), Stage.SUMMARIZE, Tally(3, 2), Park(), id="unforeseen three times: given up"
        ),
        pytest.param(
            TranscriptionTimeout(), Stage.TRANSCRIBE, Tally(1), strike(30_000), id="too slow: once more"
        ),
        pytest.param(TranscriptionTimeout(), Stage.TRANSCRIBE, Tally(2, 1), Park(), id="too slow twice"),
        pytest.param(
            TranscriptionTimeout(), Stage.CAPTURE, Tally(3), Retry(8_000), id="too slow, but a short stage"
        ),
        pytest.param(
            OutOfMemory(), Stage.TRANSCRIBE, Tally(5, 4), strike(30_000), id="no memory: the last rung"
        ),
        pytest.param(OutOfMemory(), Stage.TRANSCRIBE, Tally(6, 5), Park(), id="no memory on any rung"),
        pytest.param(WorkerCrashed(), Stage.TRANSCRIBE, Tally(9, 2), crash(2_000), id="one crash"),
        pytest.param(WorkerCrashed(), Stage.TRANSCRIBE, Tally(2, 0, 1), Park(), id="two crashes"),
        pytest.param(
            WorkerKilled(), Stage.CAPTURE, Tally(5, 4), strike(60_000), id="killed: another profile"
        ),
        pytest.param(WorkerKilled(), Stage.CAPTURE, Tally(6, 5), Park(), id="killed on every rung"),
    ],
)
def test_decide(error: Exception, stage: Stage, tally: Tally, expected: Retry | Park) -> None:
    """What follows a failure is read off its class, its stage, and what the stage has been through."""
    assert expected == decide(error, tally, stage)


def test_waiting_is_tried_for_a_day() -> None:
    """A Discord that is down over night does not park a meeting."""
    policy = retry_rule(ChannelUnreachable, Stage.NOTIFY).policy
    waited_ms = sum(policy.wait_ms(attempt) for attempt in range(1, policy.max_attempts))
    assert 20 * 3_600_000 < waited_ms < 28 * 3_600_000


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


def test_the_markdown_shows_every_rule() -> None:
    """The table of the documentation has a row for each rule, with its tries."""
    lines = retries_markdown().splitlines()[2:]
    shown = [tuple(cell.strip() for cell in line.split("|")[1:4:2]) for line in lines]
    assert shown == [(f"`{rule.error.__name__}`", str(rule.policy.max_attempts)) for rule in RETRY_RULES]
