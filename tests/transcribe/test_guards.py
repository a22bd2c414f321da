"""What speech recognition may be believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.transcribe import Reading, Word, guards


def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of *text*, one a third of a second."""
    return tuple(Word(f" {one}", at / 3, at / 3 + 0.3) for at, one in enumerate(text.split()))


def reading_of(text: str, **doubts: float) -> Reading:
    """Return a confident reading of *text* but for *doubts*."""
    return Reading(words_of(text), **{"avg_logprob": -0.2, "no_speech_prob": 0.05, **doubts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("duration_ms", "levels_db", "reason"),
    [
        pytest.param(199, [-10.0], guards.TOO_SHORT, id="shorter than any word"),
        pytest.param(200, [-10.0], None, id="long enough"),
        pytest.param(2000, [-90.0, -61.0], guards.TOO_QUIET, id="noise floor"),
        pytest.param(2000, [-90.0, -59.0], None, id="one audible moment is enough"),
        pytest.param(2000, [], guards.TOO_QUIET, id="nothing captured"),
    ],
)
def test_audio_that_cannot_hold_a_word_is_not_read(
    duration_ms: int, levels_db: list[float], reason: str | None
) -> None:
    """Too short or too quiet is silence before any model is asked."""
    assert guards.silence_reason(duration_ms, levels_db) == reason


@pytest.mark.parametrize("text", ["Yes.", "No.", "Okay.", "Thank you.", "Bye.", "No blockers.", "Same here."])
@pytest.mark.parametrize("duration_ms", [300, 900, 2000])
def test_an_honest_short_reply_is_kept(text: str, duration_ms: int) -> None:
    """People say short things; only the engine's own doubt may drop them."""
    reading = reading_of(text)

    assert guards.drop_reason(reading, reading.words, duration_ms) is None


@pytest.mark.parametrize(
    ("text", "doubts", "duration_ms", "reason"),
    [
        pytest.param("", {}, 2000, guards.NO_WORDS, id="nothing"),
        pytest.param(". . .", {}, 2000, guards.NO_WORDS, id="punctuation only"),
        pytest.param(
            "I'm going to do that.",
            {"no_speech_prob": 0.7, "avg_logprob": -1.1},
            2000,
            guards.NO_SPEECH,
            id="the engine doubts itself twice",
        ),
        pytest.param("Yes.", {"no_speech_prob": 0.9}, 2000, None, id="one doubt is not enough"),
        pytest.param("Yes.", {"avg_logprob": -1.5}, 2000, None, id="nor is the other"),
        pytest.param("go on and " * 4, {}, 9000, guards.REPETITION, id="a loop"),
        pytest.param("so " * 6, {}, 9000, guards.REPETITION, id="a stutter"),
        pytest.param("no no no", {}, 2000, None, id="people do repeat themselves"),
        pytest.param("Thanks for watching!", {}, 800, guards.PHRASE, id="a known invention, short"),
        pytest.param(
            "Thank you for watching.", {"no_speech_prob": 0.4}, 3000, guards.PHRASE, id="and doubtful"
        ),
        pytest.param("Thanks for watching!", {}, 3000, None, id="said at length and clearly"),
        pytest.param("Subtitles by the community", {}, 900, guards.PHRASE, id="a credit line"),
        pytest.param("you", {}, 400, guards.PHRASE, id="the word for silence"),
        pytest.param("Thanks for watching the build.", {}, 3000, None, id="an honest sentence like it"),
    ],
)
def test_only_what_is_surely_invented_is_dropped(
    text: str, doubts: dict[str, float], duration_ms: int, reason: str | None
) -> None:
    """Each rule drops what it is for and nothing beside it."""
    reading = reading_of(text, **doubts)

    assert guards.drop_reason(reading, reading.words, duration_ms) == reason


@pytest.mark.parametrize(
    ("reading", "is_suspicious"),
    [
        pytest.param(reading_of("I finished the login page."), False, id="plain speech"),
        pytest.param(reading_of("Yes.", avg_logprob=-1.2), True, id="a guess"),
        pytest.param(reading_of("Yes.", is_cut=True), True, id="cut at the limit"),
        pytest.param(reading_of("can you hear me can you hear me"), True, id="an end said twice"),
        pytest.param(reading_of("ha " * 60), True, id="compresses too well"),
        pytest.param(reading_of(""), False, id="nothing"),
    ],
)
def test_a_suspicious_reading_is_made_again(reading: Reading, is_suspicious: bool) -> None:
    """A loop, a cut or a guess is worth a second, slower look."""
    assert guards.is_suspicious(reading) is is_suspicious


@pytest.mark.parametrize(
    ("count", "duration_ms", "is_starved"),
    [
        pytest.param(0, 300, True, id="a reply left out"),
        pytest.param(1, 300, False, id="a reply"),
        pytest.param(0, 1000, True, id="a second without a word"),
        pytest.param(1, 2000, False, id="half a word a second"),
        pytest.param(1, 2001, True, id="less than that"),
    ],
)
def test_speech_with_too_few_words_is_starved(count: int, duration_ms: int, is_starved: bool) -> None:
    """Words missed inside a window show as an utterance with hardly any."""
    assert guards.is_starved(words_of("x " * count), duration_ms) is is_starved


@pytest.mark.parametrize(
    ("reason", "duration_ms", "is_failure"),
    [
        pytest.param(guards.REPETITION, 1000, True, id="a loop over real speech"),
        pytest.param(guards.REPETITION, 999, False, id="a loop over a noise"),
        pytest.param(guards.NO_SPEECH, 9000, False, id="verified silence"),
    ],
)
def test_speech_lost_to_a_loop_is_owned_up_to(reason: str, duration_ms: int, is_failure: bool) -> None:
    """Where somebody surely spoke and only a loop was read, the notes must not call it silence."""
    assert guards.is_failure(reason, duration_ms) is is_failure


@given(st.text(max_size=200), st.integers(0, 20_000), st.floats(0, 1), st.floats(-5, 0))
def test_the_guards_take_any_text(text: str, duration_ms: int, no_speech: float, logprob: float) -> None:
    """Whatever an engine writes, the guards give a known reason or none."""
    reading = reading_of(text, no_speech_prob=no_speech, avg_logprob=logprob)
    known = {None, guards.NO_WORDS, guards.NO_SPEECH, guards.REPETITION, guards.PHRASE}

    assert guards.drop_reason(reading, reading.words, duration_ms) in known
