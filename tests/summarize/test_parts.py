"""A transcript as numbered lines, and those in parts: nothing is lost, everything fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.meeting import Participant
from standup.summarize.parts import CONTEXT_LINES, LEAST_TOKENS, Part, Script, halves, harmless, parts, tokens
from standup.transcript import Transcript, Utterance

SPEECH = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=700).filter(
    lambda one: bool(harmless(one))
)


def transcript(*said: str, names: tuple[str, ...] = ("Ana", "Ben")) -> Transcript:
    people = tuple(Participant(f"77{number}", name) for number, name in enumerate(names))
    spoken = (
        Utterance(f"u{number}", people[number % len(people)].id, number, number).heard(text)
        for number, text in enumerate(said)
    )
    return Transcript("m", people, tuple(spoken))


@given(st.lists(SPEECH, max_size=30), st.integers(LEAST_TOKENS, 600))
def test_nothing_is_left_out(said: list[str], budget_tokens: int) -> None:
    """Every letter of every utterance stands in exactly one part, in its order, and every part fits."""
    found = parts(transcript(*said), budget_tokens)
    shown: dict[int, str] = {}
    for part in found:
        assert part.tokens <= budget_tokens
        for line in part.lines:
            shown[line.number] = shown.get(line.number, "") + line.text
    expected = {number: harmless(one) for number, one in enumerate(said, 1)}
    assert {number: one.replace(" ", "") for number, one in expected.items()} == {
        number: one.replace(" ", "") for number, one in shown.items()
    }
    assert sorted(shown) == list(shown)


@given(st.lists(SPEECH, min_size=1, max_size=30), st.integers(LEAST_TOKENS, 600))
def test_each_part_shows_what_went_before(said: list[str], budget_tokens: int) -> None:
    """The context of a part are the last lines before it; the first part has none."""
    found = parts(transcript(*said), budget_tokens)
    lines = [line for part in found for line in part.lines]
    before = 0
    for part in found:
        assert tuple(lines[max(0, before - CONTEXT_LINES) : before]) == part.context
        before += len(part.lines)


@given(st.lists(SPEECH, min_size=2, max_size=20))
def test_halves_are_the_whole(said: list[str]) -> None:
    """Both halves have lines, and together those of the part."""
    whole = Part((), tuple(line for part in parts(transcript(*said), 5000) for line in part.lines))
    made = halves(whole)
    assert made is not None
    assert whole.lines == made[0].lines + made[1].lines
    assert all(one.lines for one in made)


def test_one_line_has_no_halves() -> None:
    """A single line cannot be asked about in less."""
    assert halves(parts(transcript("One thing."), 500)[0]) is None


def test_a_budget_for_nothing_is_refused() -> None:
    """A budget that holds no sentence is a mistake of the caller."""
    with pytest.raises(ValueError, match="at least"):
        parts(transcript("x"), LEAST_TOKENS - 1)


def test_silence_has_no_parts() -> None:
    """Nothing said, nothing to ask."""
    assert () == parts(transcript(), 500)


@pytest.mark.parametrize(
    ("called", "found"),
    [
        pytest.param("p2", "771", id="short name"),
        pytest.param("P1", "770", id="capital"),
        pytest.param("ana", "770", id="display name"),
        pytest.param("771", "771", id="id"),
        pytest.param("Cy", None, id="nobody"),
        pytest.param("Sam", None, id="two of a name"),
    ],
)
def test_whom_a_model_means(called: str, found: str | None) -> None:
    """A short name, an unshared display name or an id is one participant; everything else is nobody."""
    assert found == Script.of(transcript(names=("Ana", "Ben", "Sam", "sam"))).person(called)


def test_a_short_name_wins_over_a_display_name() -> None:
    """Somebody who calls himself p1 is not taken for the first person."""
    assert "770" == Script.of(transcript(names=("Ana", "p1"))).person("p1")


@given(st.text("ab <>[]|\n\r/", max_size=30))
def test_harmless_text_opens_nothing(text: str) -> None:
    """No line break and no bracket of a chat template is left."""
    assert not set("<>[]\n\r") & set(harmless(text))


@given(st.text(min_size=1, max_size=100))
def test_tokens_are_rather_too_many(text: str) -> None:
    """An estimate is at least a third of the letters, and every letter for other scripts."""
    assert len(text) / 3 <= tokens(text) <= len(text)
