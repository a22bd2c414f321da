"""Annotated standups as a recorder hears them. Pure.

Their authors wrote one utterance a turn. Discord sends nothing while somebody breathes, and a pause of 300 ms ends an
utterance (`standup.capture.timeline`): what a person says in one go comes as several, and mostly a sentence each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from standup.bench.standups import Gold, Standup
from standup.transcript import Utterance

PAUSE_MS = 600
"""Between two sentences of one turn."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def paused(standup: Standup) -> Standup:
    """Return *standup* with an utterance per sentence, ``u7.1``, ``u7.2`` and so on, its gold citing all of a turn's.

    What is written without full stops stays as it is.
    """
    parts = {one.id: tuple(_parts(one)) for one in standup.transcript.utterances}
    ids = {whole: tuple(one.id for one in each) for whole, each in parts.items()}
    spoken = tuple(one for each in parts.values() for one in each)
    return replace(
        standup,
        transcript=replace(standup.transcript, utterances=spoken),
        gold=tuple(_cited(one, ids) for one in standup.gold),
        said={part: said for whole, said in standup.said.items() for part in ids[whole]},
        continuity=tuple(
            replace(one, today=one.today and _cited(one.today, ids)) for one in standup.continuity
        ),
    )


def _parts(utterance: Utterance) -> Iterator[Utterance]:
    """Return the sentences of an utterance; together they last as long as it did."""
    sentences = _SENTENCE_END.split(utterance.text)
    duration_ms = utterance.end_ms - utterance.start_ms
    pause_ms = min(PAUSE_MS, duration_ms // (2 * len(sentences)))
    spoken_ms = duration_ms - pause_ms * (len(sentences) - 1)
    characters = max(1, sum(map(len, sentences)))
    start_ms = utterance.start_ms
    for number, sentence in enumerate(sentences, start=1):
        end_ms = start_ms + spoken_ms * len(sentence) // characters
        yield replace(
            utterance, id=f"{utterance.id}.{number}", start_ms=start_ms, end_ms=end_ms, text=sentence
        )
        start_ms = end_ms + pause_ms


def _cited(gold: Gold, ids: Mapping[str, tuple[str, ...]]) -> Gold:
    return replace(gold, evidence=tuple(part for whole in gold.evidence for part in ids[whole]))
