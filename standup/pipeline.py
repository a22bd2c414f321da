"""The four stages, where their tasks run, and what happens when one fails.

No clock and no I/O here; times are integer milliseconds, "now" is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from standup.errors import (
    OutOfMemory,
    StandupError,
    TranscriptionTimeout,
    Transient,
    WorkerCrashed,
    WorkerKilled,
)


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

FOLLOW = "standup.follow"
#: The task that reads what was said so far while a meeting is still recorded.
FOLLOW_QUEUE = QUEUES[Stage.TRANSCRIBE]
FOLLOW_EXPIRES_S = 60
#: While the queue is long, reading ahead helps nobody; the chain after the meeting reads what is left.
SKIM = "standup.skim"
#: The task behind it that looks ahead for the other stages.
SKIM_QUEUE = QUEUES[Stage.SUMMARIZE]

EXPIRE = "standup.expire"
#: The task that deletes what is older than the retention allows.
EXPIRE_QUEUE = QUEUES[Stage.CAPTURE]
EXPIRE_EVERY_S = 3_600

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
#: About a day: a Discord that is down over night parks nothing.
UNEXPECTED = RetryPolicy(max_attempts=3, first_wait_ms=2_000, max_wait_ms=30_000)
NEVER = RetryPolicy(max_attempts=1, first_wait_ms=0, max_wait_ms=0)
MAX_STRIKES = UNEXPECTED.max_attempts
#: A stage that was claimed and left without a word this often is parked.


class Count(str, Enum):
    """Which of a stage's counts a rule goes by: what waiting cures must not use up what accidents are allowed."""

    ATTEMPTS = "attempts"
    STRIKES = "strikes"
    CRASHES = "crashes"


@dataclass(frozen=True, slots=True)
class Tally:
    """What a stage has been through."""

    attempts: int
    """Claims so far, the present one included."""
    strikes: int = 0
    """Failures before this one that nobody foresaw."""
    crashes: int = 0
    """Crashes of a worker process before this one."""

    def including_this(self, count: Count) -> int:
        """Return a count with the failure at hand."""
        return {
            Count.ATTEMPTS: self.attempts,
            Count.STRIKES: self.strikes + 1,
            Count.CRASHES: self.crashes + 1,
        }[count]


@dataclass(frozen=True, slots=True)
class RetryRule:
    """One row of the retry table: what follows an error of this class."""

    error: type[BaseException]
    stages: tuple[Stage, ...]
    policy: RetryPolicy
    why: str
    count: Count = Count.STRIKES


TRANSCRIBING = (Stage.TRANSCRIBE,)
RETRY_RULES: tuple[RetryRule, ...] = (
    RetryRule(
        Transient,
        STAGES,
        WAITING_HELPS,
        "the network, a full disk, a service that is down: waiting helps",
        Count.ATTEMPTS,
    ),
    RetryRule(
        TranscriptionTimeout, TRANSCRIBING, RetryPolicy(2, 30_000, 30_000), "each try may take over an hour"
    ),
    RetryRule(
        OutOfMemory,
        TRANSCRIBING,
        RetryPolicy(6, 2_000, 30_000),
        "no profile is smaller; others may free memory",
    ),
    RetryRule(StandupError, STAGES, NEVER, "its sentence names what a person must do"),
    RetryRule(
        WorkerCrashed,
        STAGES,
        RetryPolicy(2, 2_000, 2_000),
        "what crashed two processes crashes a third",
        Count.CRASHES,
    ),
    RetryRule(
        WorkerKilled, STAGES, RetryPolicy(6, 5_000, 60_000), "the next process has a smaller memory profile"
    ),
    RetryRule(Exception, STAGES, UNEXPECTED, "nobody foresaw it; it may have been an accident"),
)
#: The most specific class wins, so the order of the rows does not matter.


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after *wait_ms*."""

    wait_ms: int
    count: Count = Count.ATTEMPTS
    """Which count it adds to."""


@dataclass(frozen=True, slots=True)
class Park:
    """Stop trying: waiting does not cure this. The audio stays; `standup retry` starts the stage again."""


def retry_rule(error: type[BaseException], stage: Stage) -> RetryRule:
    """Return the row for an error of this class in *stage*: that of its nearest ancestor."""
    rules = {rule.error: rule for rule in RETRY_RULES if stage in rule.stages}
    return next((rules[kind] for kind in error.__mro__ if kind in rules), rules[Exception])


def decide(error: BaseException, tally: Tally, stage: Stage) -> Retry | Park:
    """Return what follows a failure of *stage* with *error*, as `RETRY_RULES` say."""
    rule = retry_rule(type(error), stage)
    number = tally.including_this(rule.count)
    return Retry(rule.policy.wait_ms(number), rule.count) if number < rule.policy.max_attempts else Park()


def retries_markdown() -> str:
    """Return the retry table as Markdown, for the documentation."""
    head = "| error | stages | tries | wait, doubled each time | why |\n|---|---|---|---|---|\n"
    return head + "".join(_markdown_row(rule) for rule in RETRY_RULES)


def _markdown_row(rule: RetryRule) -> str:
    policy = rule.policy
    stages = "all" if rule.stages == STAGES else ", ".join(stage.value for stage in rule.stages)
    waits = f"{policy.first_wait_ms / 1000:g} s to {policy.max_wait_ms / 1000:g} s"
    return (
        f"| `{rule.error.__name__}` | {stages} | {policy.max_attempts} | "
        f"{waits if policy.max_attempts > 1 else 'none'} | {rule.why} |\n"
    )
