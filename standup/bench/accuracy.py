"""How right recognised speech is: the words, and under whom and when they came. No I/O here.

Words are compared as Whisper's authors compare them: their English normalizer makes case, punctuation, contractions,
spelling and numbers alike on both sides, and drops "um".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from standup.bench.pieces import Piece, attributed
from standup.errors import ServiceMissing
from standup.transcript import Utterance

try:
    import jiwer
    from whisper_normalizer.english import EnglishTextNormalizer
except ImportError as cause:
    raise ServiceMissing("jiwer or whisper-normalizer is not installed; run `./setup.sh`.") from cause

MOST_WRONG = 0.5
"""The word error rate up to which an utterance's text counts as its own."""
_SHARE = 0.95

_plain = EnglishTextNormalizer()


@dataclass(frozen=True, slots=True)
class Placement:
    """How the words lie among the utterances."""

    word_error_rate: float
    """By utterance: a word that came under another utterance is wrong under both."""
    share: float
    """Of the utterances, how many have their text under them: no more than half of its words are wrong."""
    start_error_p95_ms: int | None
    """Between the beginning of an utterance and that of its first piece, 95 of 100 utterances stay within this; None
    when nothing was heard."""


def word_error_rate(spoken: Mapping[str, str], heard: Mapping[str, str]) -> float:
    """Return the word error rate over all texts, normalized.

    *spoken*, *heard*: speaker (or utterance id) -> text; what is not in *heard* counts as silent.
    """
    names = sorted(spoken)
    return float(
        jiwer.wer([_plain(spoken[one]) for one in names], [_plain(heard.get(one, "")) for one in names])
    )


def placed(utterances: Sequence[Utterance], pieces: Sequence[Piece]) -> Placement:
    """Return how *pieces* lie among the *utterances*, at least one, all of known text."""
    under = attributed(utterances, pieces)
    texts = {name: "".join(one.text for one in found) for name, found in under.items()}
    own = [one for one in utterances if word_error_rate({"": one.text}, {"": texts[one.id]}) <= MOST_WRONG]
    errors_ms = sorted(
        abs(min(piece.start_ms for piece in under[one.id]) - one.start_ms)
        for one in utterances
        if under[one.id]
    )
    return Placement(
        word_error_rate({one.id: one.text for one in utterances}, texts),
        len(own) / len(utterances),
        errors_ms[math.ceil(_SHARE * len(errors_ms)) - 1] if errors_ms else None,
    )
