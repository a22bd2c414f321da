"""Reading clips with an engine that plays by a script."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from standup.errors import OutOfMemory, TranscriptionTimeout
from standup.transcribe import Hints, Reading, Word
from standup.transcribe.recognition import Recognizer
from standup.transcribe.windows import Span

Clips = dict[Span, Any]
CONFIDENT, GUESSED = -0.2, -2.0


@pytest.fixture
def executor() -> Iterator[Executor]:
    """Two threads."""
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
def clips() -> Clips:
    """Five sounds of two speakers, two seconds each."""
    spans = [Span(at * 3000, at * 3000 + 2000, "ab"[at % 2], f"u{at}") for at in range(5)]
    return {span: np.full(32_000, 0.5, dtype=np.float32) for span in spans}


def read(engine: Any, executor: Executor, clips: Clips, **languages: str) -> dict[str, str]:
    """Return utterance -> text as *engine* reads it."""
    recognizer = Recognizer(engine, executor, "", lambda: None)
    heard = recognizer.finish(recognizer.begin(clips, {"a": "en", "b": "en", **languages}), lambda _: None)
    return {span.utterance: "".join(word.text for word in one.words).strip() for span, one in heard.items()}


def test_each_utterance_gets_the_words_of_its_own_sound(
    executor: Executor, clips: Clips, scripted: Any
) -> None:
    """Words said in the first sound of a speaker's window are the first utterance's, and so on."""
    assert read(scripted(), executor, clips) == {
        "u0": "sound0",
        "u2": "sound1",
        "u4": "sound2",
        "u1": "sound0",
        "u3": "sound1",
    }


def test_a_good_reading_is_read_once(executor: Executor, clips: Clips, scripted: Any) -> None:
    """No careful reading is asked for where the quick one is fine."""
    engine = scripted()
    read(engine, executor, clips)

    assert [hints.is_careful for _, hints in engine.asked] == [False] * len(engine.asked)


def test_speakers_of_different_languages_are_read_apart(
    executor: Executor, clips: Clips, scripted: Any
) -> None:
    """A batch has one language, the speaker's own."""
    engine = scripted()
    read(engine, executor, clips, b="de")

    assert sorted((count, hints.language) for count, hints in engine.asked) == [(1, "de"), (1, "en")]


def by_care(quick: Reading, careful: Callable[[int], Reading]) -> Callable[[Any, Hints], Reading]:
    """Return a script: *quick* at first, then what *careful* says to the window's length in seconds."""
    return lambda pcm, hints: careful(len(pcm) // 16_000) if hints.is_careful else quick


def said(text: str, logprob: float = CONFIDENT) -> Reading:
    """Return a reading of four words in the first second."""
    return Reading(tuple(Word(f" {text}{at}", at / 4, at / 4 + 0.2) for at in range(4)), avg_logprob=logprob)


def test_a_suspicious_window_is_read_again_carefully(executor: Executor, scripted: Any) -> None:
    """A lone utterance that was guessed is replaced by its careful reading, read once."""
    engine = scripted(script=by_care(said("wrong", GUESSED), lambda _: said("right")))
    clip = {Span(0, 2000, "a", "u0"): np.ones(32_000, dtype=np.float32)}

    assert read(engine, executor, clip) == {"u0": "right0 right1 right2 right3"}
    assert [hints.is_careful for _, hints in engine.asked] == [False, True]


def test_a_window_still_suspicious_is_read_utterance_by_utterance(
    executor: Executor, clips: Clips, scripted: Any
) -> None:
    """When the careful reading of several utterances loops too, each is read alone."""
    engine = scripted(
        script=by_care(
            said("wrong", GUESSED), lambda length_s: said("alone", CONFIDENT if length_s == 2 else GUESSED)
        )
    )

    assert set(read(engine, executor, clips).values()) == {"alone0 alone1 alone2 alone3"}


def test_an_utterance_with_too_few_words_is_read_alone(
    executor: Executor, clips: Clips, scripted: Any
) -> None:
    """All words went to the first utterance of each window; the starved ones get theirs alone."""
    engine = scripted(script=by_care(said("first"), lambda _: said("alone")))
    heard = read(engine, executor, clips)

    assert (heard["u0"], heard["u2"]) == ("first0 first1 first2 first3", "alone0 alone1 alone2 alone3")


def test_a_worse_reading_alone_changes_nothing(executor: Executor, clips: Clips, scripted: Any) -> None:
    """What was heard in company stays when reading alone gives a guess."""
    engine = scripted(script=by_care(said("first"), lambda _: said("alone", GUESSED)))
    heard = read(engine, executor, clips)

    assert (heard["u0"], heard["u2"]) == ("first0 first1 first2 first3", "")


def test_progress_counts_every_clip_once(executor: Executor, clips: Clips, scripted: Any) -> None:
    """However often a window is read, its speech counts once."""
    told: list[int] = []
    engine = scripted(script=lambda pcm, hints: said("wrong", GUESSED))
    recognizer = Recognizer(engine, executor, "", lambda: None)
    recognizer.finish(recognizer.begin(clips, {"a": "en", "b": "en"}), told.append)

    assert sum(told) == sum(span.duration_ms for span in clips)


def test_an_engine_that_does_not_come_back_times_out(executor: Executor, clips: Clips, scripted: Any) -> None:
    """Waiting for the engine ends with the time budget."""
    release = threading.Event()

    def hang(pcm: Any, hints: Hints) -> Reading:
        release.wait(10)
        return Reading(())

    recognizer = Recognizer(scripted(script=hang), executor, "", lambda: 0.01)
    try:
        with pytest.raises(TranscriptionTimeout):
            recognizer.finish(recognizer.begin(clips, {"a": "en", "b": "en"}), lambda _: None)
    finally:
        release.set()


def test_the_engines_own_errors_come_through(executor: Executor, clips: Clips, scripted: Any) -> None:
    """Which stage failed and whether waiting helps is the engine's to say."""

    def fail(pcm: Any, hints: Hints) -> Reading:
        raise OutOfMemory

    with pytest.raises(OutOfMemory):
        read(scripted(script=fail), executor, clips)
