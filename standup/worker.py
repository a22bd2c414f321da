"""What a worker process does beside its tasks: log lines, and noting the death of a pool child.

Loaded through ``include`` in celeryconfig, so that a spawned child has the handlers too.
"""

from __future__ import annotations

import logging
import os
import re
from typing import Any

from celery.signals import setup_logging, task_failure, worker_init, worker_process_init

from standup import logs
from standup.archive import Archive, Failure
from standup.errors import StandupError
from standup.pipeline import TASK_NAMES
from standup.settings import load
from standup.tasks import holder
from standup.work import now_ms

log = logging.getLogger(__name__)

DEATH = re.compile(r"signal (?P<signal>\d+)|exitcode (?P<exitcode>\d+)")
UNKNOWN_DEATH = 255


@setup_logging.connect
def configure_logs(**_: Any) -> None:
    """Write our log lines instead of Celery's."""
    logs.configure("worker", load().log_dir)


@worker_process_init.connect
def configure_child_logs(**_: Any) -> None:
    """Do the same in a spawned pool child, which starts with nothing configured."""
    logs.configure("worker", load().log_dir)


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
def note_death(sender: Any = None, args: Any = None, exception: Any = None, **_: Any) -> None:
    """Free the stage of a pool child that died, and keep its code.

    Runs in the worker's main process when a child is gone (a crash, the out-of-memory killer, a time limit);
    may run twice for one death. In the child, where an ordinary failure was recorded already, it does nothing.
    """
    code = exit_code(exception)
    stages = {name: stage for stage, name in TASK_NAMES.items()}
    if code is None or sender is None or sender.name not in stages or not args:
        return
    stage, meeting_id = stages[sender.name], str(args[0])
    sentence = f"The worker process died with code {code} while it did this stage."
    archive = Archive.of(load())
    try:
        archive.crashed(meeting_id, stage, holder(os.getpid()), sentence, now_ms())
        archive.note_failure(
            Failure(now_ms(), f"pool child of {os.getpid()}", code, meeting_id, stage.value, sentence)
        )
    except StandupError as problem:
        log.error("A death could not be recorded; the lease frees the stage: %s", problem)
    finally:
        archive.close()
    with logs.about(meeting_id):
        log.error("%s Stage %s is tried again from its row.", sentence, stage.value)


def exit_code(exception: object) -> int | None:
    """Return the documented code of a pool child's death (139, 137, …), None for an ordinary failure."""
    kind = type(exception).__name__
    if kind == "TimeLimitExceeded":
        return 137
    if kind != "WorkerLostError":
        return None
    found = DEATH.search(str(exception))
    if not found:
        return UNKNOWN_DEATH
    return 128 + int(found["signal"]) if found["signal"] else int(found["exitcode"])
