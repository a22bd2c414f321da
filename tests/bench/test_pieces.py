"""Pieces of recognised speech."""

from __future__ import annotations

import pytest

from standup.bench.pieces import Piece, attributed, joined
from standup.transcript import Utterance

SAID = (
    Utterance("u0", "a", 1000, 3000),
    Utterance("u1", "b", 3000, 5000),
    Utterance("u2", "a", 9000, 11_000),
)


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        pytest.param(Piece("a", 1000, 1200, " x"), "u0", id="within"),
        pytest.param(Piece("a", 3500, 4500, " x"), "u0", id="beside somebody else's"),
        pytest.param(Piece("a", 2000, 10_100, " x"), "u2", id="by its middle"),
        pytest.param(Piece("a", 5900, 6100, " x"), "u0", id="the first of two equally near"),
        pytest.param(Piece("c", 1000, 1200, " x"), None, id="of nobody known"),
    ],
)
def test_a_piece_belongs_to_the_nearest_utterance_of_its_speaker(piece: Piece, expected: str | None) -> None:
    """Whoever else speaks there."""
    found = attributed(SAID, [piece])

    assert {name for name, own in found.items() if own} == ({expected} if expected else set())
    assert list(found) == ["u0", "u1", "u2"]


def test_pieces_are_joined_as_they_were_written() -> None:
    """A piece without a leading space goes on with the word before; speakers are kept apart."""
    pieces = [
        Piece("b", 0, 1, " up"),
        Piece("a", 0, 1, " hi"),
        Piece("b", 2, 3, "-to"),
        Piece("b", 3, 4, " date"),
    ]

    assert joined(pieces) == {"a": "hi", "b": "up-to date"}
