"""Words read while people still talk: how they are kept, and how the final utterances take them over.

Pure. While a meeting is recorded, its utterances come from the part of the journal that is there, and their ids begin
with ``early-``. When the whole journal is captured, an utterance of the same speaker at the same place takes the words
over. The place may differ by the little by which packets that came later move their neighbours; whatever fits nowhere
is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from standup.transcript import Outcome, Utterance

PREFIX = "early-"
EDGE_MS = 100
"""How far the edges of the same utterance may lie apart."""


def early(speaker: str, start_ms: int, end_ms: int) -> Utterance:
    """Return an utterance that is not read yet, under the id that its speaker and start give it."""
    return Utterance(f"{PREFIX}{speaker}-{start_ms}", speaker, start_ms, end_ms)


def is_early(utterance: Utterance) -> bool:
    """Return whether *utterance* was found while people still talked."""
    return utterance.id.startswith(PREFIX)


def is_same(one: Utterance, other: Utterance) -> bool:
    """Return whether both are the same stretch of speech."""
    return (
        one.speaker == other.speaker
        and abs(one.start_ms - other.start_ms) <= EDGE_MS
        and abs(one.end_ms - other.end_ms) <= EDGE_MS
    )


def take_over(utterances: Sequence[Utterance], known: Iterable[Utterance]) -> tuple[Utterance, ...]:
    """Return *utterances*, those that were read early with their words or their silence.

    Ids and times stay. An early utterance serves one at most; what could not be read then is left to be read again.
    """
    waiting = [one for one in known if is_early(one) and one.outcome in (Outcome.TEXT, Outcome.SILENCE)]
    waiting.sort(key=lambda one: one.start_ms)  # as the utterances are: what is looked for stands in front
    taken: list[Utterance] = []
    for one in utterances:
        found = next((other for other in waiting if is_same(one, other)), None)
        if found is None:
            taken.append(one)
        else:
            waiting.remove(found)
            taken.append(replace(one, text=found.text, outcome=found.outcome, reason=found.reason))
    return tuple(taken)
