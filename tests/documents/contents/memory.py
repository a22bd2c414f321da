"""The memory profiles."""

from __future__ import annotations

from standup.transcribe.profiles import Profile, ladder
from tests.documents.contents.table import table


def profiles_table(gpu_model: str, cpu_model: str) -> str:
    """Return the ladder of one model on a GPU and of another on a CPU of two cores, rung by rung."""
    gpu = ladder(Profile(gpu_model, "cuda", "float16", batch_windows=16, lanes=1))
    cpu = ladder(Profile(cpu_model, "cpu", "int8", batch_windows=10, lanes=2))
    longest = max(len(gpu), len(cpu))
    return table(
        ("profile", f"`{gpu_model}` on a GPU", f"`{cpu_model}` on a CPU of two cores"),
        ((level, _shown(gpu, level), _shown(cpu, level)) for level in range(longest)),
    )


def _shown(rungs: tuple[Profile, ...], level: int) -> str:
    if level >= len(rungs):
        return ""
    one = rungs[level]
    at_once = f"{one.lanes} at a time" if one.lanes > 1 else "one at a time"
    return f"`{one.model}`, {one.compute_type}, {one.device}, batches of {one.batch_windows}, {at_once}"
