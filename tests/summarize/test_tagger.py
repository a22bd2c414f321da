"""The weights: they mark, always the same, and take time in proportion to the words."""

from __future__ import annotations

from typing import Any

import numpy as np

from standup.summarize import tagger
from standup.summarize.marks import LABELS, Label
from standup.summarize.tagger import REMEMBERED, ROOM_TOKENS, Tagger
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


def long_talk(turns: int) -> tuple[Turn, ...]:
    """Turns that all say something else."""
    return tuple(
        Turn("1", ((f"Yesterday I closed ticket {number}.", f"u{number}"),)) for number in range(turns)
    )


def test_a_long_meeting_is_read_in_passages() -> None:
    """Twice the words are twice the passages, and none is larger than the weights have room for."""
    counts = []
    for turns in (200, 400):
        session = Counting()
        list(Tagger(session, tagger.load()._tokenizer).mark(long_talk(turns), NAMES))
        counts.append(len(session.sizes))
        assert max(session.sizes) <= ROOM_TOKENS

    assert 1.9 < counts[1] / counts[0] < 2.1


def test_what_was_skimmed_is_not_read_again() -> None:
    """Of a meeting that was looked through while it ran, only the end is left to read; the marks are the same."""
    whole = long_talk(200)
    fresh, ahead = (Tagger(Counting(), tagger.load()._tokenizer) for _ in range(2))
    expected = list(fresh.mark(whole, NAMES))
    for said in range(0, 200, 10):
        ahead.skim(whole[:said], NAMES)
    before = len(ahead._session.sizes)

    assert expected == list(ahead.mark(whole, NAMES))
    assert len(ahead._session.sizes) - before <= 2 < len(fresh._session.sizes)
    assert len(ahead._session.sizes) == len(fresh._session.sizes)


def test_little_is_remembered() -> None:
    """However much is read, the outputs of so many passages are kept and no more, and none of the words."""
    made = Tagger(Counting(), tagger.load()._tokenizer)
    for number in range(REMEMBERED + 5):
        list(made.mark((Turn("1", ((f"Ticket {number}.", "u1"),)),), NAMES))

    assert len(made._remembered) == REMEMBERED
    assert {len(key) for key in made._remembered} == {64}


def test_nothing_said() -> None:
    """Without turns there are no marks."""
    assert [] == list(tagger.load().mark((), NAMES))
