"""Which language each speaker speaks."""

from __future__ import annotations

import pytest

from standup.transcribe import LanguageGuess
from standup.transcribe.languages import Languages


def test_a_sure_guess_stays_for_the_meeting() -> None:
    """A later guess does not move a speaker whose language is known."""
    languages = Languages()
    languages.hear("anna", LanguageGuess("de", 0.9), 5000)
    languages.hear("anna", LanguageGuess("en", 0.9), 9000)

    assert languages.of("anna") == "de"


@pytest.mark.parametrize(
    ("probability", "speech_ms"),
    [pytest.param(0.4, 9000, id="unsure"), pytest.param(0.9, 900, id="too little speech")],
)
def test_an_unsure_speaker_is_read_in_the_meetings_language(probability: float, speech_ms: int) -> None:
    """Somebody who only said "hm" speaks what the others speak."""
    languages = Languages()
    languages.hear("anna", LanguageGuess("de", 0.9), 5000)
    languages.hear("ben", LanguageGuess("cy", probability), speech_ms)

    assert languages.of("ben") == "de"


def test_without_any_sure_speaker_the_guess_counts() -> None:
    """A first word alone still has to be read in some language."""
    languages = Languages()
    languages.hear("ben", LanguageGuess("cy", 0.3), 900)

    assert languages.of("ben") == "cy"


def test_an_unsure_speaker_may_become_sure_later() -> None:
    """A language is pinned only once enough was heard."""
    languages = Languages()
    languages.hear("ben", LanguageGuess("cy", 0.3), 900)
    languages.hear("ben", LanguageGuess("en", 0.8), 4000)

    assert languages.pinned == {"ben": "en"}


def test_the_language_spoken_longest_is_the_meetings() -> None:
    """One speaker of another language does not decide for the unsure."""
    languages = Languages()
    for speaker, code, speech_ms in (("a", "en", 4000), ("b", "de", 9000), ("c", "en", 4000)):
        languages.hear(speaker, LanguageGuess(code, 0.9), speech_ms)
    languages.hear("d", LanguageGuess("fr", 0.1), 500)

    assert languages.all() == {"a": "en", "b": "de", "c": "en", "d": "de"}


def test_a_known_language_is_not_guessed() -> None:
    """What the operator or the model fixes stands against any guess."""
    languages = Languages()
    languages.fix("anna", "en")
    languages.hear("anna", LanguageGuess("de", 0.9), 9000)

    assert languages.of("anna") == "en"
