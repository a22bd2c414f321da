"""What `standup doctor` asks of a machine."""

from __future__ import annotations

from standup.health import verdicts
from tests.documents.contents.table import table


def hardware_table() -> str:
    """Return what a machine must have to hold a meeting, and what the doctor finds doubtful."""
    oldest_cuda, least_capability = (
        ".".join(map(str, pair)) for pair in (verdicts.OLDEST_CUDA, verdicts.LEAST_CAPABILITY)
    )
    programs = _gib(verdicts.PROGRAMS_BYTES)
    rows = [
        ("processor", "SSE4.2 on x86; any on ARM", "—"),
        (
            "memory in all",
            f"{programs} and twice the speech model's weights",
            "less free than twice the speech model's weights",
        ),
        (
            "disk",
            f"{_gib(verdicts.DISK_STOPS_BYTES)} free",
            f"less than {_gib(verdicts.DISK_DOUBTFUL_BYTES)} free",
        ),
        (
            "GPU, which is optional",
            f"NVIDIA, a driver for CUDA {oldest_cuda}, compute capability {least_capability}",
            "no cuBLAS 12: the CPU transcribes",
        ),
    ]
    return table(("what", "needed", "doubtful"), rows)


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / verdicts.GIB:g} GiB"
