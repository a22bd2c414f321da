"""What a worker process does beside its tasks: log lines, noting the death of a pool child, giving work back.

Loaded through ``include`` in celeryconfig, so that a spawned child has the handlers too.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
from dataclasses import dataclass
from typing import Any

from celery.signals import setup_logging, task_failure, worker_init, worker_process_init, worker_shutting_down
from celery.worker import WorkController

from standup import handover, logs
from standup.archive import Archive, Failure
from standup.errors import StandupError, WorkerCrashed, WorkerKilled
from standup.pipeline import FOLLOW, SKIM, TASK_NAMES, Stage
from standup.settings import load
from standup.tasks import holder
from standup.work import now_ms

log = logging.getLogger(__name__)

DEATH = re.compile(r"signal (?P<signal>\d+)|exitcode (?P<exitcode>\d+)")
UNKNOWN_DEATH = 255
KILLED = 137


@setup_logging.connect
def configure_logs(**_: Any) -> None:
    """Write our log lines instead of Celery's."""
    logs.configure("worker", load().log_dir)


@worker_process_init.connect
def configure_child_logs(**_: Any) -> None:
    """Do the same in a spawned pool child, which starts with nothing configured."""
    logs.configure("worker", load().log_dir)
    logs.inherit_debug()


@worker_process_init.connect
def listen_for_the_end(**_: Any) -> None:
    """Let a pool child hear that its worker is to stop."""
    handover.listen()


@worker_init.connect
def tell_of_the_end(sender: WorkController, **_: Any) -> None:
    """Have the pool's children told when the worker is asked to stop; Celery itself lets them finish."""
    # A child that does not listen yet inherits this, and is not killed by the signal.
    signal.signal(handover.SIGNAL, signal.SIG_IGN)

    def tell(**_: Any) -> None:
        for pid in sender.pool.info["processes"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, handover.SIGNAL)

    worker_shutting_down.connect(tell, weak=False)


@worker_init.connect
def migrate_archive(**_: Any) -> None:
    """Bring the archive's schema up to date before the first task."""
    archive = Archive.of(load())
    try:
        archive.migrate()
    except StandupError as problem:
        log.error("The archive is not ready: %s", problem)
    finally:
        archive.close()


@task_failure.connect
def note_death(
    sender: Any = None, task_id: str = "", args: Any = None, exception: Any = None, **_: Any
) -> None:
    """Free the stage of a pool child that died, and note its code for the sentinel; reading ahead has no stage.

    Runs in the worker's main process when a child is gone (a crash, the out-of-memory killer, a time limit);
    may run twice for one death. In the child, where an ordinary failure was recorded already, it does nothing.
    """
    code = exit_code(exception)
    stages = {name: stage for stage, name in TASK_NAMES.items()}
    name = getattr(sender, "name", "")
    if code is None or name not in (*stages, FOLLOW, SKIM) or not args:
        return
    meeting_id, death = str(args[0]), Death(code, task_id)
    with logs.about(meeting_id):
        archive = Archive.of(load())
        try:
            if name in stages:
                _note(archive, meeting_id, stages[name], death)
            else:
                _note_early(archive, meeting_id, name, death)
        except StandupError as problem:
            log.error("A death could not be recorded; the lease frees the stage: %s", problem)
        finally:
            archive.close()


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a pool child."""

    code: int
    """As a shell spells it."""
    task_id: str
    """What it worked on."""


def _note(archive: Archive, meeting_id: str, stage: Stage, death: Death) -> None:
    sentence = f"The worker process died with code {death.code} while it did this stage."
    error = WorkerKilled(sentence) if death.code == KILLED else WorkerCrashed(sentence)
    attempts = next((one.attempts for one in archive.statuses(meeting_id) if one.stage is stage), 0)
    decision = archive.crashed(meeting_id, stage, holder(os.getpid()), error, now_ms())
    # The attempt is part of the name: a task that is delivered again may die again.
    name = f"{death.task_id}/{attempts}" if death.task_id else ""
    failure = Failure(now_ms(), _program(), death.code, meeting_id, stage.value, sentence, name)
    if archive.failures.note(failure):
        what = "nothing is lost" if decision is None else f"what follows: {decision}"
        log.error("%s Stage %s: %s", sentence, stage.value, what)


def _note_early(archive: Archive, meeting_id: str, task: str, death: Death) -> None:
    sentence = f"The worker process died with code {death.code} while it read ahead in a meeting."
    failure = Failure(now_ms(), _program(), death.code, meeting_id, task, sentence, death.task_id)
    if archive.failures.note(failure):
        log.error("%s Nothing is lost; what is left of the meeting is read after its end.", sentence)


def _program() -> str:
    return os.environ.get(logs.PROGRAM_VARIABLE, "worker")


def exit_code(exception: object) -> int | None:
    """Return the documented code of a pool child's death (139, 137, …), None for an ordinary failure."""
    kind = type(exception).__name__
    if kind == "TimeLimitExceeded":
        return KILLED
    if kind != "WorkerLostError":
        return None
    found = DEATH.search(str(exception))
    if not found:
        return UNKNOWN_DEATH
    return 128 + int(found["signal"]) if found["signal"] else int(found["exitcode"])
