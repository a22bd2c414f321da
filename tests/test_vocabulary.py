"""What a server may say its people say."""

from __future__ import annotations

import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES

from standup.errors import InputRefused
from standup.vocabulary import LANGUAGES, parse_language, parse_tickets, parse_words


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("Grafana, Keycloak", ("Grafana", "Keycloak"), id="a list"),
        pytest.param(" Grafana ,, two  words,", ("Grafana", "two words"), id="blanks and empty parts"),
        pytest.param(
            "Grafana, Redis, grafana", ("Grafana", "Redis"), id="one twice: as it was first written"
        ),
        pytest.param("None", (), id="taken back"),
        pytest.param("None, Redis", ("None", "Redis"), id="a word like any other in a list"),
        pytest.param(
            ",".join(f"w{n}" for n in range(40)), tuple(f"w{n}" for n in range(40)), id="as many as may be"
        ),
        pytest.param("x" * 32, ("x" * 32,), id="as long as may be"),
    ],
)
def test_words(typed: str, expected: tuple[str, ...]) -> None:
    """Words come in the order they were typed, each once."""
    assert expected == parse_words(typed)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        pytest.param(
            ",".join(f"w{n}" for n in range(41)), "at most 40 project words, these are 41", id="too many"
        ),
        pytest.param("ok, " + "x" * 33, "word 2 is longer than 32", id="too long"),
        pytest.param("ok, se\ncret", "word 2 has characters that cannot be seen", id="a line break"),
        pytest.param("se\u202ecret", "word 1 has characters", id="turned round"),
        pytest.param("ok, \x00", "word 2 has characters", id="a control character alone"),
        pytest.param("ok, --", "word 2 has neither", id="no word"),
    ],
)
def test_words_that_are_refused(typed: str, told: str) -> None:
    """The sentence tells which word and why, and never the word, for it is logged."""
    with pytest.raises(InputRefused, match=told) as caught:
        parse_words(typed)
    assert "cret" not in str(caught.value)
    assert "xxx" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "expected"), [(" EN ", "en"), ("yue", "yue"), ("auto", "auto"), ("none", "")]
)
def test_a_language(typed: str, expected: str) -> None:
    """Codes in any case; ``none`` leaves it to the operator."""
    assert expected == parse_language(typed)


@pytest.mark.parametrize("typed", ["english", "xx", "", "klingon"])
def test_no_language(typed: str) -> None:
    """A code that Whisper does not know would fail every meeting; it is refused where it is typed."""
    with pytest.raises(InputRefused, match="en or de"):
        parse_language(typed)


def test_the_languages_are_whispers() -> None:
    """Every code that faster-whisper takes may be chosen, and no other."""
    assert frozenset(_LANGUAGE_CODES) == LANGUAGES


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("#", ("#",)), ("ops", ("OPS",)), ("OPS, #, ops", ("OPS", "#")), ("none", ())],
)
def test_tickets(typed: str, expected: tuple[str, ...]) -> None:
    """A number sign, keys in capitals, or several."""
    assert expected == parse_tickets(typed)


@pytest.mark.parametrize("typed", ["O", "OPS-", "1OPS", "##", "(.*)", "A" * 11, "A1,B1,C1,D1,E1,F1"])
def test_tickets_that_are_refused(typed: str) -> None:
    """What is no key is refused, and so are too many."""
    with pytest.raises(InputRefused):
        parse_tickets(typed)
