"""Words read early go to the same stretch of speech in the final list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.early import EDGE_MS, early, is_early, take_over
from standup.transcript import Outcome, Utterance

FINAL = Utterance("u0001", "ana", 1_000, 4_000)


@pytest.mark.parametrize(
    ("known", "text"),
    [
        pytest.param(early("ana", 1_000, 4_000).heard("Hello."), "Hello.", id="the same place"),
        pytest.param(early("ana", 1_000 + EDGE_MS, 4_000 - EDGE_MS).heard("Hi."), "Hi.", id="moved a little"),
        pytest.param(early("ana", 1_000 - EDGE_MS - 1, 4_000).heard("No."), "", id="begins elsewhere"),
        pytest.param(early("ana", 1_000, 4_001 + EDGE_MS).heard("No."), "", id="was cut"),
        pytest.param(early("bo", 1_000, 4_000).heard("No."), "", id="somebody else"),
        pytest.param(early("ana", 1_000, 4_000).failed("track-damaged"), "", id="could not be read"),
        pytest.param(Utterance("u0009", "ana", 1_000, 4_000).heard("No."), "", id="of an earlier run"),
    ],
)
def test_only_the_same_stretch_is_taken_over(known: Utterance, text: str) -> None:
    """The words follow speaker and place; whatever does not fit is left to be read."""
    (taken,) = take_over([FINAL], [known])

    assert (taken.id, taken.start_ms, taken.end_ms, taken.text) == ("u0001", 1_000, 4_000, text)


def test_verified_silence_is_not_read_again() -> None:
    """What was no speech then is none now."""
    (taken,) = take_over([FINAL], [early("ana", 1_000, 4_000).silent("no-speech")])

    assert (taken.outcome, taken.reason) == (Outcome.SILENCE, "no-speech")


SPANS = st.lists(
    st.tuples(st.sampled_from(["ana", "bo"]), st.integers(0, 3_000), st.integers(1, 2_000)), max_size=12
)


@given(SPANS, SPANS)
def test_no_words_are_doubled_and_no_utterance_is_lost(
    final: list[tuple[str, int, int]], before: list[tuple[str, int, int]]
) -> None:
    """Every final utterance comes back in its order, and each early one serves at most one of them."""
    utterances = [
        Utterance(f"u{number:04}", who, start, start + length)
        for number, (who, start, length) in enumerate(final)
    ]
    known = [
        early(who, start, start + length).heard(f"words {number}")
        for number, (who, start, length) in enumerate(before)
    ]
    taken = take_over(utterances, known)
    texts = [one.text for one in taken if one.text]

    assert [one.id for one in taken] == [one.id for one in utterances]
    assert len(texts) == len(set(texts))
    assert not any(map(is_early, taken))
