"""Memory runs out while a meeting is read: nothing is lost, and one smaller profile at a time is taken."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import multiprocessing
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from faster_whisper import WhisperModel
from tokenizers import Tokenizer

from standup.errors import OutOfMemory, TranscribeError, TranscriptionTimeout
from standup.settings import WhisperSettings
from standup.transcribe import Hints, LanguageGuess, Reading, Word, vram
from standup.transcribe.audio import TrackReader
from standup.transcribe.engines import whisper_engine
from standup.transcribe.models import ModelChoice, resolve
from standup.transcribe.profiles import Profile, ladder
from standup.transcribe.sharing import Share
from standup.transcribe.stage import Terms, Transcription, transcribe
from standup.transcribe.vram import LadderEngine, is_out_of_memory
from standup.transcribe.whisper import WhisperEngine
from standup.transcript import Utterance

CUDA = "CUDA failed with error out of memory"
CUBLAS = "cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"
MKL = "mkl_malloc: failed to allocate memory"
GPU = ladder(Profile("large-v3-turbo", "cuda", "float16", 4, 2))
FOOT = len(GPU) - 1
ENGLISH = Hints("en")
TWELVE = [ENGLISH] * 12
WARM_UP_FRAMES = 2  # what the engine tries a model with
TINY = WhisperSettings(model="tiny.en", device="cpu", language="en")


@dataclass
class Device:
    """A device that raises CTranslate2's own texts, and sees which models are on it."""

    fails: Callable[[str, int, int], str] = lambda operation, level, calls: ""
    """Asked with the operation, the rung and how often the operation ran there; returns the text to fail with."""
    live: list[int] = field(default_factory=list)
    most_live: int = 0
    loads: list[int] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    """The steps down, as a share has them told."""
    calls: dict[tuple[str, int], int] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.Lock)

    def run(self, operation: str, level: int) -> None:
        """Let the operation happen, or fail."""
        with self.lock:
            count = self.calls[operation, level] = self.calls.get((operation, level), 0) + 1
        text = self.fails(operation, level, count)
        if text:
            raise RuntimeError(text)

    def model(self, tokenizer: Tokenizer, level: int, *_: object, **__: object) -> FakeModel:
        """Load a model, as `WhisperModel` would."""
        self.run("load", level)
        with self.lock:
            self.live.append(level)
            self.most_live = max(self.most_live, len(self.live))
            self.loads.append(level)
        return FakeModel(self, tokenizer, level)

    def engine(self, tokenizer: Tokenizer, rung: Profile) -> WhisperEngine:
        """Return the real engine over the fake model of a rung."""
        is_multilingual = rung.model != TINY.model
        choice = ModelChoice(rung.model, Path(), "cpu", rung.compute_type, is_multilingual)
        opened = partial(self.model, tokenizer, GPU.index(rung))
        return WhisperEngine(choice, rung.lanes, rung.batch_windows, open_model=opened)


class FakeModel:
    """Hears in every window one word: the window's own number."""

    def __init__(self, device: Device, tokenizer: Tokenizer, level: int) -> None:
        self.device, self.level, self.hf_tokenizer = device, level, tokenizer
        self.model = self
        self.is_multilingual = False
        self.model_is_loaded = True
        self.feature_extractor = Features()

    def unload_model(self) -> None:
        if self.model_is_loaded:
            self.model_is_loaded = False
            self.device.live.remove(self.level)

    def get_prompt(self, *_: object, **__: object) -> list[int]:
        return [0]

    def encode(self, features: Any) -> Any:
        if features.shape[-1] == WARM_UP_FRAMES:
            return features
        self.device.run("encode", self.level)
        return np.full((1, 1, 1), features.flat[0], dtype=np.float32)

    def generate(self, encoded: Any, *_: object, **__: object) -> list[Any]:
        self.device.run("generate", self.level)
        numbers = np.asarray(encoded)[:, 0, 0]
        return [SimpleNamespace(sequences_ids=[[int(n)]], scores=[-0.1], no_speech_prob=0.0) for n in numbers]

    def find_alignment(self, _: object, texts: list[list[int]], *__: object) -> list[list[dict[str, Any]]]:
        self.device.run("align", self.level)
        word = {"tokens": [], "start": 0.0, "end": 0.1, "probability": 1.0}
        return [[{"word": f" {tokens[0]}", **word}] for tokens in texts]

    def detect_language(self, audio: Any) -> tuple[str, float, list[Any]]:
        self.device.run("detect", self.level)
        return "en", 0.9, []


class Features:
    """Features that carry their window's number."""

    mel_filters = np.zeros((80, 1), dtype=np.float32)

    def __call__(self, pcm: Any) -> Any:
        return np.full((80, 11), pcm[0], dtype=np.float32)


@pytest.fixture(autouse=True, scope="module")
def _out_of_sight() -> None:
    """Hide what earlier tests left from the garbage collector, which each step down the ladder calls."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """The bundled model's."""
    return Tokenizer.from_file(str(resolve(TINY).path / "tokenizer.json"))


@pytest.fixture
def windows() -> list[Any]:
    """Twelve windows of a tenth of a second, each with a number."""
    return [np.full(1600, number, dtype=np.float32) for number in range(12)]


def stand(device: Device, tokenizer: Tokenizer, level: int = 0) -> Share:
    """Return a meeting's share in a ladder of real engines over the models of *device*."""
    return LadderEngine(GPU, partial(device.engine, tokenizer)).share(level, device.told.append)


def heard(readings: Sequence[Reading]) -> list[int]:
    """Return the numbers of the windows that were read."""
    return [int(one.text) for one in readings]


@pytest.mark.parametrize(
    ("operation", "text"),
    [("load", CUDA), ("load", MKL), ("encode", CUBLAS), ("generate", CUDA), ("align", CUDA)],
)
@pytest.mark.parametrize("good", range(1, FOOT + 1))
def test_every_window_is_read_once_wherever_memory_ran_out(
    tokenizer: Tokenizer, windows: list[Any], operation: str, text: str, good: int
) -> None:
    """From the full profile down to rung *good* all is out of memory: the words come in order, none twice."""
    device = Device(lambda what, level, _: text if what == operation and level < good else "")
    engine = stand(device, tokenizer)

    assert heard(engine.read(windows, TWELVE)) == list(range(12))
    assert (engine.ladder.level, device.told) == (good, list(range(1, good + 1)))


@pytest.mark.parametrize("operation", ["load", "encode", "generate", "align"])
def test_the_model_before_is_gone_when_the_next_is_loaded(
    tokenizer: Tokenizer, windows: list[Any], operation: str
) -> None:
    """On the whole way down there is never a second model in memory."""
    device = Device(lambda what, level, _: CUDA if what == operation and level < FOOT else "")
    stand(device, tokenizer).read(windows, TWELVE)

    assert (device.most_live, device.live) == (1, [FOOT])


def test_what_was_read_before_is_not_read_again(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """Memory that runs out at the third batch costs that batch a second reading, and the first two nothing."""
    device = Device(
        lambda what, level, calls: CUDA if what == "generate" and level == 0 and calls > 2 else ""
    )
    engine = stand(device, tokenizer)

    assert heard(engine.read(windows, TWELVE)) == list(range(12))
    # Batches of four: two at the top and one below; a batch of one is where halving ends.
    assert (device.calls["generate", 0], device.calls["generate", 1]) == (2 + 3, 1)


def test_lanes_that_fail_together_take_one_step(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """Both lanes are in the middle of a batch when memory runs out for both; the next rung serves both."""
    both = threading.Barrier(2, timeout=30)

    def fail(operation: str, level: int, _: int) -> str:
        if level or operation != "generate":
            return ""
        both.wait()
        return CUDA

    device = Device(fail)
    engine = stand(device, tokenizer)
    with ThreadPoolExecutor(2) as lanes:
        jobs = [lanes.submit(engine.read, [one], [ENGLISH]) for one in windows[:2]]
        readings = [heard(job.result(60)) for job in jobs]

    assert readings == [[0], [1]]
    assert (engine.ladder.level, device.told, device.most_live) == (1, [1], 1)


def test_a_step_waits_for_the_lane_that_still_reads(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """One lane runs out of memory while the other reads on: its model stays until its words are there."""
    reading, released = threading.Event(), threading.Event()

    def fail(operation: str, level: int, calls: int) -> str:
        if level or operation != "generate":
            return ""
        if calls == 1:
            reading.set()
            assert released.wait(30)
            return ""
        return CUDA

    device = Device(fail)
    engine = stand(device, tokenizer)
    with ThreadPoolExecutor(2) as lanes:
        slow = lanes.submit(engine.read, windows[:1], [ENGLISH])
        assert reading.wait(30)
        spent = lanes.submit(engine.read, windows[1:2], [ENGLISH])
        while engine.ladder._spent is None:
            assert not spent.done()
        assert device.live == [0]
        released.set()
        readings = heard(slow.result(60)) + heard(spent.result(60))

    assert (readings, device.told, device.most_live) == ([0, 1], [1], 1)


@pytest.mark.parametrize("operation", ["load", "encode", "generate", "align"])
def test_the_last_rung_has_nothing_to_give(tokenizer: Tokenizer, windows: list[Any], operation: str) -> None:
    """Out of memory on every rung comes out with its next step, and the engine can be used again."""
    memory = {"is there": False}
    device = Device(lambda what, *_: "" if memory["is there"] or what != operation else CUDA)
    engine = stand(device, tokenizer)
    with pytest.raises(OutOfMemory, match="set a smaller STANDUP_WHISPER_MODEL"):
        engine.read(windows, TWELVE)
    memory["is there"] = True

    assert (engine.ladder.level, heard(engine.read(windows, TWELVE))) == (FOOT, list(range(12)))


def test_the_language_is_detected_a_rung_lower(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """Memory that runs out before the first window is read is no different."""
    engine = stand(Device(lambda what, level, _: CUDA if what == "detect" and not level else ""), tokenizer)

    assert (engine.detect_language(windows[0]), engine.ladder.level) == (LanguageGuess("en", 0.9), 1)


def test_a_model_of_one_language_is_not_asked_for_it(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """On the last rung, where the model cannot detect, a language that was to be detected is that model's."""
    device = Device(
        lambda what, level, _: (
            "detect_language can only be called on multilingual models" if level == FOOT else CUDA
        )
    )
    engine = stand(device, tokenizer)

    assert (engine.detect_language(windows[0]), engine.ladder.level) == (LanguageGuess("en", 1.0), FOOT)


def test_whoever_is_second_to_step_waits_for_no_reader_of_the_next_rung(tokenizer: Tokenizer) -> None:
    """The step is taken once; the thread that was late goes on at once, however long others read by then."""
    engine = stand(Device(), tokenizer)
    spent = engine.ladder._engine
    engine.ladder._readers = 1
    late = threading.Thread(target=engine.ladder._step_down, args=(spent, None), daemon=True)
    late.start()
    while engine.ladder._spent is None:
        assert late.is_alive()
    with engine.ladder._changed:
        engine.ladder._readers = 0
        assert engine.ladder._change(1)
        engine.ladder._readers = 1
    late.join(30)

    assert (late.is_alive(), engine.ladder.level) == (False, 1)


def test_other_failures_change_no_rung(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """Less memory would not cure them."""
    device = Device(
        lambda what, *_: "CUDA failed with error an illegal memory access" if what == "align" else ""
    )
    engine = stand(device, tokenizer)
    with pytest.raises(Exception, match="The speech engine failed"):
        engine.read(windows, TWELVE)

    assert (engine.ladder.level, device.told) == (0, [])


def test_a_small_profile_reads_in_small_batches(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """A batch made for the full profile is read in as many as the smaller one allows."""
    device = Device()
    engine = stand(device, tokenizer, level=2)

    assert heard(engine.read(windows, TWELVE)) == list(range(12))
    assert (engine.batch_windows, device.calls["generate", 2]) == (2, 6)


def test_no_more_lanes_than_the_profile_has(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """Below the second rung one batch is in memory at a time, however many threads the meeting began with."""
    inside = {"now": 0, "most": 0}

    def count(operation: str, *_: int) -> str:
        inside["now"] += {"encode": 1, "align": -1}.get(operation, 0)
        inside["most"] = max(inside["most"], inside["now"])
        return ""

    engine = stand(Device(count), tokenizer, level=2)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda one: engine.read([one], [ENGLISH]), windows))

    assert (engine.lanes, inside["most"]) == (1, 1)


ONE_LANE = ladder(Profile("large-v3-turbo", "cuda", "float16", 4, 1))


class Crowd:
    """Meetings whose calls reach the engine while it is busy with the first one's."""

    def __init__(self, tokenizer: Tokenizer, windows: Sequence[Any], poison: int = -1) -> None:
        self.reading, self.released = threading.Event(), threading.Event()
        self.batches: list[int] = []
        self.poison = poison
        self.windows = windows
        opened = partial(self._model, tokenizer)
        choice = ModelChoice("turbo", Path(), "cpu", "float16", True)
        self.ladder = LadderEngine(
            ONE_LANE, lambda rung: WhisperEngine(choice, rung.lanes, rung.batch_windows, open_model=opened)
        )

    def _model(self, tokenizer: Tokenizer, *_: object, **__: object) -> FakeModel:
        crowd = self

        class Model(FakeModel):
            def generate(self, encoded: Any, *_: object, **__: object) -> list[Any]:
                crowd.batches.append(len(np.asarray(encoded)))
                crowd.reading.set()
                assert crowd.released.wait(30)
                if crowd.poison in np.asarray(encoded)[:, 0, 0]:
                    raise RuntimeError("CUDA failed with error an illegal memory access")
                return super().generate(encoded)

        return Model(Device(), tokenizer, 0)

    def read(self, *sizes: int) -> list[list[int] | BaseException]:
        """Have meetings of so many windows read, the first while the others come; return what each heard."""
        parts = np.split(np.asarray(self.windows), np.cumsum(sizes))[: len(sizes)]
        with ThreadPoolExecutor(len(sizes)) as threads:
            jobs = []
            for part in parts:
                jobs.append(threads.submit(self.ladder.share(0).read, list(part), [ENGLISH] * len(part)))
                assert self.reading.wait(30)
            while len(self.ladder._calls) < len(sizes):
                assert not any(job.done() for job in jobs)
            self.released.set()
            return [job.exception(60) or heard(job.result()) for job in jobs]


def test_meetings_share_batches(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """While one meeting is read, three more wait with a window or two: they are read as one batch."""
    crowd = Crowd(tokenizer, windows)
    assert crowd.read(2, 1, 2, 1) == [[0, 1], [2], [3, 4], [5]]
    assert crowd.batches == [2, 4]


def test_a_meeting_that_fails_fails_alone(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """A window that breaks its batch is told to its own meeting; the others are read without it."""
    crowd = Crowd(tokenizer, windows, poison=3)
    first, second, third, fourth = crowd.read(1, 2, 1, 2)
    assert (first, second, fourth) == ([0], [1, 2], [4, 5])
    assert isinstance(third, TranscribeError)


@pytest.mark.parametrize(
    ("good", "expected"),
    [
        pytest.param(0, "large-v3-turbo", id="in full"),
        pytest.param(1, "large-v3-turbo (int8_float16, GPU; memory was short)", id="in bytes"),
        pytest.param(3, "large-v3-turbo, then small (int8_float16, GPU; memory was short)", id="small"),
        pytest.param(4, "large-v3-turbo, then small (int8, CPU; memory was short)", id="off the GPU"),
        pytest.param(5, "large-v3-turbo, then tiny.en (int8, CPU; memory was short)", id="the last"),
    ],
)
def test_the_label_tells_the_models_and_the_profile(
    tokenizer: Tokenizer, windows: list[Any], good: int, expected: str
) -> None:
    """A meeting begun in full and ended on a lower rung names the models that read, and how the last one ran."""
    calls = {"n": 0}

    def fail(operation: str, level: int, _: int) -> str:
        calls["n"] += operation == "generate"
        return CUDA if operation == "generate" and level < good and calls["n"] > 1 else ""

    engine = stand(Device(fail), tokenizer)
    for one in windows:
        engine.read([one], [ENGLISH])

    assert engine.label == expected


def test_the_next_meeting_is_labelled_anew(tokenizer: Tokenizer, windows: list[Any]) -> None:
    """A meeting that starts on a lower rung does not name what another was read with."""
    device = Device()
    engine = stand(device, tokenizer)
    engine.read(windows, TWELVE)
    lower = engine.ladder.share(4)
    lower.read(windows, TWELVE)

    assert lower.label == "small (int8, CPU; memory was short)"


@pytest.mark.parametrize(
    ("levels", "loads"), [([0, 0], [0]), ([0, 3], [0, 3]), ([2, 1, 99, 0], [2, 1, FOOT, 0])]
)
def test_the_archive_has_the_last_word(
    tokenizer: Tokenizer, windows: list[Any], levels: list[int], loads: list[int]
) -> None:
    """The engine goes down and up as asked; the model stays loaded where it need not change, and is alone."""
    device = Device()
    engine = stand(device, tokenizer)
    for level in levels:
        engine.ladder.share(level).read(windows, TWELVE)

    assert (device.loads, device.most_live) == (loads, 1)


class Stubborn:
    """An engine without room whose model cannot be unloaded."""

    label, sole_language, lanes, batch_windows = "stubborn", None, 1, 4

    def detect_language(self, pcm: Any) -> LanguageGuess:
        raise OutOfMemory

    def read(self, windows: Sequence[Any], hints: Sequence[Hints]) -> list[Reading]:
        raise OutOfMemory

    def release(self) -> bool:
        return False


def test_a_model_that_stays_gets_no_second_beside_it() -> None:
    """Loading another would not fit: the stage fails with the next step, and the rung stays."""
    engine = LadderEngine(GPU, lambda _: Stubborn()).share(0)
    for _ in range(2):
        with pytest.raises(OutOfMemory, match=r"could not be unloaded.* restart worker-gpu"):
            engine.read([np.zeros(9, dtype=np.float32)], [ENGLISH])

    assert engine.ladder.level == 0


def test_a_reader_that_does_not_end_is_not_waited_for_for_ever(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changing the rung under a reader that hangs times out, and the engine goes on as it was."""
    monkeypatch.setattr(vram, "_PATIENCE_S", 0.01)
    engine = stand(Device(), tokenizer)
    with engine.ladder._turn(), pytest.raises(TranscriptionTimeout):
        engine.ladder.share(1)

    assert (engine.ladder.level, engine.ladder._is_turn(None)) == (0, True)


def test_nothing_of_the_failed_batch_is_left_when_memory_is_counted(tokenizer: Tokenizer) -> None:
    """What the failed batch had computed is free before the next model is loaded."""

    class Held:
        alive = 0

        def __init__(self) -> None:
            Held.alive += 1

        def __del__(self) -> None:
            Held.alive -= 1

    seen: list[int] = []

    class Hoarder(Stubborn):
        def __init__(self, rung: Profile) -> None:
            self.level = GPU.index(rung)

        def read(self, windows: Sequence[Any], hints: Sequence[Hints]) -> list[Reading]:
            held = Held()
            if self.level == 0:
                raise OutOfMemory
            return [Reading((Word(f" {type(held).__name__}", 0, 0),)) for _ in windows]

        def release(self) -> bool:
            seen.append(Held.alive)
            return True

    LadderEngine(GPU, Hoarder).share(0).read([np.zeros(9, dtype=np.float32)], [ENGLISH])

    assert seen == [0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(RuntimeError(CUDA), True, id="CUDA"),
        pytest.param(RuntimeError(CUBLAS), True, id="cuBLAS"),
        pytest.param(RuntimeError(MKL), True, id="CTranslate2 on a CPU"),
        pytest.param(RuntimeError("std::bad_alloc"), True, id="C++"),
        pytest.param(
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True, id="torch on a CPU"
        ),
        pytest.param(MemoryError(), True, id="Python and numpy"),
        pytest.param(
            RuntimeError("CUDA failed with error unspecified launch failure"), False, id="a dead context"
        ),
        pytest.param(ValueError("out of memory"), False, id="another class"),
    ],
)
def test_want_of_memory_is_recognised(error: Exception, expected: bool) -> None:
    """By its class or its text."""
    assert is_out_of_memory(error) is expected


def _real(rungs: Sequence[Profile], opened: Callable[[int], Callable[..., WhisperModel]]) -> LadderEngine:
    """Return a ladder of the bundled model; *opened* gives what opens the model of a rung."""
    choice = resolve(TINY)

    def make(rung: Profile) -> WhisperEngine:
        one = dataclasses.replace(choice, compute_type=rung.compute_type)
        return WhisperEngine(one, rung.lanes, rung.batch_windows, open_model=opened(rungs.index(rung)))

    return LadderEngine(rungs, make)


class Failing:
    """A real model that runs out of memory from its second batch on."""

    def __init__(self, real: WhisperModel) -> None:
        self.real = real
        self.batches = itertools.count()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def find_alignment(self, *arguments: Any) -> Any:
        """Fail when the batch is nearly read."""
        if next(self.batches):
            raise RuntimeError(CUDA)
        return self.real.find_alignment(*arguments)


@pytest.mark.integration
def test_a_meeting_interrupted_by_want_of_memory_reads_the_same(
    tracks: dict[str, Path], pending: tuple[Utterance, ...]
) -> None:
    """The real model, out of memory from the second batch on, gives the words of an undisturbed run."""
    rungs = ladder(Profile("tiny.en", "cpu", "int8", 2, 2))
    told: list[int] = []

    def read(opened: Callable[[int], Callable[..., Any]]) -> Transcription:
        engine = _real(rungs, opened).share(0, told.append)
        return transcribe(tracks, pending, engine, Terms("en"))

    undisturbed = read(lambda _: WhisperModel)
    disturbed = read(lambda level: WhisperModel if level else lambda *a, **k: Failing(WhisperModel(*a, **k)))

    assert disturbed.utterances == undisturbed.utterances
    assert (undisturbed.model_label, disturbed.model_label, told) == (
        "tiny.en",
        "tiny.en (int8, CPU; memory was short)",
        [1],
    )


def _without_memory(*arguments: Any, **options: Any) -> WhisperModel:
    """Open the model in 30 MB of address space, which it does not fit into."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    used_kb = next(int(line.split()[1]) for line in status if line.startswith("VmSize:"))
    unlimited = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, ((used_kb + 30 * 1024) * 1024, unlimited[1]))
    try:
        return WhisperModel(*arguments, **options)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, unlimited)


def _read_without_memory(track: Path) -> tuple[int, str]:
    """Read a stretch of *track* with a model that first does not fit; return the rung and the words."""
    engine = _real(
        ladder(Profile("tiny.en", "cpu", "int8", 2, 2)),
        lambda level: WhisperModel if level else _without_memory,
    ).share(0)
    (reading,) = engine.read([TrackReader(track).read(300, 2280)], [ENGLISH])
    return engine.ladder.level, reading.text


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to RLIMIT_AS")
def test_a_real_want_of_memory_is_survived(tracks: dict[str, Path]) -> None:
    """CTranslate2 really finds no memory, in a process of its own, and the speech is read all the same."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as child:
        level, text = child.submit(_read_without_memory, tracks["slt"]).result(100)

    assert level == 1
    assert "page" in text


def test_an_engine_keeps_its_ladder() -> None:
    """One process has one ladder for the same settings, on the rung that was asked for last."""
    lower = whisper_engine(TINY, 1)
    assert lower.ladder.level == 1
    assert whisper_engine(TINY.model_copy()).ladder is lower.ladder
    assert lower.ladder.level == 0


@pytest.mark.integration
def test_torch_is_asked_only_where_it_is_loaded() -> None:
    """Its error is recognised and its cache emptied after somebody imported it; we never do."""
    code = (
        "import sys\n"
        "from standup.transcribe.vram import is_out_of_memory, reclaim\n"
        "reclaim(); is_out_of_memory(RuntimeError())\n"
        "assert 'torch' not in sys.modules\n"
        "import torch\n"
        "emptied = []\n"
        "torch.cuda.empty_cache = lambda: emptied.append(1)\n"
        "reclaim()\n"
        "assert emptied == [1] and is_out_of_memory(torch.cuda.OutOfMemoryError())\n"
    )
    assert _python(code) == 0


def _python(code: str) -> int:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code], timeout=100, env={**os.environ, "PYTHONPATH": str(root)}
    ).returncode
