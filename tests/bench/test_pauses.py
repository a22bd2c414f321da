"""Annotated standups as a recorder hears them."""

from __future__ import annotations

import itertools
import json

from standup.bench.pauses import PAUSE_MS, paused
from standup.bench.standups import Standup, parse


def standup(*texts: str, previous: bool = False) -> Standup:
    """Return a standup of one person who says *texts*, ten seconds each, its gold citing all of them."""
    document = {
        "style": "plain",
        "source": "written",
        "meeting": {"id": "s"},
        "participants": [{"id": "p1", "name": "Ann"}],
        "utterances": [
            {
                "id": f"u{place}",
                "speaker": "p1",
                "start_ms": 20_000 * place,
                "end_ms": 20_000 * place + 10_000,
                "text": text,
            }
            for place, text in enumerate(texts)
        ],
        "gold": [
            {
                "person": "p1",
                "kind": "done",
                "phrases": ["it"],
                "evidence": [f"u{one}" for one in range(len(texts))],
            }
        ],
    }
    if not previous:
        return parse({"one": json.dumps(document)})[0]
    second = document | {
        "previous": "one",
        "continuity": [{"relation": "carried", "yesterday": 0, "today": 0}],
    }
    return parse({"one": json.dumps(document), "two": json.dumps(second)})[1]


def test_a_sentence_each() -> None:
    """Sentences become utterances one after the other, with pauses, within the time of the whole."""
    made = paused(standup("I fixed it. It was hard! Now?", "No stops here")).transcript.utterances

    assert [(one.id, one.text) for one in made] == [
        ("u0.1", "I fixed it."),
        ("u0.2", "It was hard!"),
        ("u0.3", "Now?"),
        ("u1.1", "No stops here"),
    ]
    assert (made[0].start_ms, made[3].start_ms, made[3].end_ms) == (0, 20_000, 30_000)
    assert [after.start_ms - one.end_ms for one, after in itertools.pairwise(made[:3])] == [PAUSE_MS] * 2
    assert made[2].end_ms <= 10_000


def test_gold_cites_every_sentence() -> None:
    """What an utterance showed, its sentences show; also in what became of yesterday's items."""
    made = paused(standup("I fixed it. Yes.", "And it works.", previous=True))
    cited = ("u0.1", "u0.2", "u1.1")
    assert [one.evidence for one in made.gold] == [cited]
    assert [one.today and one.today.evidence for one in made.continuity] == [cited]


def test_many_short_sentences() -> None:
    """Pauses never take more than half of the time."""
    made = paused(
        standup("A. B. C. D. E. F. G. H. I. J. K. L. M. N. O. P. Q. R. S. T.")
    ).transcript.utterances
    assert len(made) == 20
    assert sum(one.end_ms - one.start_ms for one in made) >= 4_900
    assert all(one.end_ms <= after.start_ms for one, after in itertools.pairwise(made))
