"""The four stages, where their tasks run, and what happens when one fails.

No clock and no I/O here; times are integer milliseconds, "now" is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from standup.errors import StandupError, TranscriptionTimeout, Transient


class Stage(str, Enum):
    """One step of a meeting's way from voice packets to a message."""

    CAPTURE = "capture"
    TRANSCRIBE = "transcribe"
    SUMMARIZE = "summarize"
    NOTIFY = "notify"


STAGES: tuple[Stage, ...] = tuple(Stage)
#: In the order they run.

TASK_NAMES: Mapping[Stage, str] = {stage: f"standup.{stage.value}" for stage in STAGES}
#: Celery task names; producers enqueue by name and never import the tasks.

QUEUES: Mapping[Stage, str] = {
    Stage.CAPTURE: "capture",
    Stage.TRANSCRIBE: "gpu",
    Stage.SUMMARIZE: "summarize",
    Stage.NOTIFY: "notify",
}

LEASE_MS = 60_000
#: A claim is free again when its holder has not renewed it for this long.
REPUBLISH_AFTER_MS = 60_000
#: A published stage that nobody has claimed for this long is published again, each time after twice as long …
REPUBLISH_AT_MOST_MS = 900_000
#: … up to this: while a queue is long, more copies of a chain help nobody.


class StageState(str, Enum):
    """Where one stage of one meeting is."""

    TODO = "todo"
    RUNNING = "running"
    DONE = "done"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class StageStatus:
    """One stage row as the dispatcher and the progress message see it."""

    stage: Stage
    state: StageState
    attempts: int = 0
    strikes: int = 0
    lease_until_ms: int = 0
    enqueued_at_ms: int | None = None
    next_at_ms: int = 0
    publishes: int = 0
    error: str = ""

    @property
    def republish_after_ms(self) -> int:
        """How long the stage may stand still before it is published once more."""
        return int(min(REPUBLISH_AT_MOST_MS, REPUBLISH_AFTER_MS * 2 ** max(0, min(self.publishes, 10) - 1)))


def remaining(rows: Iterable[StageStatus]) -> tuple[Stage, ...]:
    """Return the stages that are not done, in order; empty when one is parked (it blocks the rest)."""
    by_stage = {row.stage: row for row in rows}
    if any(row.state is StageState.PARKED for row in by_stage.values()):
        return ()
    return tuple(
        stage for stage in STAGES if stage in by_stage and by_stage[stage].state is not StageState.DONE
    )


def due(rows: Iterable[StageStatus], now_ms: int) -> tuple[Stage, ...]:
    """Return the chain to publish at *now_ms*, empty when there is nothing to publish yet.

    The first stage that is not done decides: it must not be leased, its ``next_at`` must have passed, and it
    must never have been published or have stood still for `StageStatus.republish_after_ms`.
    """
    rows = tuple(rows)
    stages = remaining(rows)
    if not stages:
        return ()
    head = next(row for row in rows if row.stage is stages[0])
    if head.state is StageState.RUNNING and head.lease_until_ms > now_ms:
        return ()
    if head.next_at_ms > now_ms:
        return ()
    if head.enqueued_at_ms is not None and now_ms - head.enqueued_at_ms < head.republish_after_ms:
        return ()
    return stages


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a stage is tried, and how long it waits in between."""

    max_attempts: int
    first_wait_ms: int
    max_wait_ms: int

    def wait_ms(self, attempts: int) -> int:
        """Return the wait after the *attempts*-th failure: doubled each time, up to ``max_wait_ms``."""
        return int(min(self.max_wait_ms, self.first_wait_ms * 2 ** (max(1, min(attempts, 30)) - 1)))


WAITING_HELPS = RetryPolicy(max_attempts=300, first_wait_ms=2_000, max_wait_ms=300_000)
#: For ``Transient``: the network, a full disk, a Discord that is down. 300 attempts are about a day.
UNEXPECTED = RetryPolicy(max_attempts=3, first_wait_ms=2_000, max_wait_ms=30_000)
#: For everything we did not foresee, the death of a worker included; counted as strikes.
TAKES_TOO_LONG = RetryPolicy(max_attempts=2, first_wait_ms=30_000, max_wait_ms=30_000)
#: For a timeout: each try costs hours of a worker. Counted as strikes.
MAX_STRIKES = UNEXPECTED.max_attempts


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after *wait_ms*."""

    wait_ms: int
    is_strike: bool = False
    """Whether it counts towards ``MAX_STRIKES``: failures that nobody foresaw, not the ones that waiting cures."""


@dataclass(frozen=True, slots=True)
class Park:
    """Stop trying: waiting does not cure this. The audio stays; `standup retry` starts the stage again."""


class WorkerDied(Exception):
    """The process that worked on a stage died: no error of ours and none that waiting cures."""


def decide(error: BaseException, attempts: int, strikes: int) -> Retry | Park:
    """Return what follows a failure with *error* in the *attempts*-th attempt, after *strikes* earlier strikes.

    ``Transient`` is tried again for about a day; a timeout once; other errors of ours never (they name what a
    person must do); anything else, a death included, until it has happened three times.
    """
    if isinstance(error, TranscriptionTimeout):
        return _after_strike(TAKES_TOO_LONG, strikes + 1)
    if isinstance(error, Transient):
        return Retry(WAITING_HELPS.wait_ms(attempts)) if attempts < WAITING_HELPS.max_attempts else Park()
    if isinstance(error, StandupError):
        return Park()
    return _after_strike(UNEXPECTED, strikes + 1)


def _after_strike(policy: RetryPolicy, strikes: int) -> Retry | Park:
    return Retry(policy.wait_ms(strikes), is_strike=True) if strikes < policy.max_attempts else Park()
