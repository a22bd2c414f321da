"""Measure the transcribe stage beside what else one would use, on the same tracks, model and cores.

The tracks are a rehearsal: of synthetic voices (`standup.bench.rehearsal`) or of real recordings
(`standup.bench.recordings`). Contenders take turns, so that a machine whose clock wanders is slow for all of them.
Synthetic voices flatter every recognizer alike; read ratios and differences. In every repetition the synthetic voices
say something else: on the words of a single meeting of ten minutes, the same two contenders were found two points of
word error rate apart in one direction and one and a half in the other.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import TypeVar

from standup.bench.accuracy import Placement, placed, word_error_rate
from standup.bench.contenders import Contender, Job, Run, compete
from standup.bench.pieces import Piece, joined
from standup.bench.rehearsal import SAMPLE_RATE_HZ, SENTENCES, Rehearsal, encode, rehearse
from standup.bench.targets import Target, least, most
from standup.bench.ways import command_path
from standup.settings import WhisperSettings
from standup.transcribe.models import ModelChoice, resolve
from standup.transcript import Outcome, Utterance

LEAST_TIMES = {Contender.PLAIN: 5.0, Contender.BATCHED: 3.0, Contender.TUNED: 1.6}
"""How many times faster than each the stage must be."""
MOST_WER_ABOVE_PERCENT = 0.5
"""How many points the word error rate by utterance may lie above that of the tuned peer."""
MOST_START_ERROR_MS = 300
_TIMELESS = Contender.BATCHED
# Ten times slower than sound, and the loading of a large model from a slow disk.
_PATIENCE_S, _PATIENCE_PER_SPEECH_S = 300, 10

_Said = TypeVar("_Said", Utterance, Piece)


@dataclass(frozen=True, slots=True)
class Score:
    """One contender: medians over the repetitions, words of all of them."""

    wall_s: float
    startup_s: float
    """How much of the wall time a command needs before it works; 0 where the model was loaded before."""
    real_time_factor: float
    """Wall seconds per second of speech; smaller is faster."""
    word_error_rate: float
    """By speaker."""
    placement: Placement | None
    """How the words lie among the utterances; None where the contender or the rehearsal cannot tell."""
    peak_mb: float


@dataclass(frozen=True, slots=True)
class TranscribeFigures:
    """All contenders in one run."""

    model: str
    device: str
    compute_type: str
    cores: int
    repetitions: int
    utterances: int
    """In all repetitions."""
    speech_s: float
    """In one repetition, the median."""
    floor_s: float
    """What the encoder alone takes for this much speech: windows of 15 s, no padding, one stream per core."""
    scores: Mapping[Contender, Score]
    """Every contender but the floor."""

    def times(self, contender: Contender) -> float:
        """Return how many times faster than *contender* the stage is."""
        return self.scores[contender].wall_s / self.scores[Contender.OURS].wall_s

    def times_started(self, contender: Contender) -> float:
        """Return the same, had *contender* started before: without its start-up."""
        other = self.scores[contender]
        return (other.wall_s - other.startup_s) / self.scores[Contender.OURS].wall_s

    @property
    def targets(self) -> tuple[Target, ...]:
        """What the stage must reach, and what it does reach."""
        ours, tuned = self.scores[Contender.OURS].placement, self.scores[Contender.TUNED].placement
        late_ms = None if ours is None else ours.start_error_p95_ms
        above = None
        if ours is not None and tuned is not None:
            above = 100 * (ours.word_error_rate - tuned.word_error_rate)
        return (
            *(
                least(f"times faster than `{one.value}`", self.times(one), wanted)
                for one, wanted in LEAST_TIMES.items()
            ),
            most("WER by utterance above `tuned`, points", above, MOST_WER_ABOVE_PERCENT),
            most("start error (p95), ms", late_ms, MOST_START_ERROR_MS),
        )


def run(
    settings: WhisperSettings,
    minutes: float = 10.0,
    repetitions: int = 3,
    sentences: Sequence[str] = SENTENCES,
    recordings: Path | None = None,
) -> TranscribeFigures:
    """Let every contender transcribe about *minutes* of meeting *repetitions* times, alternating.

    The meetings are made of *sentences* in synthetic voices, each of the next ones, or of a folder of *recordings*,
    always the same. Raises ServiceMissing without flite, ffmpeg, whisper-ctranslate2, jiwer or the normalizer,
    ModelLoadError without the model, InputRefused for recordings that cannot be read, and StandupError when a
    contender fails.
    """
    command_path()  # missed before the work rather than after half of it
    choice = resolve(settings)
    told = cycle(sentences)
    meetings: list[Rehearsal] = []
    runs: dict[Contender, list[Run]] = {one: [] for one in Contender}
    for _ in range(repetitions):
        with tempfile.TemporaryDirectory(prefix="standup-bench-") as scratch:
            rehearsal = _rehearsed(Path(scratch), minutes, told, recordings)
            job = _job(choice, rehearsal, Path(scratch))
            meetings.append(rehearsal)
            for contender, done in runs.items():
                done.append(compete(contender, job))
    floor_s = statistics.median(one.wall_s for one in runs.pop(Contender.FLOOR))
    return TranscribeFigures(
        choice.label,
        choice.device,
        choice.compute_type,
        job.cores,
        repetitions,
        sum(len(one.utterances) for one in meetings),
        statistics.median(one.speech_s for one in meetings),
        floor_s,
        {one: score(meetings, done, one is not _TIMELESS) for one, done in runs.items()},
    )


def score(meetings: Sequence[Rehearsal], runs: Sequence[Run], tells_times: bool = True) -> Score:
    """Return the score of a contender's *runs*, one of each of the *meetings*, at least one.

    *tells_times*: whether its pieces have usable times.
    """
    utterances = [_numbered(at, one) for at, meeting in enumerate(meetings) for one in meeting.utterances]
    pieces = [_numbered(at, one) for at, run in enumerate(runs) for one in run.pieces]
    words = {
        f"{at} {name}": said for at, meeting in enumerate(meetings) for name, said in meeting.words.items()
    }
    is_known = all(one.text for one in utterances)
    return Score(
        statistics.median(one.wall_s for one in runs),
        statistics.median(one.startup_s for one in runs),
        statistics.median(run.wall_s / meeting.speech_s for run, meeting in zip(runs, meetings, strict=True)),
        word_error_rate(words, joined(pieces)),
        placed(utterances, pieces) if is_known and tells_times else None,
        statistics.median(one.peak_mb for one in runs),
    )


def _numbered(meeting: int, one: _Said) -> _Said:
    """Return an utterance or a piece under a speaker of this meeting alone, an utterance by an id of it alone."""
    if isinstance(one, Utterance):
        return replace(one, id=f"{meeting} {one.id}", speaker=f"{meeting} {one.speaker}")
    return replace(one, speaker=f"{meeting} {one.speaker}")


def _rehearsed(folder: Path, minutes: float, sentences: Iterator[str], recordings: Path | None) -> Rehearsal:
    if recordings is None:
        return rehearse(folder, minutes, sentences)
    from standup.bench.recordings import replay

    return replay(recordings, folder, minutes)


def _job(choice: ModelChoice, rehearsal: Rehearsal, folder: Path) -> Job:
    from standup.transcribe.whisper import WhisperEngine

    silence = folder / "silence.ogg"
    encode(bytes(SAMPLE_RATE_HZ), silence)  # half a second of two bytes a sample
    todo = tuple(replace(one, text="", outcome=Outcome.PENDING) for one in rehearsal.utterances)
    patience_s = _PATIENCE_S + _PATIENCE_PER_SPEECH_S * rehearsal.speech_s
    return Job(choice, WhisperEngine(choice).lanes, dict(rehearsal.tracks), todo, silence, patience_s)
