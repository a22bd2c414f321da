"""What a program's exit code means, what is done about it, and when somebody is told.

The table `MODES` is the documentation: `failures_markdown` renders it. No clock and no I/O here; moments are
integer milliseconds since the epoch, and "now" is an argument.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

HOUR_S = 3_600
QUIET_MS = 24 * HOUR_S * 1_000
#: After so long without a death for want of memory, the profile climbs one rung.
CLEAN_S = HOUR_S
#: A program in debug mode that has run for so long goes on in its ordinary mode.
LONGEST_HOLD_S = 60.0
PROFILED_PROGRAMS = ("worker-gpu",)
#: The programs whose memory is mostly a model, of which there are smaller ones.
LOWEST_PROFILE = 5
#: The last rung of the ladder in `standup.transcribe.profiles`.


class Recovery(str, Enum):
    """What the next start of a program does differently."""

    RESTART = "restart"
    """Nothing: supervisord starts it again, later each time when it dies again and again."""
    SMALLER_PROFILE = "smaller profile"
    """It needs less memory: one rung down the ladder, until a day is quiet."""
    DEBUG = "debug"
    """It logs more, until it has run cleanly for an hour."""
    NONE = "none"
    """There is nothing to do, or nothing that a start would cure."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """So many failures within so long are worth an alert."""

    count: int
    window_s: int = HOUR_S

    def __post_init__(self) -> None:
        if self.count < 1 or self.window_s < 1:
            raise ValueError("a threshold counts at least one failure in at least one second")


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One row of the table."""

    code: int
    """As a shell spells it: 128 + the signal's number. -1 stands for every code without a row of its own."""
    name: str
    meaning: str
    recovery: Recovery
    alert: Threshold | None
    """None: never."""
    cure: str
    """The operator's next step, one sentence."""

    @property
    def is_failure(self) -> bool:
        """Whether the program did not end because it was asked to."""
        return self.alert is not None


@dataclass(frozen=True, slots=True)
class Measure:
    """What a program's next starts do differently, as the archive keeps it."""

    program: str
    recovery: Recovery
    level: int
    """Rungs below the full memory profile; 1 for the debug mode."""
    since_ms: int
    """When the last failure, or the last step back, was."""


_CRASH = (
    "Look for `Fatal Python error` in logs/{program}.out, update the driver or package it names, or set "
    "STANDUP_WHISPER_DEVICE=cpu."
)

_ROWS = (
    FailureMode(139, "SIGSEGV", "a C library crashed", Recovery.RESTART, Threshold(3), _CRASH),
    FailureMode(
        137, "SIGKILL", "killed, most often for want of memory", Recovery.SMALLER_PROFILE, Threshold(2),
        "Look for `Out of memory` in `dmesg`, free some memory, or choose a smaller STANDUP_WHISPER_MODEL.",
    ),
    FailureMode(
        255, "exception", "an exception that nobody caught", Recovery.DEBUG, Threshold(1),
        "Read its frames in logs/errors.log; they name the line to report or to correct.",
    ),
    FailureMode(134, "SIGABRT", "a C library gave up (cuDNN, CTranslate2)", Recovery.RESTART, Threshold(3), _CRASH),
    FailureMode(
        78, "settings", "the settings are wrong", Recovery.NONE, Threshold(1),
        "Run `standup doctor`, correct .env, then `supervisorctl start {program}`.",
    ),
    FailureMode(
        69, "service", "a service, program or library is missing", Recovery.RESTART, Threshold(3),
        "Read the sentence in logs/errors.log, and run `standup doctor`.",
    ),
    FailureMode(
        1, "gave up", "ended itself; a Celery worker does so when Redis goes away at a bad moment",
        Recovery.RESTART, Threshold(3), "Read the end of logs/{program}.out, and check that Redis stays up.",
    ),
    FailureMode(143, "SIGTERM", "asked to stop", Recovery.NONE, None, ""),
    FailureMode(130, "SIGINT", "asked to stop", Recovery.NONE, None, ""),
    FailureMode(0, "done", "asked to stop", Recovery.NONE, None, ""),
)  # fmt: skip

MODES: Mapping[int, FailureMode] = {row.code: row for row in _ROWS}
#: By code; `mode_of` answers for the codes without a row.
OTHER = FailureMode(
    -1, "other", "ended in a way nobody foresaw", Recovery.RESTART, Threshold(3),
    "Read the end of logs/{program}.out and logs/errors.log.",
)  # fmt: skip


def documented(code: int) -> int:
    """Return the shell's spelling of an exit code: Python's -11 becomes 139, what is positive stays."""
    return 128 - code if code < 0 else code


def mode_of(code: int) -> FailureMode:
    """Return the row for *code*, in either spelling; `OTHER` when it has none."""
    return MODES.get(documented(code), OTHER)


def recovery_of(code: int, program: str) -> Recovery:
    """Return what is done about *code* for *program*: only a program with a model has smaller profiles."""
    found = mode_of(code).recovery
    if found is Recovery.SMALLER_PROFILE and program not in PROFILED_PROGRAMS:
        return Recovery.RESTART
    return found


def measure_after(before: Measure | None, program: str, code: int, at_ms: int) -> Measure | None:
    """Return the measure that a failure brings, None when the next start is an ordinary one.

    *before* is the measure of the same kind in force, if any.
    """
    recovery = recovery_of(code, program)
    if recovery is Recovery.SMALLER_PROFILE:
        level = min(LOWEST_PROFILE, before.level + 1 if before else 1)
        return Measure(program, recovery, level, at_ms)
    if recovery is Recovery.DEBUG:
        return Measure(program, recovery, 1, at_ms)
    return None


def eased(measure: Measure, now_ms: int) -> Measure | None:
    """Return what is left of a memory profile at *now_ms*: one rung less per quiet day, None when it is full.

    The debug mode is returned as it is: the program that has run cleanly ends it.
    """
    if measure.recovery is not Recovery.SMALLER_PROFILE:
        return measure
    rungs = max(0, now_ms - measure.since_ms) // QUIET_MS
    if rungs >= measure.level:
        return None
    return dataclasses.replace(
        measure, level=measure.level - rungs, since_ms=measure.since_ms + rungs * QUIET_MS
    )


def breaches(times_ms: Iterable[int], threshold: Threshold) -> tuple[int, ...]:
    """Return when a breach of *threshold* began, given the moments of the failures in any order.

    A breach begins with the failure that makes up the count within the window, and lasts until a whole window has
    passed without a failure: a program that goes on crashing is one breach.
    """
    window_ms, is_open = threshold.window_s * 1_000, False
    recent: list[int] = []
    began: list[int] = []
    for at_ms in sorted(times_ms):
        if recent and at_ms - recent[-1] >= window_ms:
            is_open = False
        recent = [*(one for one in recent if at_ms - one < window_ms), at_ms]
        if not is_open and len(recent) >= threshold.count:
            is_open = True
            began.append(at_ms)
    return tuple(began)


def hold_back_s(fast_deaths: int) -> float:
    """Return how long a start waits after so many fast deaths in a row: 1, 2, 4 … 60 s.

    supervisord itself starts a program that had come up again at once, for ever.
    """
    return min(LONGEST_HOLD_S, 2.0 ** min(16, fast_deaths - 1)) if fast_deaths > 0 else 0.0


def sentence(program: str, code: int, count: int, measure: Measure | None, *, has_died: bool = True) -> str:
    """Return what the operator is told: what died of what, how often in the last hour, what was done, the cure.

    *has_died* is False for a want of memory that the program survived.
    """
    mode = mode_of(code)
    times = "" if count < 2 else f", {count} times in the last hour"
    again = " It is started again."
    done = {
        Recovery.RESTART: again,
        Recovery.SMALLER_PROFILE: f" It goes on with memory profile {measure.level}." if measure else again,
        Recovery.DEBUG: " It is started again in debug mode until it has run cleanly for an hour.",
        Recovery.NONE: "",
    }[recovery_of(code, program)]
    cure = mode.cure.format(program=program)
    if not has_died:
        return f"{program} ran out of memory, which counts as code {documented(code)}{times}.{done} {cure}".strip()
    return f"{program} died with code {documented(code)} ({mode.name}: {mode.meaning}){times}.{done} {cure}".strip()


def failures_markdown() -> str:
    """Return the table as Markdown, for the documentation."""
    head = "| code | meaning | recovery | alert after | cure |\n|---|---|---|---|---|\n"
    return head + "".join(_markdown_row(row) for row in (*_ROWS, OTHER))


def _markdown_row(row: FailureMode) -> str:
    code = str(row.code) if row.code >= 0 else "other"
    if row.alert is None:
        alert = "never"
    elif row.alert.count == 1:
        alert = "immediately"
    else:
        alert = f"{row.alert.count} in {row.alert.window_s // 60} min"
    cure = row.cure.format(program="PROGRAM")
    return f"| {code} | {row.name}: {row.meaning} | {row.recovery.value} | {alert} | {cure} |\n"
