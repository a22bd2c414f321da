"""The weights: they mark, always the same, and take time in proportion to the words."""

from __future__ import annotations

from typing import Any

import numpy as np

from standup.summarize import tagger
from standup.summarize.marks import LABELS, Label
from standup.summarize.tagger import ROOM_TOKENS, Tagger
from standup.summarize.turns import Turn

NAMES = {"1": "Ana", "2": "Ben"}
TURNS = (
    Turn(
        "1", (("Good morning. Yesterday I finished the login page, and today I will write the tests.", "u1"),)
    ),
    Turn("2", (("I'm blocked by the missing API keys.", "u2"),)),
)


class Counting:
    """A session that marks nothing and counts what it is asked."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def run(self, _: None, feeds: dict[str, Any]) -> list[Any]:
        """Return outputs of the right shape."""
        ids = feeds["ids"]
        self.sizes.append(ids.shape[1])
        return [np.zeros((*ids.shape, len(LABELS) + 2), dtype=np.float32)]


def test_marks() -> None:
    """Plain sentences are marked, each of its kind."""
    made = [
        (one.turn, one.label, TURNS[one.turn].text[one.start : one.end])
        for one in tagger.load().mark(TURNS, NAMES)
    ]

    assert [(0, Label.DONE), (0, Label.NEXT), (1, Label.BLOCKER)] == [one[:2] for one in made]
    assert "login page" in made[0][2]
    assert "API keys" in made[2][2]


def test_the_same_text_gives_the_same_marks() -> None:
    """Nothing is left to chance."""
    assert list(tagger.load().mark(TURNS, NAMES)) == list(tagger.load().mark(TURNS, NAMES))


def test_a_long_meeting_is_read_in_passages() -> None:
    """Twice the words are twice the passages, and none is larger than the weights have room for."""
    counts = []
    for times in (100, 200):
        session = Counting()
        list(Tagger(session, tagger.load()._tokenizer).mark(TURNS * times, NAMES))
        counts.append(len(session.sizes))
        assert max(session.sizes) <= ROOM_TOKENS

    assert 1.9 < counts[1] / counts[0] < 2.1


def test_nothing_said() -> None:
    """Without turns there are no marks."""
    assert [] == list(tagger.load().mark((), NAMES))
