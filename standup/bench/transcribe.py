"""Measure the transcribe stage beside plain faster-whisper on the same tracks, model and cores.

The tracks are made here: four synthetic voices (flite) hold a standup, each on an Ogg Opus track on the meeting
clock. Synthetic voices flatter every recognizer alike; read the ratios, not the error rates.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
import time
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from standup.errors import ServiceMissing
from standup.settings import WhisperSettings
from standup.transcript import Utterance

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

    from standup.transcribe.models import ModelChoice
    from standup.transcribe.whisper import WhisperEngine

VOICES = ("slt", "rms", "awb", "kal16")
SENTENCES = (
    "Good morning everyone, let us start with yesterday.",
    "Yesterday I finished the login page and fixed two bugs in the payment service.",
    "Today I will write the tests for the new search and review the open pull requests.",
    "I have no blockers.",
    "I am still waiting for access to the staging database.",
    "Yes.",
    "Can somebody from the platform team give me the permission this morning?",
    "I will do that right after this meeting.",
    "Thank you, that would help a lot.",
    "Then let us decide that we move the release to next Thursday.",
    "The customer asked for a shorter report, so I changed the summary on the first page.",
    "The build was broken for most of the afternoon because a certificate had expired.",
    "No.",
    "I think we should write a small script that warns us a week before.",
    "Okay.",
    "My plan for today is to finish the migration and to measure how long it takes.",
)
_PAUSE_MS = 300
_SAMPLE_RATE_HZ = 16_000
_SAMPLE_BYTES = 2
_PATIENCE_S = 120

Method = Callable[[], dict[str, str]]
"""Transcribes all tracks; returns speaker -> everything the speaker said."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A standup whose words are known."""

    tracks: Mapping[str, Path]
    """Speaker -> Ogg Opus file on the meeting clock."""
    utterances: tuple[Utterance, ...]
    """What was said, with its text."""

    @property
    def words(self) -> dict[str, str]:
        """Speaker -> everything the speaker said."""
        return _joined(self.utterances)

    @property
    def speech_s(self) -> float:
        """Seconds of speech, all speakers together."""
        return sum(one.end_ms - one.start_ms for one in self.utterances) / 1000


@dataclass(frozen=True, slots=True)
class Score:
    """One way to transcribe: medians over the repetitions."""

    wall_s: float
    real_time_factor: float
    """Wall seconds per second of speech; smaller is faster."""
    word_error_rate: float


@dataclass(frozen=True, slots=True)
class TranscribeFigures:
    """The stage beside plain faster-whisper in one run."""

    model: str
    device: str
    compute_type: str
    cores: int
    repetitions: int
    speech_s: float
    ours: Score
    plain: Score
    """`WhisperModel.transcribe` with ``vad_filter`` and ``word_timestamps``, track after track."""
    batched: Score
    """`BatchedInferencePipeline.transcribe` with ``word_timestamps``, track after track."""

    @property
    def times_plain(self) -> float:
        """How many times faster than plain faster-whisper the stage is."""
        return self.plain.wall_s / self.ours.wall_s

    @property
    def times_batched(self) -> float:
        """How many times faster than faster-whisper's own batches the stage is."""
        return self.batched.wall_s / self.ours.wall_s


def run(settings: WhisperSettings, minutes: float = 1.5, repetitions: int = 3) -> TranscribeFigures:
    """Transcribe about *minutes* of meeting *repetitions* times each way, alternating, and return the medians.

    Raises ServiceMissing without flite, ffmpeg or jiwer, and ModelLoadError without the model.
    """
    from standup.transcribe.models import resolve
    from standup.transcribe.whisper import WhisperEngine

    choice = resolve(settings)
    engine = WhisperEngine(choice)
    with tempfile.TemporaryDirectory(prefix="standup-bench-") as folder:
        rehearsal = rehearse(Path(folder), minutes)
        methods = _methods(choice, engine, rehearsal, settings.language)
        for method in methods.values():
            method()  # loads the model and warms the caches
        walls: dict[str, list[float]] = {name: [] for name in methods}
        said: dict[str, dict[str, str]] = {}
        for _ in range(repetitions):
            for name, method in methods.items():
                began_s = time.perf_counter()
                said[name] = method()
                walls[name].append(time.perf_counter() - began_s)
    scores = {name: _score(rehearsal, statistics.median(walls[name]), said[name]) for name in methods}
    return TranscribeFigures(
        choice.label,
        choice.device,
        choice.compute_type,
        engine.lanes,
        repetitions,
        rehearsal.speech_s,
        **scores,
    )


def rehearse(folder: Path, minutes: float, sentences: Sequence[str] = SENTENCES) -> Rehearsal:
    """Make the tracks of a standup of about *minutes* in *folder*, voices taking turns.

    Raises ServiceMissing when flite or ffmpeg is not installed.
    """
    sounds = {voice: bytearray() for voice in VOICES}
    utterances: list[Utterance] = []
    at_ms = _PAUSE_MS
    for index, (text, turn) in enumerate(zip(cycle(sentences), cycle(_turns(len(VOICES))), strict=False)):
        if at_ms >= minutes * 60_000:
            break
        pcm = _spoken(VOICES[turn], text)
        length_ms = len(pcm) * 1000 // (_SAMPLE_RATE_HZ * _SAMPLE_BYTES)
        utterance = Utterance(f"u{index:04}", VOICES[turn], at_ms, at_ms + length_ms).heard(text)
        track = sounds[utterance.speaker]
        track.extend(bytes(_position_bytes(at_ms) - len(track)))
        track.extend(pcm)
        utterances.append(utterance)
        at_ms += length_ms + _PAUSE_MS
    spoken = [voice for voice in VOICES if sounds[voice]]
    for voice in spoken:
        encode(bytes(sounds[voice]), folder / f"{voice}.ogg")
    return Rehearsal({voice: folder / f"{voice}.ogg" for voice in spoken}, tuple(utterances))


def encode(pcm: bytes, path: Path) -> None:
    """Write 16-bit mono PCM at 16 kHz to *path* as Ogg Opus, as Discord's clients encode speech."""
    source = ["-f", "s16le", "-ar", str(_SAMPLE_RATE_HZ), "-ac", "1", "-i", "-"]
    target = ["-ar", "48000", "-c:a", "libopus", "-b:a", "64k", "-application", "voip", str(path)]
    _program(["ffmpeg", "-y", "-v", "error", *source, *target], pcm)


def _turns(voices: int) -> list[int]:
    """Return who speaks when: everybody in turn, then in another order, so that all meet all sentences."""
    return [(turn + turn // voices) % voices for turn in range(voices * voices)]


@lru_cache(maxsize=256)
def _spoken(voice: str, text: str) -> bytes:
    """Return *text* in a voice of flite as 16-bit mono PCM at 16 kHz."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        _program(["flite", "-voice", voice, "-t", text, "-o", wav.name])
        with wave.open(wav.name) as sound:
            if sound.getframerate() != _SAMPLE_RATE_HZ:
                raise ServiceMissing(
                    f"flite's voice {voice} is not at 16 kHz; install the flite of your system."
                )
            return bytes(sound.readframes(sound.getnframes()))


def _position_bytes(time_ms: int) -> int:
    return time_ms * _SAMPLE_RATE_HZ // 1000 * _SAMPLE_BYTES


def _program(command: list[str], given: bytes = b"") -> None:
    try:
        subprocess.run(command, input=given, check=True, capture_output=True, timeout=_PATIENCE_S)
    except (OSError, subprocess.SubprocessError) as cause:
        raise ServiceMissing(f"{command[0]} is not installed or failed; run `./setup.sh`.") from cause


def _methods(
    choice: ModelChoice, engine: WhisperEngine, rehearsal: Rehearsal, language: str
) -> dict[str, Method]:
    """Return the three ways, under the names of their fields."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    from standup.transcribe.stage import Terms, transcribe

    stock = WhisperModel(
        str(choice.path), device=choice.device, compute_type=choice.compute_type, cpu_threads=engine.lanes
    )
    batches = BatchedInferencePipeline(stock)
    todo = [Utterance(one.id, one.speaker, one.start_ms, one.end_ms) for one in rehearsal.utterances]

    def ours() -> dict[str, str]:
        return _joined(transcribe(rehearsal.tracks, todo, engine, Terms(language)).utterances)

    def by(model: WhisperModel | BatchedInferencePipeline) -> dict[str, str]:
        options = {"word_timestamps": True, "vad_filter": True}
        code = None if language == "auto" else language
        return {
            speaker: " ".join(one.text for one in model.transcribe(str(path), language=code, **options)[0])
            for speaker, path in rehearsal.tracks.items()
        }

    return {"ours": ours, "plain": lambda: by(stock), "batched": lambda: by(batches)}


def _joined(utterances: Sequence[Utterance]) -> dict[str, str]:
    ordered = sorted(utterances, key=lambda one: one.start_ms)
    speakers = sorted({one.speaker for one in ordered})
    return {name: " ".join(one.text for one in ordered if one.speaker == name) for name in speakers}


def _score(rehearsal: Rehearsal, wall_s: float, said: Mapping[str, str]) -> Score:
    rate = word_error_rate(rehearsal.words, said)
    return Score(wall_s, wall_s / rehearsal.speech_s, rate)


def word_error_rate(spoken: Mapping[str, str], heard: Mapping[str, str]) -> float:
    """Return the word error rate over all speakers, case and punctuation aside.

    *spoken*, *heard*: speaker -> text; a speaker not heard counts as silent.
    """
    try:
        import jiwer
    except ImportError as cause:
        raise ServiceMissing("jiwer is not installed; run `./setup.sh`.") from cause
    names = sorted(spoken)
    return float(
        jiwer.wer([_plain(spoken[one]) for one in names], [_plain(heard.get(one, "")) for one in names])
    )


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())
