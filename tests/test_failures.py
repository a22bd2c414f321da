"""What an exit code means, what is done about it, and when somebody is told."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.failures import (
    HOUR_S,
    LOWEST_PROFILE,
    MODES,
    OTHER,
    QUIET_MS,
    Measure,
    Recovery,
    Threshold,
    breaches,
    documented,
    eased,
    failures_markdown,
    hold_back_s,
    measure_after,
    mode_of,
    recovery_of,
    sentence,
)

MINUTE_MS = 60_000
NOW = 1_800_000_000_000
PROFILE, DEBUG = Recovery.SMALLER_PROFILE, Recovery.DEBUG


@pytest.mark.parametrize(
    ("code", "recovery", "alert"),
    [
        (139, Recovery.RESTART, Threshold(3, HOUR_S)),
        (137, Recovery.SMALLER_PROFILE, Threshold(2, HOUR_S)),
        (255, Recovery.DEBUG, Threshold(1, HOUR_S)),
        (134, Recovery.RESTART, Threshold(3, HOUR_S)),
        (143, Recovery.NONE, None),
        (130, Recovery.NONE, None),
        (0, Recovery.NONE, None),
        (77, Recovery.RESTART, Threshold(3, HOUR_S)),
    ],
)
def test_the_table_is_the_documented_one(code: int, recovery: Recovery, alert: Threshold | None) -> None:
    """Each documented code has its recovery and its threshold; a code nobody foresaw is treated as a crash."""
    assert (recovery, alert) == (mode_of(code).recovery, mode_of(code).alert)


@pytest.mark.parametrize(("python", "shell"), [(-11, 139), (-9, 137), (-6, 134), (-15, 143), (-2, 130)])
def test_both_spellings_are_one_code(python: int, shell: int) -> None:
    """Python's -N and the shell's 128 + N find the same row."""
    assert documented(python) == shell
    assert mode_of(python) is mode_of(shell) is MODES[shell]


@pytest.mark.parametrize("mode", [*MODES.values(), OTHER], ids=lambda mode: str(mode.code))
def test_every_failure_has_a_cure(mode: object) -> None:
    """Whatever is told names the next step; whatever was asked for is never told."""
    assert mode.is_failure == bool(mode.cure)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("minutes", "threshold", "expected"),
    [
        pytest.param([], Threshold(1), [], id="nothing happened"),
        pytest.param([0, 10], Threshold(3), [], id="too few"),
        pytest.param([0, 30, 61], Threshold(3), [], id="three, but not within an hour"),
        pytest.param([0, 30, 59], Threshold(3), [59], id="three within an hour"),
        pytest.param([0, 1, 2, 3, 4, 5], Threshold(3), [2], id="a crash loop is one breach"),
        pytest.param([0, 25, 50, 75, 100, 125], Threshold(3), [50], id="a slow loop is one breach"),
        pytest.param([0, 1, 2, 62, 63, 64], Threshold(3), [2, 64], id="a quiet hour ends a breach"),
        pytest.param([0, 1, 2, 61.9], Threshold(3), [2], id="not quite an hour does not"),
        pytest.param([0, 5, 70], Threshold(1), [0, 70], id="immediately, and again after a quiet hour"),
        pytest.param([59, 0, 30], Threshold(3), [59], id="in any order"),
    ],
)
def test_breaches(minutes: list[float], threshold: Threshold, expected: list[float]) -> None:
    """A breach begins with the failure that makes up the count, and lasts until a quiet window."""
    began = breaches([int(one * MINUTE_MS) for one in minutes], threshold)
    assert began == tuple(int(one * MINUTE_MS) for one in expected)


@given(st.lists(st.integers(0, 10**8), max_size=30), st.integers(1, 5))
def test_a_breach_needs_its_count_and_is_told_once(times_ms: list[int], count: int) -> None:
    """Every breach has the count behind it, and two breaches have a quiet window between them."""
    threshold = Threshold(count)
    window_ms = threshold.window_s * 1000
    began = breaches(times_ms, threshold)
    ordered = sorted(times_ms)
    for at_ms in began:
        assert sum(at_ms - window_ms < one <= at_ms for one in ordered) >= count
    for first, second in itertools.pairwise(began):
        between = [one for one in ordered if first <= one <= second]
        assert any(later - earlier >= window_ms for earlier, later in itertools.pairwise(between))


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=30), st.integers(1, 5))
def test_no_crowd_of_failures_goes_untold(times_ms: list[int], count: int) -> None:
    """When any hour holds the count, there is a breach."""
    window_ms = HOUR_S * 1000
    crowds = any(sum(at_ms - window_ms < one <= at_ms for one in times_ms) >= count for at_ms in times_ms)
    assert crowds == bool(breaches(times_ms, Threshold(count)))


@pytest.mark.parametrize(("count", "window_s"), [(0, 60), (1, 0)])
def test_a_threshold_counts_something(count: int, window_s: int) -> None:
    """A threshold that every moment breaches, or none, is refused."""
    with pytest.raises(ValueError, match="at least one"):
        Threshold(count, window_s)


@pytest.mark.parametrize(
    ("before", "program", "code", "expected"),
    [
        pytest.param(None, "worker-gpu", 139, None, id="a crash: an ordinary start"),
        pytest.param(None, "worker-gpu", 137, Measure("worker-gpu", PROFILE, 1, NOW), id="one rung down"),
        pytest.param(
            Measure("worker-gpu", PROFILE, 2, 0),
            "worker-gpu", 137, Measure("worker-gpu", PROFILE, 3, NOW), id="another rung down",
        ),
        pytest.param(
            Measure("worker-gpu", PROFILE, LOWEST_PROFILE, 0),
            "worker-gpu", 137, Measure("worker-gpu", PROFILE, LOWEST_PROFILE, NOW), id="the bottom",
        ),
        pytest.param(None, "recorder", 137, None, id="a program without a model has no profiles"),
        pytest.param(None, "recorder", 255, Measure("recorder", DEBUG, 1, NOW), id="debug mode"),
        pytest.param(
            Measure("recorder", DEBUG, 1, 0), "recorder", 255, Measure("recorder", DEBUG, 1, NOW), id="still debug mode"
        ),
        pytest.param(None, "recorder", 143, None, id="asked to stop"),
    ],
)  # fmt: skip
def test_measure_after(before: Measure | None, program: str, code: int, expected: Measure | None) -> None:
    """What the next start does differently follows from the code, the program and what is in force."""
    assert expected == measure_after(before, program, code, NOW)


@pytest.mark.parametrize(
    ("level", "quiet_ms", "expected"),
    [
        pytest.param(2, QUIET_MS - 1, (2, NOW), id="not yet a quiet day"),
        pytest.param(2, QUIET_MS, (1, NOW + QUIET_MS), id="one rung up"),
        pytest.param(1, QUIET_MS, None, id="the full profile again"),
        pytest.param(5, 2 * QUIET_MS + 7, (3, NOW + 2 * QUIET_MS), id="two days, two rungs"),
        pytest.param(2, 10 * QUIET_MS, None, id="a long absence"),
        pytest.param(2, -5, (2, NOW), id="a clock that was set back"),
    ],
)
def test_a_profile_climbs_back(level: int, quiet_ms: int, expected: tuple[int, int] | None) -> None:
    """Each quiet day is one rung up; the time left over counts for the next."""
    left = eased(Measure("worker-gpu", PROFILE, level, NOW), NOW + quiet_ms)
    assert expected == (left and (left.level, left.since_ms))


def test_the_debug_mode_ends_by_running_not_by_waiting() -> None:
    """A program that is down for a day has not run cleanly for an hour."""
    debug = Measure("recorder", DEBUG, 1, NOW)
    assert eased(debug, NOW + 10 * QUIET_MS) == debug


@pytest.mark.parametrize(
    ("deaths", "expected"), [(0, 0), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (10_000, 60)]
)
def test_a_crash_loop_slows_down(deaths: int, expected: float) -> None:
    """Each fast death doubles the wait, up to a minute."""
    assert hold_back_s(deaths) == expected


@pytest.mark.parametrize(
    ("program", "code", "count", "level", "words"),
    [
        pytest.param(
            "worker-gpu", -11, 3, None, ["139", "SIGSEGV", "3 times", "worker-gpu.out"], id="SIGSEGV"
        ),
        pytest.param("worker-gpu", 137, 2, 2, ["137", "2 times", "profile 2", "dmesg"], id="SIGKILL"),
        pytest.param("recorder", 137, 2, None, ["137", "started again", "dmesg"], id="SIGKILL of another"),
        pytest.param("recorder", 255, 1, 1, ["255", "debug mode", "errors.log"], id="exception"),
        pytest.param(
            "recorder", 78, 1, None, ["78", "doctor", "supervisorctl start recorder"], id="settings"
        ),
    ],
)
def test_the_operator_is_told(
    program: str, code: int, count: int, level: int | None, words: list[str]
) -> None:
    """The sentence names the program, the code, how often, what was done, and the next step."""
    measure = Measure(program, recovery_of(code, program), level, NOW) if level else None
    said = sentence(program, code, count, measure)
    assert said.startswith(f"{program} died with code ")
    assert [word for word in words if word not in said] == []
    assert "{" not in said


def test_the_markdown_shows_every_code() -> None:
    """The table of the documentation has a row for each code and one for all others."""
    rows = [line.split("|")[1].strip() for line in failures_markdown().splitlines()[2:]]
    assert rows == [*map(str, MODES), "other"]
