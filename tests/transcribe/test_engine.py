"""What every speech engine must do: add yours to `ENGINES`, and the stage can use it.

An engine is one file that has the attributes and methods of `standup.transcribe.Engine`; packing, guards and the way
back to utterances are the stage's.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from standup.settings import WhisperSettings
from standup.transcribe import SAMPLE_RATE_HZ, Engine, Hints
from standup.transcribe.audio import TrackReader
from standup.transcribe.models import resolve
from standup.transcribe.stage import Terms, transcribe
from standup.transcribe.whisper import WhisperEngine
from standup.transcript import Outcome, Utterance
from tests.transcribe.conftest import ScriptedEngine

ENGLISH = Hints("en")


def bundled() -> Engine:
    """Return faster-whisper with the model that comes with the packages."""
    return WhisperEngine(resolve(WhisperSettings(model="tiny.en", device="cpu", language="en")))


ENGINES: list[Any] = [
    pytest.param(ScriptedEngine, id="scripted"),
    pytest.param(bundled, id="faster-whisper", marks=pytest.mark.integration),
]


@pytest.fixture(params=ENGINES, scope="module")
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    make: Callable[[], Engine] = request.param
    return make()


@pytest.fixture
def windows(tracks: dict[str, Path], spoken: tuple[Utterance, ...]) -> list[Any]:
    """A window per utterance, of different lengths."""
    found = []
    for one in spoken:
        reader = TrackReader(tracks[one.speaker])
        found.append(reader.read(one.start_ms, one.end_ms))
        reader.close()
    return found


def test_an_engine_says_what_it_is_and_what_it_can_take(engine: Engine) -> None:
    """A name for the notes, and how many windows in how many calls are useful."""
    assert engine.label
    assert engine.lanes >= 1
    assert engine.batch_windows >= 1
    assert engine.sole_language is None or len(engine.sole_language) == 2


@pytest.mark.parametrize("is_careful", [False, True])
def test_each_window_has_its_own_reading_in_order(
    engine: Engine, windows: list[Any], is_careful: bool
) -> None:
    """A batch gives what its windows give one by one, words in order and inside their window."""
    hints = Hints("en", is_careful=is_careful)
    together = engine.read(windows, [hints] * len(windows))
    alone = [engine.read([one], [hints])[0] for one in windows]

    assert len(together) == len(windows)
    assert [bool(one.words) for one in together] == [bool(one.words) for one in alone]
    for pcm, reading in zip(windows, together, strict=True):
        starts = [word.start_s for word in reading.words]
        assert starts == sorted(starts)
        assert all(word.end_s <= len(pcm) / SAMPLE_RATE_HZ + 0.02 for word in reading.words)
        assert reading.avg_logprob <= 0
        assert 0 <= reading.no_speech_prob <= 1


def test_no_windows_give_no_readings(engine: Engine) -> None:
    """An empty batch is no error."""
    assert engine.read([], []) == []


def test_silence_is_read_without_an_error(engine: Engine) -> None:
    """Whatever an engine makes of silence, it comes back; the stage's guards judge it."""
    assert len(engine.read([np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)], [ENGLISH])) == 1


def test_the_same_window_is_read_the_same(engine: Engine, windows: list[Any]) -> None:
    """Reading is deterministic: a stage that runs twice writes the same notes."""
    assert engine.read(windows, [ENGLISH] * len(windows)) == engine.read(windows, [ENGLISH] * len(windows))


def test_a_prompt_changes_no_more_than_words(engine: Engine, windows: list[Any]) -> None:
    """Names and terms are taken as a hint; readings stay one per window."""
    assert len(engine.read(windows, [Hints("en", prompt="Ana, Grafana, Keycloak")] * len(windows))) == len(
        windows
    )


def test_windows_of_a_call_may_have_their_own_prompts(engine: Engine, windows: list[Any]) -> None:
    """Long and short ones side by side; each window has a reading made by this engine."""
    prompts = ("Ana, Grafana, Keycloak", "Bo", "Names and terms: " + "Hetzner, " * 20)
    hints = [Hints("en", prompts[place % 3]) for place in range(len(windows))]
    readings = engine.read(windows, hints)

    assert [bool(one.words) for one in readings] == [True] * len(windows)
    assert {one.model for one in readings} <= {engine.label, ""}


def test_lanes_may_read_at_once(engine: Engine, windows: list[Any]) -> None:
    """As many threads as the engine has lanes get what one thread gets."""
    with ThreadPoolExecutor(engine.lanes) as lanes:
        jobs = [lanes.submit(engine.read, [one], [ENGLISH]) for one in windows]
        at_once = [job.result(120)[0] for job in jobs]

    assert at_once == [engine.read([one], [ENGLISH])[0] for one in windows]


def test_a_language_is_guessed_with_a_certainty(engine: Engine, windows: list[Any]) -> None:
    """Two letters, and how sure the engine is."""
    guess = engine.detect_language(windows[0])

    assert len(guess.language) == 2
    assert 0 <= guess.probability <= 1


def test_the_stage_runs_on_it(
    engine: Engine, tracks: dict[str, Path], pending: tuple[Utterance, ...]
) -> None:
    """From tracks to utterances, every one with a verdict."""
    done = transcribe(tracks, pending, engine, Terms("en"))

    assert done.model_label == engine.label
    assert all(one.outcome is Outcome.TEXT for one in done.utterances)
