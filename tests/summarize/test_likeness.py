"""How much two items are about one thing."""

from __future__ import annotations

import pytest

from standup.summarize.likeness import likeness, matter, share, stands


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param("Returns form", "The returns form's finished", 1.0, id="the shorter is in the longer"),
        pytest.param("Deploying the gateway", "Gateway deployed", 1.0, id="endings do not matter"),
        pytest.param("nightly bench marks", "Nightly benchmarks", 1.0, id="a word cut in two"),
        pytest.param("Forecast for donuts", "the doughnuts forecast", 1.0, id="bent letters"),
        pytest.param("Review PR-412", "Merged PR-413", 1 / 8, id="another identifier, another thing"),
        pytest.param("Ticket 412 login", "ticket 412 logout", 0.75, id="a figure weighs two words"),
        pytest.param("Login page", "Payment service", 0.0, id="nothing in common"),
        pytest.param("I will do it today", "Login page", 0.0, id="grammar alone"),
        pytest.param("", "Login page", 0.0, id="no words"),
    ],
)
def test_likeness(one: str, other: str, expected: float) -> None:
    """It is the part of the shorter that the longer has, whichever comes first."""
    assert expected == pytest.approx(likeness(matter(one), matter(other)))
    assert expected == pytest.approx(likeness(matter(other), matter(one)))


def test_share_has_a_direction() -> None:
    """Much of a little may be little of much."""
    little, much = matter("login"), matter("login page of the payment service")
    assert (1.0, 0.25) == (share(little, much), share(much, little))


@pytest.mark.parametrize(("stem", "text"), [("test", "text"), ("repo", "report"), ("v2", "v3")])
def test_short_words_and_figures_are_not_bent(stem: str, text: str) -> None:
    """What a letter turns into another word is that other word."""
    assert not stands(stem, matter(text))
