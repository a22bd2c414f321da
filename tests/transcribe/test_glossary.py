"""What a recognizer is told before it listens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.transcribe.glossary import BUDGET_TOKENS, MOST_TERMS, prompt, spoken_of


@pytest.mark.parametrize(
    ("display_name", "called"),
    [
        ("Ana", "Ana"),
        ("ana", "Ana"),
        ("𝓐𝓷𝓪 | Backend 🚀", "Ana"),
        ("✨Zoë✨ (she/her)", "Zoë"),
        ("[EU] cy_dev42", "Cy Dev"),
        ("Szymon K.", "Szymon"),
        ("Jean-Luc O’Neil", "Jean-Luc O’Neil"),
        ("Ana Maria de la Cruz", "Ana Maria De"),
        ("प्रिया", "प्रिया"),
        ("田中", "田中"),
        ("J", "J"),
        ("A̷n̷a̷", "Ana"),
        ("❤️‍🔥", ""),
        ("Participant 0042", ""),
        ("1234", ""),
    ],
)
def test_a_display_name_is_told_as_it_is_said(display_name: str, called: str) -> None:
    """Decoration, remarks and numbers go; somebody without a name is not told."""
    assert prompt([display_name]) == (f"{called}." if called else "")


def test_the_order_of_importance() -> None:
    """People, the server's words, the channel, then what earlier notes spoke of."""
    notes = ["Moved the board to Grafana", "The Grafana board is up"]
    assert prompt(["Ana"], ["Keycloak"], "daily-checkout", notes) == "Ana, Keycloak, checkout, Grafana."


def test_the_header_is_for_english() -> None:
    """A list has no language; words before it would."""
    assert [prompt(["Ana"], language=one) for one in ("en", "de", "auto")] == [
        "Names and terms: Ana.",
        "Ana.",
        "Ana.",
    ]


def test_nothing_to_tell() -> None:
    """Without a name or term there is no prompt, not an empty list."""
    assert prompt([], ["#"], "general", ["nothing to see"], "en") == ""


def test_each_once() -> None:
    """A term is told as it was first written."""
    assert prompt(["Ana", "ANA"], ["grafana", "Grafana", "ana"]) == "Ana, grafana."


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        pytest.param(["Moved to Grafana", "Back to Grafana."], ["Grafana"], id="a capital within"),
        pytest.param(["Grafana moved", "Grafana is up"], [], id="a capital at the beginning says nothing"),
        pytest.param(
            ["RabbitMQ moved", "RabbitMQ is up", "the CI", "on CI"], ["RabbitMQ", "CI"], id="capitals"
        ),
        pytest.param(["Review OPS-12", "OPS-12 is open", "see #205", "#205"], ["OPS-12", "#205"], id="ids"),
        pytest.param(["Moved to Grafana"], [], id="said once"),
        pytest.param(["Today I'm on it, on Monday", "so I'm back on Monday"], [], id="ordinary capitals"),
        pytest.param(["Asked. Then left", "Waited: Then left"], [], id="a new sentence"),
        pytest.param(["ask Ana's team", "with Ana"], ["Ana"], id="possessive"),
        pytest.param(
            ["x Loki", "x Loki", "x Okta", "y Okta", "z Okta"], ["Okta", "Loki"], id="most frequent first"
        ),
    ],
)
def test_what_notes_spoke_of(notes: list[str], expected: list[str]) -> None:
    """Names, terms and ids of at least two items, never ordinary words."""
    assert expected == spoken_of(notes)


def test_a_misheard_term_is_not_told_again() -> None:
    """What notes have beside the right spelling of the server would be repeated for ever."""
    notes = ["Moved to Graphana and Loki"] * 2
    assert prompt(["Ana"], ["Grafana"], notes=notes) == "Ana, Grafana, Loki."


def test_the_least_important_are_left_out() -> None:
    """A long list ends where the bound is, and the first are in it."""
    told = prompt([], [f"t{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)])
    assert told.startswith("taa, tab,")
    assert told.count(",") + 1 == MOST_TERMS


@given(
    st.lists(st.text(max_size=40), max_size=50),
    st.lists(st.text(st.characters(categories=["L", "N"]), max_size=32), max_size=50),
    st.text(max_size=30),
    st.lists(st.text(max_size=60), max_size=8),
)
def test_whatever_the_names(people: list[str], words: list[str], channel: str, notes: list[str]) -> None:
    """The text is bounded, the same for the same input, on one line, and no term is in it twice."""
    told = prompt(people, words, channel, notes, "en")
    terms = told.removeprefix("Names and terms: ").removesuffix(".").split(", ")

    assert told == prompt(people, words, channel, notes, "en")
    assert len(terms) <= MOST_TERMS
    assert len(told) <= 3 * BUDGET_TOKENS + len("Names and terms: ")
    assert len({one.casefold() for one in terms}) == len(terms)
    assert told.isprintable()
