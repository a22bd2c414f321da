"""Pieces of recognised speech: when they were heard, and under which utterance they come. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from standup.transcript import Utterance


@dataclass(frozen=True, slots=True)
class Piece:
    """What was heard in one stretch of a speaker's track: a word, a segment or an utterance."""

    speaker: str
    start_ms: int
    end_ms: int
    text: str
    """Led by a space where a new word begins, so that pieces are joined by nothing."""


def joined(pieces: Sequence[Piece]) -> dict[str, str]:
    """Return speaker -> everything that was heard of them, in the order of *pieces*."""
    speakers = sorted({one.speaker for one in pieces})
    return {name: "".join(one.text for one in pieces if one.speaker == name).strip() for name in speakers}


def attributed(utterances: Sequence[Utterance], pieces: Sequence[Piece]) -> dict[str, list[Piece]]:
    """Return utterance id -> the pieces that belong to it, an empty list where none do.

    A piece belongs to the utterance of its speaker nearest to the piece's middle, the first of two equally near; pieces
    of somebody without utterances are left out.
    """
    under: dict[str, list[Piece]] = {one.id: [] for one in utterances}
    for piece in pieces:
        own = [one for one in utterances if one.speaker == piece.speaker]
        if own:
            under[min(own, key=lambda one: _distance_ms(one, piece)).id].append(piece)
    return under


def _distance_ms(utterance: Utterance, piece: Piece) -> float:
    middle_ms = (piece.start_ms + piece.end_ms) / 2
    return max(utterance.start_ms - middle_ms, middle_ms - utterance.end_ms, 0)
