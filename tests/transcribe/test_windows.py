"""Packing speech into windows and bringing words back."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.transcribe import Word
from standup.transcribe.windows import GAP_MS, WINDOW_MS, Span, Window, assign, batch, cut_ms, pack


def spans_of(lengths: list[tuple[str, int, int]]) -> list[Span]:
    """Return one span per (speaker, pause before it, length), all on one clock."""
    at_ms, spans = 0, []
    for number, (speaker, pause_ms, length_ms) in enumerate(lengths):
        at_ms += pause_ms
        spans.append(Span(at_ms, at_ms + length_ms, speaker, f"u{number}"))
        at_ms += length_ms
    return spans


meetings = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 5000), st.integers(1, 20_000)), max_size=40
).map(spans_of)


@given(meetings)
def test_every_span_lands_in_exactly_one_window(spans: list[Span]) -> None:
    """Packing loses no speech and repeats none."""
    packed = [span for window in pack(spans) for span in window.spans]

    assert Counter(packed) == Counter(spans)


@given(meetings)
def test_windows_keep_to_the_limit(spans: list[Span]) -> None:
    """Only a span that is too long by itself makes a window longer than the limit."""
    assert all(one.duration_ms <= WINDOW_MS or len(one.spans) == 1 for one in pack(spans))


@given(meetings)
def test_spans_of_a_window_are_in_time_order(spans: list[Span]) -> None:
    """A window plays what a speaker said in the order it was said."""
    assert all(list(one.spans) == sorted(one.spans) for one in pack(spans))


@given(meetings, st.randoms())
def test_packing_does_not_depend_on_the_order_given(spans: list[Span], random: object) -> None:
    """The same speech gives the same windows, whatever order it comes in."""
    shuffled = sorted(spans, key=lambda _: random.random())  # type: ignore[attr-defined]

    assert pack(shuffled) == pack(spans)


def test_a_window_refuses_two_speakers() -> None:
    """Mixing speakers would cost accuracy and could put words into the wrong mouth."""
    with pytest.raises(ValueError, match="exactly one speaker"):
        Window((Span(0, 1, "a", "u0"), Span(2, 3, "b", "u1")))


def test_a_span_refuses_to_be_empty() -> None:
    """A span without length has no place in a window."""
    with pytest.raises(ValueError, match="start < end"):
        Span(5, 5, "a", "u0")


def test_short_utterances_share_a_window_with_gaps_between_them() -> None:
    """Three replies of a second are one window of four seconds."""
    (window,) = pack(spans_of([("a", 0, 1000), ("a", 9000, 1000), ("a", 9000, 1000)]))

    assert (window.offsets_ms, window.duration_ms) == ((0, 1500, 3000), 3000 + 2 * GAP_MS)


def test_the_windows_of_a_speaker_are_as_even_as_can_be() -> None:
    """Three utterances would fill a window to the brim; the fourth is not left alone behind them."""
    windows = pack(spans_of([("a", 0, length_ms) for length_ms in (5000, 5000, 4000, 5000)]))

    assert [one.duration_ms for one in windows] == [10_500, 9_500]


@given(meetings, st.integers(1, WINDOW_MS - 1))
def test_no_lower_limit_needs_as_few_windows(spans: list[Span], lower_by_ms: int) -> None:
    """A speaker's longest shared window could not be shorter without one window more."""
    for speaker in {span.speaker for span in spans}:
        own = [span for span in spans if span.speaker == speaker]
        windows = pack(own)
        longest_ms = max(one.duration_ms for one in windows)
        tighter = pack(own, max(1, longest_ms - lower_by_ms))

        assert len(tighter) > len(windows) or max(one.duration_ms for one in tighter) == longest_ms


def test_a_window_is_filled_to_the_last_millisecond() -> None:
    """Two spans that fit exactly share a window; one millisecond more parts them."""
    exact = [("a", 0, 7000), ("a", 0, WINDOW_MS - 7000 - GAP_MS)]
    longer = [*exact[:1], ("a", 0, WINDOW_MS - 7000 - GAP_MS + 1)]

    assert [len(pack(spans_of(one))) for one in (exact, longer)] == [1, 2]


@given(meetings, st.integers(1, 9), st.integers(1, 4))
def test_batches_hold_every_window_once_and_keep_their_width(
    spans: list[Span], width: int, lanes: int
) -> None:
    """Batching loses nothing and never exceeds the width the engine asked for."""
    windows = pack(spans)
    batches = batch(windows, width, lanes)

    assert Counter(one for row in batches for one in row) == Counter(windows)
    assert all(0 < len(row) <= width for row in batches)


@pytest.mark.parametrize(
    ("count", "width", "lanes", "sizes"),
    [
        pytest.param(0, 8, 2, [], id="nothing"),
        pytest.param(1, 8, 2, [1], id="one window uses one lane"),
        pytest.param(6, 8, 2, [3, 3], id="a short meeting is spread over the lanes"),
        pytest.param(17, 8, 2, [4, 4, 4, 5], id="a long one is cut evenly, as often for each lane"),
    ],
)
def test_batches_use_every_lane(count: int, width: int, lanes: int, sizes: list[int]) -> None:
    """No lane stays idle while another has several windows to read."""
    windows = [Window((Span(at * 20_000, at * 20_000 + 9000, "a", f"u{at}"),)) for at in range(count)]

    assert [len(row) for row in batch(windows, width, lanes)] == sizes


def test_batches_keep_similar_lengths_together_longest_first() -> None:
    """A batch is padded to its longest window, so a short one beside it would be wasted work."""
    windows = [Window((Span(0, length, "a", f"u{length}"),)) for length in (100, 9000, 200, 8000)]

    assert [[one.duration_ms for one in row] for row in batch(windows, 2, 1)] == [[9000, 8000], [200, 100]]


def test_a_batch_needs_a_width() -> None:
    """A width of zero is our own mistake."""
    with pytest.raises(ValueError, match="at least 1"):
        batch([Window((Span(0, 1, "a", "u0"),))], 0, 1)


@pytest.mark.parametrize(
    ("levels_db", "limit_ms", "expected"),
    [
        pytest.param([-20, -20, -20, -50, -20, -20], 600, 350, id="the only pause"),
        pytest.param([-90, -20, -20, -30, -20, -20], 600, 350, id="a pause in the first half is too early"),
        pytest.param([-20] * 10, 600, 550, id="even loudness is cut as late as may be"),
        pytest.param([-20] * 9 + [-90], 600, 550, id="nothing behind the limit counts"),
    ],
)
def test_long_speech_is_cut_at_its_quietest_moment(
    levels_db: list[float], limit_ms: int, expected: int
) -> None:
    """The cut lies in the second half of the limit, in the middle of the quietest 100 ms."""
    assert cut_ms(levels_db, limit_ms) == expected


def test_nothing_cannot_be_cut() -> None:
    """Speech without a level has no place for a cut."""
    with pytest.raises(ValueError, match="nothing to cut"):
        cut_ms([])


PAIR = Window((Span(1000, 2000, "a", "u0"), Span(60_000, 61_000, "a", "u1")))


@pytest.mark.parametrize(
    ("word", "utterance"),
    [
        pytest.param(Word("x", 0.2, 0.4), "u0", id="inside the first"),
        pytest.param(Word("x", 1.6, 1.9), "u1", id="inside the second"),
        pytest.param(Word("x", 1.05, 1.2), "u0", id="in the gap, nearer to the first"),
        pytest.param(Word("x", 1.3, 1.45), "u1", id="in the gap, nearer to the second"),
        pytest.param(Word("x", 0.95, 1.9), "u1", id="stretched back over the gap by the alignment"),
        pytest.param(Word("x", 0.0, 1.9), "u1", id="stretched back over a noise to the beginning"),
        pytest.param(Word("x", 0.0, 1.1), "u0", id="long, and ending in the gap"),
        pytest.param(Word("x", 9.0, 9.0), "u1", id="behind the end"),
        pytest.param(Word("x", 0.0, 0.0), "u0", id="without length at the very start"),
    ],
)
def test_a_word_belongs_where_it_overlaps_most_or_lies_nearest(word: Word, utterance: str) -> None:
    """Word times lead back to the utterance, also from the gap between two."""
    assert [span.utterance for span, words in assign(PAIR, [word]).items() if words] == [utterance]


words = st.lists(
    st.tuples(st.floats(0, 40, allow_nan=False), st.floats(0, 3, allow_nan=False)).map(
        lambda pair: Word("x", pair[0], pair[0] + pair[1])
    ),
    max_size=30,
)


@given(meetings.filter(bool), words)
def test_every_word_lands_once_and_with_its_speaker(spans: list[Span], heard: list[Word]) -> None:
    """Assigning loses no word, repeats none, and names every span of the window and no other."""
    window = pack(spans)[0]
    assigned = assign(window, heard)

    assert sorted(map(id, (word for row in assigned.values() for word in row))) == sorted(map(id, heard))
    assert tuple(assigned) == window.spans
