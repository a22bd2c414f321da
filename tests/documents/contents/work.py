"""What the workers do: stages and the tasks beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import celeryconfig
from standup import tasks
from standup.lease import RENEW_EVERY_S
from standup.pipeline import EXPIRE, FOLLOW, LEASE_MS, QUEUES, SKIM, STAGES, TASK_NAMES
from standup.supervision.programs import CPU_QUEUES, GPU_QUEUE
from tests.documents.contents.table import table


def stages_table() -> str:
    """Return every task that workers run: its stage, queue, program, time limits and lease."""
    return table(
        ("stage", "task", "queue", "program", "soft limit", "hard limit", "lease"), (*_stages(), *_others())
    )


def _stages() -> Iterator[Sequence[str]]:
    lease = f"{LEASE_MS // 1000} s, renewed every {RENEW_EVERY_S:g} s"
    for stage in STAGES:
        yield stage.value, *_task(TASK_NAMES[stage], QUEUES[stage]), lease


def _others() -> Iterator[Sequence[str]]:
    yield "reading speech ahead", *_task(FOLLOW, celeryconfig.task_routes[FOLLOW]["queue"]), "none"
    yield "skimming for the others", *_task(SKIM, celeryconfig.task_routes[SKIM]["queue"]), "none"
    yield "deleting by age", *_task(EXPIRE, celeryconfig.task_routes[EXPIRE]["queue"]), "none"
    yield "publishing", *_task(tasks.dispatch.name, celeryconfig.task_default_queue), "none"


def _task(name: str, queue: str) -> tuple[str, str, str, str, str]:
    programs = {"worker-cpu": CPU_QUEUES.split(","), "worker-gpu": [GPU_QUEUE]}
    (program,) = [one for one, queues in programs.items() if queue in queues]
    task: Any = tasks.app.tasks[name]
    soft_s = task.soft_time_limit or celeryconfig.task_soft_time_limit
    hard_s = task.time_limit or celeryconfig.task_time_limit
    return f"`{name}`", f"`{queue}`", f"`{program}`", f"{soft_s} s", f"{hard_s} s"
