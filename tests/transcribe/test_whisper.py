"""The Whisper engine: its rules without a model, and the bundled model on real sound."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from standup.bench.accuracy import word_error_rate
from standup.bench.rehearsal import encode
from standup.errors import ModelLoadError, OutOfMemory, TranscribeError
from standup.failures import LOWEST_PROFILE
from standup.settings import WhisperSettings
from standup.transcribe import Hints, Reading, whisper
from standup.transcribe.audio import TrackReader
from standup.transcribe.engines import whisper_engine
from standup.transcribe.models import ModelChoice, resolve
from standup.transcribe.stage import transcribe
from standup.transcribe.whisper import WhisperEngine, _translated
from standup.transcript import Outcome, Utterance

TINY = WhisperSettings(model="tiny.en", device="cpu", language="auto")
ENGLISH = Hints("en")


class SmallDevice(WhisperEngine):
    """An engine whose device has memory for two windows at once."""

    room = 2

    def _read(self, windows: Sequence[Any], hints: Hints) -> list[Reading]:
        if len(windows) > self.room:
            raise OutOfMemory
        return [Reading((), avg_logprob=-float(len(window))) for window in windows]


@pytest.fixture
def choice(tmp_path: Path) -> ModelChoice:
    """A model that is not there."""
    return ModelChoice("none", tmp_path, "cpu", "int8", is_multilingual=True)


def test_a_batch_too_big_for_the_device_is_read_in_halves(choice: ModelChoice) -> None:
    """Every window is read, in order, in batches the device can hold."""
    windows = [np.zeros(size, dtype=np.float32) for size in range(7)]

    assert [one.avg_logprob for one in SmallDevice(choice).read(windows, [ENGLISH] * len(windows))] == [
        -float(n) for n in range(7)
    ]


def test_a_window_too_big_for_the_device_is_out_of_memory(choice: ModelChoice) -> None:
    """One window cannot be halved; the next try takes a smaller profile."""
    engine = SmallDevice(choice)
    engine.room = 0
    with pytest.raises(OutOfMemory):
        engine.read([np.zeros(9, dtype=np.float32)], [ENGLISH])


def test_nothing_is_read_without_a_model(choice: ModelChoice) -> None:
    """No windows, no model."""
    assert WhisperEngine(choice).read([], []) == []


def test_a_model_that_cannot_be_loaded_is_named(choice: ModelChoice) -> None:
    """The message names model, place and device, and the next step."""
    with pytest.raises(
        ModelLoadError, match=r"The speech model none in .* on cpu; check STANDUP_WHISPER_MODEL"
    ):
        WhisperEngine(choice).read([np.zeros(9, dtype=np.float32)], [ENGLISH])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("CUDA failed with error out of memory", OutOfMemory, id="CUDA"),
        pytest.param("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED", OutOfMemory, id="cuBLAS"),
        pytest.param("mkl_malloc: failed to allocate memory", OutOfMemory, id="a CPU"),
        pytest.param(
            "CUDA failed with error unspecified launch failure", TranscribeError, id="anything else"
        ),
    ],
)
def test_out_of_memory_is_told_by_its_text(text: str, kind: type[Exception]) -> None:
    """CTranslate2 has no class for it."""
    with pytest.raises(TranscribeError) as caught, _translated():
        raise RuntimeError(text)

    assert (type(caught.value), str(caught.value.__cause__)) == (kind, text)


@pytest.mark.parametrize(
    ("device", "is_multilingual", "expected"),
    [
        pytest.param("cpu", False, (3, 10, "en"), id="English on a CPU"),
        pytest.param("cuda", True, (3, 16, None), id="many languages on a GPU"),
    ],
)
def test_the_engine_tells_what_it_is(
    tmp_path: Path, device: str, is_multilingual: bool, expected: tuple[int, int, str | None]
) -> None:
    """Lanes, batches and languages follow from the model's choice alone, before it is loaded."""
    engine = WhisperEngine(ModelChoice("m", tmp_path, device, "int8", is_multilingual), lanes=3)

    assert (engine.lanes, engine.batch_windows, engine.sole_language) == expected


@pytest.fixture(scope="module")
def engine() -> WhisperEngine:
    """The bundled model, loaded once."""
    return WhisperEngine(resolve(TINY))


def _noises() -> dict[str, Any]:
    """Return two seconds each of what microphones pick up between words."""
    random = np.random.default_rng(7)
    time_s = np.arange(32_000) / 16_000
    noise = random.standard_normal(32_000)
    decay = np.exp(-np.arange(400) / 60)
    keys = np.zeros(32_000)
    for at in range(0, 31_000, 2400):
        keys[at : at + 400] = 0.3 * decay * random.standard_normal(400)
    breath = np.convolve(noise, np.ones(8) / 8, "same") * 0.08 * np.sin(np.pi * time_s / 2) ** 2
    sounds = {
        "silence": np.zeros(32_000),
        "white noise": 0.05 * noise,
        "hum": 0.1 * np.sin(2 * np.pi * 50 * time_s) + 0.05 * np.sin(2 * np.pi * 150 * time_s),
        "keyboard": keys,
        "breath": breath,
        "thump": np.where(time_s < 0.2, 0.5 * np.sin(2 * np.pi * 60 * time_s), 0.0),
    }
    return {name: sound.astype(np.float32) for name, sound in sounds.items()}


@pytest.mark.integration
def test_speech_comes_back_as_text(
    tracks: dict[str, Path],
    pending: tuple[Utterance, ...],
    spoken: tuple[Utterance, ...],
    engine: WhisperEngine,
) -> None:
    """Four voices come back under their own utterances with a word error rate below 25 %.

    One word in ten differs between processors, whose int8 arithmetic rounds differently.
    """
    done = transcribe(tracks, pending, engine).utterances
    rate = word_error_rate({one.id: one.text for one in spoken}, {one.id: one.text for one in done})

    assert [one.outcome for one in done] == [Outcome.TEXT] * len(spoken)
    assert rate < 0.25


@pytest.mark.integration
def test_a_lone_yes_survives(
    tracks: dict[str, Path], pending: tuple[Utterance, ...], engine: WhisperEngine
) -> None:
    """A reply of one word, alone in its window, is kept."""
    (yes,) = [one for one in pending if one.speaker == "awb"]

    assert transcribe(tracks, [yes], engine).utterances[0].text.strip(".!").lower() == "yes"


@pytest.mark.integration
@pytest.mark.parametrize("name", sorted(_noises()))
def test_what_is_no_speech_gives_no_text(name: str, tmp_path: Path, engine: WhisperEngine) -> None:
    """Noises end as verified silence, never as words."""
    encode((_noises()[name] * 32_767).astype(np.int16).tobytes(), tmp_path / "a.ogg")
    done = transcribe({"a": tmp_path / "a.ogg"}, [Utterance("u0", "a", 0, 2000)], engine)

    assert done.utterances[0].outcome is Outcome.SILENCE


@pytest.mark.integration
def test_the_engine_takes_every_window_of_a_batch(engine: WhisperEngine) -> None:
    """Empty readings do not upset the alignment of their neighbours, quick or careful."""
    windows = [sound[: 8000 * (1 + at % 4)] for at, sound in enumerate(_noises().values())]

    assert len(engine.read(windows, [ENGLISH] * len(windows))) == len(windows)
    assert len(engine.read(windows[:2], [Hints("en", is_careful=True)] * len(windows[:2]))) == 2


@pytest.mark.integration
def test_a_released_model_is_unloaded_and_comes_back(engine: WhisperEngine) -> None:
    """Its memory is free right after a reading, and the next reading loads it again."""
    windows = [np.zeros(8000, dtype=np.float32)]
    engine.read(windows, [ENGLISH] * len(windows))
    model = engine._loaded().model

    assert (engine.release(), model.model_is_loaded, engine.release()) == (True, False, True)
    assert len(engine.read(windows, [ENGLISH] * len(windows))) == 1


@pytest.mark.integration
def test_a_model_that_reads_is_not_released(engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """CTranslate2 keeps a model whose batch is active; that is told, and the batch is read to its end."""
    monkeypatch.setattr(whisper, "_UNLOADED_WITHIN_S", 0.0)
    windows = list(_noises().values())
    inner = engine._loaded().model
    with ThreadPoolExecutor(1) as lane:
        job = lane.submit(engine.read, windows, [Hints("en", is_careful=True)] * len(windows))
        while inner.num_active_batches == 0:
            assert not job.done()
        is_free = engine.release()
        readings = job.result(60)

    assert (is_free, len(readings)) == (False, len(windows))


@pytest.mark.integration
def test_a_long_prompt_leaves_room_for_the_text(engine: WhisperEngine, tracks: dict[str, Path]) -> None:
    """Names and terms fill the model's context to its limit, and the speech is still read to its end."""
    pcm = TrackReader(tracks["slt"]).read(300, 2280)
    (reading,) = engine.read([pcm], [Hints("en", prompt="Grafana, Keycloak, Szymon. " * 80)])

    assert "page" in reading.text


@pytest.mark.integration
def test_a_fork_of_a_loaded_model_is_refused() -> None:
    """CTranslate2 would hang in the child; the engine says what to do instead."""
    code = (
        "import os, numpy as np\n"
        "from standup.errors import ModelLoadError\n"
        "from standup.settings import WhisperSettings\n"
        "from standup.transcribe import Hints\n"
        "from standup.transcribe.engines import whisper_engine\n"
        "engine = whisper_engine(WhisperSettings(model='tiny.en', device='cpu', language='en'))\n"
        "sound = [np.zeros(16000, dtype=np.float32)]\n"
        "engine.read(sound, [Hints('en')] * len(sound))\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    try:\n"
        "        engine.read(sound, [Hints('en')] * len(sound))\n"
        "    except ModelLoadError:\n"
        "        os._exit(42)\n"
        "    os._exit(1)\n"
        "os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code], timeout=60, env={**os.environ, "PYTHONPATH": str(root)}
    )

    assert ran.returncode == 42


@pytest.mark.integration
def test_an_engine_is_shared_by_the_process() -> None:
    """The same settings give the same engine, so a model is loaded once."""
    assert whisper_engine(TINY).ladder is whisper_engine(TINY.model_copy()).ladder


@pytest.mark.integration
def test_a_smaller_memory_profile_reads_the_same_speech(tracks: dict[str, Path]) -> None:
    """On the lowest rung an engine reads in one lane and small batches, and still understands."""
    lowest = whisper_engine(TINY, LOWEST_PROFILE)
    pcm = TrackReader(tracks["slt"]).read(300, 2280)
    (reading,) = lowest.read([pcm], [Hints("en")])

    assert (lowest.lanes, lowest.batch_windows) == (1, 2)
    assert "page" in reading.text
