"""Names as they are heard."""

from __future__ import annotations

import pytest

from standup.meeting import Participant
from standup.summarize.names import Roster

ROSTER = Roster(
    [
        Participant("1", "Ana"),
        Participant("2", "Ben Carter"),
        Participant("3", "cy_dev42"),
        Participant("4", "Szymon"),
        Participant("5", "Jo Carter"),
        Participant("6", "🦊"),
    ]
)


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        pytest.param("Ana", "1", id="exact"),
        pytest.param("ana's", "1", id="possessive, lower case"),
        pytest.param("Anna", "1", id="doubled letter"),
        pytest.param("Annah", "1", id="silent letter"),
        pytest.param("Benn", "2", id="first name"),
        pytest.param("Sy", "3", id="sounds alike"),
        pytest.param("Cy", "3", id="part of a handle"),
        pytest.param("Szimon", "4", id="like-sounding vowel"),
        pytest.param("Szymen", "4", id="one letter off"),
        pytest.param("Symphony", None, id="too many letters off"),
        pytest.param("Carter", None, id="two people"),
        pytest.param("Dave", None, id="nobody here"),
        pytest.param("then", None, id="a common word"),
        pytest.param("Bob", None, id="another short name"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_find(spoken: str, expected: str | None) -> None:
    """A name is found by its sound, and never guessed between two people."""
    assert expected == ROSTER.find(spoken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("send Ben the logs", "2", id="capital"),
        pytest.param("send ben the logs", "2", id="no capitals at all"),
        pytest.param("send Dave the logs", None, id="nobody here"),
        pytest.param("the ben nevis trip to Rome", None, id="lower case among capitals"),
    ],
)
def test_mentioned(text: str, expected: str | None) -> None:
    """Somebody is mentioned where the text writes a name as a name."""
    assert expected == ROSTER.mentioned(text)
