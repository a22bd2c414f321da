"""What an item speaks of where its own words do not say."""

from __future__ import annotations

import pytest

from standup.summarize.context import LONGEST_CHARACTERS, before, is_poor
from standup.summarize.turns import Turn


@pytest.mark.parametrize(
    ("text", "poor"),
    [
        pytest.param("Take it", True, id="points elsewhere"),
        pytest.param("Ring them up, Ana", True, id="a name says who"),
        pytest.param("Finished the login page", False, id="says it"),
        pytest.param("Mail it to the bank by noon", True, id="points elsewhere at its start"),
        pytest.param("Moved the archive of the shop to Oslo for it", False, id="says enough beside it"),
        pytest.param("Reviewed these settings", False, id="a pointer with its noun"),
        pytest.param("There are graphs", False, id="there is a thing"),
        pytest.param("Saw that there", True, id="there is a place"),
        pytest.param("That means tests", False, id="that is the sentence before"),
        pytest.param("Will do", True, id="nothing of its own"),
    ],
)
def test_poor(text: str, poor: bool) -> None:
    """A text is poor when one cannot tell from it what it is about."""
    assert poor == is_poor(text, {"ana"})


TURNS = (
    Turn("1", (("I drew the icons. Could someone", "u1"), ("pick one?", "u2"))),
    Turn("2", (("Yes, okay. I'll pick one.", "u3"),)),
)


@pytest.mark.parametrize(
    ("place", "start", "expected"),
    [
        pytest.param(1, 11, ("I drew the icons", ("u1",)), id="in another turn"),
        pytest.param(0, 18, ("I drew the icons", ("u1",)), id="in the same turn"),
        pytest.param(0, 0, ("", ()), id="nothing before"),
    ],
)
def test_before(place: int, start: int, expected: tuple[str, tuple[str, ...]]) -> None:
    """The nearest sentence with a word of its own is found, and where it was said."""
    assert expected == before(TURNS, place, start, set())


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        pytest.param(Turn("1", (("And the video?", "u1"),)), ("the video", ("u1",)), id="a prompt"),
        pytest.param(Turn("2", (("And the video?", "u1"),)), ("", ()), id="one's own words"),
        pytest.param(Turn("1", (("Wow!", "u1"),)), ("", ()), id="no question"),
        pytest.param(Turn("1", (("I sit here.", "u1"),)), ("", ()), id="a sentence"),
        pytest.param(
            Turn("1", (("The inner door leaked, and", "u1"),)), ("The inner door leaked", ("u1",)), id="and"
        ),
    ],
)
def test_few_words(first: Turn, expected: tuple[str, tuple[str, ...]]) -> None:
    """One word is enough where somebody else prompts with it; what only leads on is left away."""
    assert expected == before((first, Turn("2", (("I film it today.", "u2"),))), 1, 0, set())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("I asked for the screenshots.", "I asked for the screenshots", id="what they are"),
        pytest.param("Oh dear.", "They were sent to me for the French", id="nothing better"),
    ],
)
def test_of_others(said: str, expected: str) -> None:
    """A sentence about "them" says what another is about only where none before it does."""
    turns = (
        Turn("1", ((said, "u1"),)),
        Turn("2", (("They were sent to me for the French. I forward them.", "u2"),)),
    )
    assert expected == before(turns, 1, 37, set())[0]


def test_a_long_sentence_is_shortened() -> None:
    """Of a long sentence the end is kept, from a word on."""
    text, _ = before((Turn("1", (("word " * 100 + "end", "u1"), ("it", "u2"))),), 0, 504, set())
    assert text.startswith("… word")
    assert len(text) <= LONGEST_CHARACTERS + 2
