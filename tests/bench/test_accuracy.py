"""How right recognised speech is."""

from __future__ import annotations

import pytest

from standup.bench.accuracy import Placement, placed, word_error_rate
from standup.bench.pieces import Piece
from standup.transcript import Utterance

SAID = (
    Utterance("u0", "a", 1000, 3000).heard("One two three four."),
    Utterance("u1", "b", 3000, 5000).heard("Five six seven eight."),
    Utterance("u2", "a", 9000, 11_000).heard("Nine ten eleven twelve."),
)


@pytest.mark.parametrize(
    ("spoken", "heard", "expected"),
    [
        pytest.param({"a": "Yes, it's done."}, {"a": "yes it is done"}, 0.0, id="case, commas, contractions"),
        pytest.param({"a": "Um, twenty one colours."}, {"a": "21 colors"}, 0.0, id="numbers, spelling, um"),
        pytest.param({"a": "red blue green grey"}, {"a": "red blue green"}, 0.25, id="a word missed"),
        pytest.param({"a": "red blue", "b": "green grey"}, {"a": "red blue"}, 0.5, id="a speaker missed"),
        pytest.param({"a": "red", "b": "blue"}, {"a": "blue", "b": "red"}, 1.0, id="the wrong speakers"),
    ],
)
def test_the_word_error_rate_is_over_all_speakers(
    spoken: dict[str, str], heard: dict[str, str], expected: float
) -> None:
    """Errors are counted speaker by speaker and pooled, however the words are written."""
    assert word_error_rate(spoken, heard) == expected


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param(
            [
                Piece("a", 1100, 2900, " one two three four"),
                Piece("b", 2950, 5000, " five six seven eight"),
                Piece("a", 9200, 11_000, " nine ten eleven twelve"),
            ],
            Placement(0.0, 1.0, 200),
            id="all right, the latest start counts",
        ),
        pytest.param(
            [
                Piece("a", 1000, 3000, " one two three four nine ten eleven twelve"),
                Piece("b", 3000, 5000, " five six seven eight"),
            ],
            Placement(8 / 12, 1 / 3, 0),
            id="the words of one under another are wrong under both",
        ),
        pytest.param([], Placement(1.0, 0.0, None), id="nothing heard"),
    ],
)
def test_words_are_placed_under_utterances(pieces: list[Piece], expected: Placement) -> None:
    """Words count under their utterance only, and starts are compared."""
    assert placed(SAID, pieces) == expected


def test_one_utterance_in_twenty_may_start_anywhere() -> None:
    """The start error is the 95th percentile."""
    said = [Utterance(f"u{n}", "a", 2000 * n, 2000 * n + 1000).heard("Hello.") for n in range(20)]
    late = [Piece("a", one.start_ms + 10 * n, one.end_ms, " hello") for n, one in enumerate(said)]

    assert placed(said, late).start_error_p95_ms == 180
