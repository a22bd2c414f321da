"""The cores of this machine, and what is kept from taking them.

On a CPU every core runs a lane of its own. numpy's matrix products, which turn sound into features, would begin one
thread more per core, and OpenBLAS lets such threads wait in a loop: with two lanes on two cores 6 % of the samples of
a profile were theirs, and each product waited until one of them had found a core.
"""

from __future__ import annotations

import os

from threadpoolctl import threadpool_limits

_MOST_LANES = 8


def usable() -> int:
    """Return how many cores this process may use, within reason: each lane needs memory of its own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_LANES)


def leave_to_lanes() -> None:
    """Have numpy compute in the thread that asks, in this process and for good; again is as good as once."""
    threadpool_limits(1, user_api="blas")
