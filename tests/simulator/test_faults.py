"""Faults decided from a seed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.simulator.faults import Faults, Impairment, PlannedFailure, make_impairment

any_faults = st.builds(
    Faults,
    loss=st.floats(0, 1),
    duplication=st.floats(0, 1),
    reordering=st.floats(0, 1),
    delay_ms=st.floats(0, 500),
    jitter_ms=st.floats(0, 200),
    padding=st.floats(0, 1),
)


def stream(faults: Faults, seed: int = 0) -> Impairment:
    """Make the impairment of one stream."""
    return make_impairment(faults, seed, receiver_ssrc=4002, ssrc=4001)


@given(any_faults, st.integers(), st.integers(1, 60))
def test_same_seed_same_fate(faults: Faults, seed: int, packets: int) -> None:
    """The same seed gives every packet the same fate."""
    one, other = stream(faults, seed), stream(faults, seed)

    assert [one.plan(20.0 * n) for n in range(packets)] == [other.plan(20.0 * n) for n in range(packets)]


@given(any_faults, st.integers())
def test_never_early(faults: Faults, seed: int) -> None:
    """No copy is due before its packet came and its delay passed, and there are two at most."""
    impairment = stream(faults, seed)
    for number in range(50):
        due = impairment.plan(20.0 * number)

        assert len(due) <= 2
        assert all(one >= 20.0 * number + faults.delay_ms for one in due)


@given(st.floats(0, 200), st.integers())
def test_jitter_keeps_order(jitter_ms: float, seed: int) -> None:
    """Jitter alone changes no order."""
    impairment = stream(Faults(jitter_ms=jitter_ms), seed)
    due = [impairment.plan(20.0 * number)[0] for number in range(50)]

    assert due == sorted(due)


def test_kind_by_default() -> None:
    """Without faults every packet is due at once."""
    assert [stream(Faults()).plan(20.0 * number) for number in range(3)] == [(0.0,), (20.0,), (40.0,)]


@pytest.mark.parametrize(
    ("faults", "lost", "doubled"),
    [
        pytest.param(Faults(loss=0.1), 100, 0, id="loss"),
        pytest.param(Faults(duplication=0.05), 0, 50, id="duplication"),
    ],
)
def test_rates(faults: Faults, lost: int, doubled: int) -> None:
    """Over 1000 packets the rates are what was asked, within a third."""
    impairment = stream(faults, 7)
    counts = [len(impairment.plan(20.0 * number)) for number in range(1000)]

    assert counts.count(0) == pytest.approx(lost, rel=0.34)
    assert counts.count(2) == pytest.approx(doubled, rel=0.34)


def test_reordered_packet_is_overtaken() -> None:
    """A packet that is held back comes after the two behind it."""
    impairment = stream(Faults(reordering=0.2), 3)
    due = [impairment.plan(20.0 * number)[0] for number in range(40)]

    assert due != sorted(due)


@given(st.integers())
def test_padding_fits_one_byte(seed: int) -> None:
    """Padding counts its own length byte and stays below 256."""
    assert 1 <= stream(Faults(padding=1.0), seed).padding_bytes() <= 255
    assert stream(Faults(), seed).padding_bytes() == 0


@pytest.mark.parametrize(
    "changes",
    [{"loss": 1.1}, {"duplication": -0.1}, {"reordering": 2}, {"jitter_ms": -1}, {"rtcp_interval_s": -1}],
)
def test_refused_faults(changes: dict[str, Any]) -> None:
    """A probability beyond 1 and a negative time are refused."""
    with pytest.raises(ValueError, match=next(iter(changes))):
        Faults(**changes)


@pytest.mark.parametrize("changes", [{"status": 404}, {"status": 600}, {"times": 0}, {"retry_after_s": -1.0}])
def test_refused_failures(changes: dict[str, Any]) -> None:
    """REST fails with 429 or 5xx, at least once."""
    arguments: dict[str, Any] = {"route": "GET /gateway", "status": 502, "times": 1, **changes}

    with pytest.raises(ValueError, match=r"fails|failure"):
        PlannedFailure(**arguments)
