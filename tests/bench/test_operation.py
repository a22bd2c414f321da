"""The benchmark of running: figures, targets, and a real run."""

from __future__ import annotations

import dataclasses

import pytest

from standup.bench.operation import KILLED, Footprint, OperationFigures, run
from standup.supervision.programs import PROGRAMS

BARE = Footprint("bare", 2, 50.0, 0.5)
FIGURES = OperationFigures(
    running_s=5.0,
    ready_s=20.0,
    idle_s=30.0,
    load=0.5,
    programs=(Footprint("a", 1, 100.0, 1.5), Footprint("b", 2, 150.0, 0.5)),
    bare=BARE,
    bare_start_s=2.0,
    reactions_s={"a": 2.0},
)


def test_figures_are_sums_and_ratios() -> None:
    """All programs together, and how many of the peer that is."""
    assert (FIGURES.core_percent, FIGURES.resident_mb) == (2.0, 250.0)
    assert (FIGURES.times_bare_cpu, FIGURES.times_bare_memory) == (4.0, 5.0)


def test_a_peer_that_used_nothing_gives_no_ratio() -> None:
    """A window that is too short for the clock's ticks divides by nothing."""
    idle = dataclasses.replace(FIGURES, bare=dataclasses.replace(BARE, core_percent=0.0))
    assert idle.times_bare_cpu is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, (), id="all reached, each exactly"),
        pytest.param({"ready_s": 20.1}, ("the start took 20.1 s instead of 20 s",), id="start"),
        pytest.param(
            {"programs": (Footprint("a", 1, 1.0, 2.1),)},
            ("idling takes 2.10 % of a core instead of 2 %",),
            id="idle",
        ),
        pytest.param(
            {"reactions_s": {"a": 0.1, "b": 2.5}},
            ("a death was answered after 2.50 s instead of 2 s",),
            id="the slowest answer counts",
        ),
    ],
)
def test_missed_targets_are_named(changes: dict[str, object], expected: tuple[str, ...]) -> None:
    """Each target by its own clause."""
    assert dataclasses.replace(FIGURES, **changes).missed == expected  # type: ignore[arg-type]


@pytest.mark.integration
@pytest.mark.timeout(240)
@pytest.mark.usefixtures("unmeasured")
def test_a_short_run() -> None:
    """Every program is measured, and every death is told."""
    figures = run(2.0)

    assert {one.name for one in figures.programs} == {"supervisord", *PROGRAMS}
    assert all(one.resident_mb > 1 for one in (*figures.programs, figures.bare))
    assert 0 < figures.running_s < figures.ready_s
    assert set(figures.reactions_s) == set(KILLED)
