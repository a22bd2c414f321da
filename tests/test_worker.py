"""The documented code of a pool child's death."""

from __future__ import annotations

import pytest
from billiard.exceptions import TimeLimitExceeded, WorkerLostError

from standup.errors import ModelLoadError
from standup.worker import exit_code


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            WorkerLostError("Worker exited prematurely: signal 11 (SIGSEGV) Job: 0."), 139, id="SIGSEGV"
        ),
        pytest.param(
            WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 0."), 137, id="SIGKILL"
        ),
        pytest.param(
            WorkerLostError("Worker exited prematurely: signal 6 (SIGABRT) Job: 0."), 134, id="SIGABRT"
        ),
        pytest.param(
            WorkerLostError("Worker exited prematurely: exitcode 139 Job: 0."), 139, id="by its number"
        ),
        pytest.param(WorkerLostError("gone"), 255, id="no reason given"),
        pytest.param(TimeLimitExceeded(5400), 137, id="the hard time limit kills"),
        pytest.param(ModelLoadError(), None, id="an ordinary failure is no death"),
    ],
)
def test_exit_code(error: Exception, expected: int | None) -> None:
    """Celery's words for a death become the number that the documentation names."""
    assert expected == exit_code(error)
