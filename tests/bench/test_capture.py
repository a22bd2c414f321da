"""The capture benchmark measures the real path and refuses void runs."""

from __future__ import annotations

import pytest

from standup.bench.capture import CaptureFigures, run


def test_figures_are_arithmetic() -> None:
    """Percent of a core is CPU per packet at 50 packets a second; the ratio is ours over the sink's."""
    figures = CaptureFigures(4, 60.0, 12_000, 12_000, receive_us=25.0, sink_us=250.0)

    assert (figures.core_percent, figures.sink_core_percent, figures.ratio) == (0.125, 1.25, 0.1)
    assert figures.is_within_target


@pytest.mark.parametrize(("receive_us", "expected"), [(100.0, True), (100.1, False)])
def test_the_target_is_half_a_percent(receive_us: float, expected: bool) -> None:
    """100 microseconds a packet are exactly 0.5 percent of a core per speaker."""
    assert CaptureFigures(1, 1.0, 50, 50, receive_us, 300.0).is_within_target is expected


@pytest.mark.parametrize(("speakers", "seconds"), [(0, 1.0), (1, 0.0)])
def test_nothing_to_measure_is_refused(speakers: int, seconds: float) -> None:
    """A run without a packet is refused."""
    with pytest.raises(ValueError, match="needs a speaker and 20 ms"):
        run(speakers, seconds)


@pytest.mark.integration
@pytest.mark.alone
def test_a_short_run() -> None:
    """Two speakers for five seconds: every packet is recorded, cheaper than decoding it."""
    figures = run(2, 5.0)

    assert (figures.packets, figures.recorded) == (500, 500)
    assert figures.ratio < 1
