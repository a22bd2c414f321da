"""Cores belong to lanes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from standup.transcribe import cores


def test_no_more_lanes_than_cores_or_than_memory_allows() -> None:
    """A process bound to some cores counts those, and at most eight."""
    assert cores.usable() == min(len(os.sched_getaffinity(0)), 8)


@pytest.mark.parametrize(
    "done",
    [
        pytest.param("cores.leave_to_lanes(); cores.leave_to_lanes()", id="asked for"),
        pytest.param(
            "engines.whisper_engine(TINY).read([numpy.zeros(16_000, numpy.float32)], [Hints('en')])",
            id="by an engine",
            marks=pytest.mark.integration,
        ),
    ],
)
def test_numpy_begins_no_threads_beside_the_lanes(done: str) -> None:
    """A matrix product is computed where it is asked for, whatever numpy's library had taken for itself."""
    code = (
        "import numpy\n"
        "from threadpoolctl import threadpool_info\n"
        "from standup.settings import WhisperSettings\n"
        "from standup.transcribe import Hints, cores, engines\n"
        "TINY = WhisperSettings(model='tiny.en', device='cpu', language='auto')\n"
        f"{done}\n"
        "print({one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas'})\n"
    )
    asked = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OPENBLAS_NUM_THREADS": "2"}
    ran = subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, text=True, timeout=60)

    assert ran.stdout.strip() == "{1}", ran.stderr
