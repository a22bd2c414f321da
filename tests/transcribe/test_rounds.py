"""Rounds are cut from the stream of clips, and fetched while another is read."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.transcribe.clips import Clip, Skipped
from standup.transcribe.rounds import Round, ahead, round_ms, rounds
from standup.transcribe.windows import Span
from tests.transcribe.conftest import ScriptedEngine

LENGTHS_MS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4_000)), max_size=30)


def stream(lengths_ms: list[tuple[int, int]]) -> Iterator[Clip | Skipped]:
    """Yield a span per entry; entries of one number in a row are of one utterance, every third is silent."""
    at_ms = utterance = 0
    before = None
    for place, (number, length_ms) in enumerate(lengths_ms):
        utterance += number != before
        before = number
        span = Span(at_ms, at_ms + length_ms, "ana", f"u{utterance}")
        at_ms += length_ms
        silent = place % 3 == 2
        yield Skipped(span, "no-speech") if silent else Clip(span, np.zeros(0, dtype=np.float32))


@given(LENGTHS_MS, st.integers(0, 5_000))
def test_every_span_is_in_one_round_and_every_utterance_ends_in_one(
    lengths_ms: list[tuple[int, int]], limit_ms: int
) -> None:
    """Nothing is lost or doubled, and an utterance ends in the round that holds its last span."""
    given_spans = [one.span for one in stream(lengths_ms)]
    made = list(rounds(stream(lengths_ms), limit_ms))
    spans = [[*one.clips, *(skipped.span for skipped in one.skipped)] for one in made]

    assert sorted(span for row in spans for span in row) == sorted(given_spans)
    last = {span.utterance: place for place, row in enumerate(spans) for span in row}
    assert last == {name: place for place, one in enumerate(made) for name in one.finished}


@pytest.mark.parametrize(
    ("lanes", "expected_ms"),
    [
        pytest.param(1, 160_000, id="a batch for the one lane of a GPU"),
        pytest.param(2, 160_000, id="half a batch for each of two"),
        pytest.param(3, 240_000, id="and of three"),
    ],
)
def test_a_round_is_a_batch_or_half_a_batch_for_each_lane(
    scripted: type[ScriptedEngine], lanes: int, expected_ms: int
) -> None:
    """Sixteen windows of ten seconds each."""
    assert round_ms(scripted(lanes=lanes, batch_windows=16)) == expected_ms


def test_the_next_round_is_fetched_while_the_last_is_worked_on() -> None:
    """Whoever takes a round finds that the next one is being fetched already."""
    fetched = threading.Event()

    def source() -> Iterator[Round]:
        yield Round(finished={"u1"})
        fetched.set()
        yield Round(finished={"u2"})

    with ahead(source()) as ready:
        first = next(ready)
        assert fetched.wait(30)
        assert [first.finished, *(one.finished for one in ready)] == [{"u1"}, {"u2"}]


def test_what_the_source_raises_comes_where_its_round_would_have() -> None:
    """A failure is no end: whoever takes the rounds sees it, after those that came before it."""

    def source() -> Iterator[Round]:
        yield Round(finished={"u1"})
        raise OSError("the disk is gone")

    with ahead(source()) as ready:
        assert next(ready).finished == {"u1"}
        with pytest.raises(OSError, match="gone"):
            next(ready)


def test_rounds_that_nobody_takes_end_the_thread() -> None:
    """Leaving early stops the fetching: no thread reads a closed file."""
    before = threading.active_count()
    endless = (Round(finished={"u1"}) for _ in iter(int, 1))
    with ahead(endless) as ready:
        next(ready)

    assert threading.active_count() == before
