"""How each contender transcribes. Runs in the contender's own process.

A library loads its model and warms up on silence, and only the work after that is timed. A command is timed as its
user has it, start-up included; its run over silence tells how much that is.

Memory is the most that the contender's process occupied: ``ru_maxrss`` of a command, ``VmHWM`` of this process, whose
own ``ru_maxrss`` would begin with what its parent occupied when it started it (Linux counts across execve(2)).
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from standup.bench.contenders import Contender, Job, Run
from standup.bench.pieces import Piece
from standup.errors import ServiceMissing
from standup.transcribe import SAMPLE_RATE_HZ, Hints
from standup.transcribe.context import FRAMES_PER_S
from standup.transcript import Utterance

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

    from standup.transcribe import Pcm

LANGUAGE = "en"
COMMAND = "whisper-ctranslate2"
BATCH_WINDOWS = 8
FLOOR_WINDOW_S = 15
_KB_PER_MB = 1024


def command_path() -> str:
    """Return where whisper-ctranslate2 is, beside this Python or in the PATH; raise ServiceMissing without it."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(COMMAND, path=places)
    if found is None:
        raise ServiceMissing(f"{COMMAND} is not installed; run `./setup.sh`.")
    return found


def _ours(job: Job) -> Run:
    from standup.transcribe.stage import Terms, transcribe
    from standup.transcribe.whisper import WhisperEngine

    engine = WhisperEngine(job.model, job.cores)
    terms = Terms(LANGUAGE)
    # The stage never shows silence to the model, so each is warmed by itself.
    engine.read([_silence()], [Hints(LANGUAGE)])
    transcribe({"nobody": job.silence}, [Utterance("u", "nobody", 0, 500)], engine, terms)
    began_s = time.perf_counter()
    made = transcribe(job.tracks, job.utterances, engine, terms).utterances
    wall_s = time.perf_counter() - began_s
    pieces = (Piece(one.speaker, one.start_ms, one.end_ms, f" {one.text}") for one in made if one.text)
    return Run(wall_s, _peak_mb(), tuple(pieces))


def _tuned(job: Job) -> Run:
    from faster_whisper import BatchedInferencePipeline

    pipeline = BatchedInferencePipeline(_stock_model(job))
    read = partial(pipeline.transcribe, language=LANGUAGE, word_timestamps=True, batch_size=BATCH_WINDOWS)

    def heard(speaker: str) -> list[Piece]:
        segments, _ = read(str(job.tracks[speaker]), vad_filter=True)
        words = [word for segment in segments for word in segment.words]
        return [Piece(speaker, _ms(one.start), _ms(one.end), one.word) for one in words]

    for is_filtered in (False, True):
        list(read(_silence(), vad_filter=is_filtered)[0])
    began_s = time.perf_counter()
    with ThreadPoolExecutor(job.cores) as threads:
        found = list(threads.map(heard, job.tracks))
    wall_s = time.perf_counter() - began_s
    return Run(wall_s, _peak_mb(), tuple(piece for own in found for piece in own))


def _floor(job: Job) -> Run:
    import numpy as np

    model = _stock_model(job)
    bands = model.feature_extractor.mel_filters.shape[0]
    window = FLOOR_WINDOW_S * FRAMES_PER_S
    noise = np.random.default_rng(0).standard_normal((bands, window), np.float32)
    whole, rest = divmod(round(job.speech_s * FRAMES_PER_S), window)

    def encode(frames: int) -> None:
        model.encode(noise[:, :frames])

    with ThreadPoolExecutor(job.cores) as threads:
        list(threads.map(encode, [window] * job.cores))
        began_s = time.perf_counter()
        list(threads.map(encode, [window] * whole + [max(rest, 2)]))
        return Run(time.perf_counter() - began_s, _peak_mb())


def _command(job: Job, *options: str) -> Run:
    """Run whisper-ctranslate2 over silence, then over the tracks."""
    with tempfile.TemporaryDirectory(prefix="standup-command-") as folder:
        startup_s = _command_s(job, [job.silence], folder, options)
        wall_s = _command_s(job, list(job.tracks.values()), folder, options)
        answers = {
            name: json.loads(Path(folder, f"{path.stem}.json").read_bytes())
            for name, path in job.tracks.items()
        }
    pieces = (
        Piece(name, _ms(one["start"]), _ms(one["end"]), f" {one['text'].strip()}")
        for name, answer in answers.items()
        for one in answer["segments"]
    )
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _KB_PER_MB
    return Run(wall_s, peak_mb, tuple(pieces), startup_s)


def _command_s(job: Job, tracks: Sequence[Path], folder: str, options: Sequence[str]) -> float:
    """Let whisper-ctranslate2 write to *folder* what it hears on *tracks*; return the seconds it took."""
    choice = job.model
    model = ["--model_directory", str(choice.path), "--compute_type", choice.compute_type]
    machine = ["--device", choice.device, "--threads", str(job.cores)]
    answer = ["--output_dir", folder, "--output_format", "json", "--verbose", "False"]
    argv = [
        command_path(),
        *map(str, tracks),
        *model,
        *machine,
        "--language",
        LANGUAGE,
        *answer,
        *options,
    ]
    began_s = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, timeout=job.patience_s)
    return time.perf_counter() - began_s


def _stock_model(job: Job) -> WhisperModel:
    """Return faster-whisper's model as it uses the cores best: a stream on each, and numpy on none beside them."""
    from faster_whisper import WhisperModel

    from standup.transcribe import cores

    cores.leave_to_lanes()
    choice = job.model
    return WhisperModel(
        str(choice.path),
        device=choice.device,
        compute_type=choice.compute_type,
        cpu_threads=1,
        num_workers=job.cores,
    )


def _silence() -> Pcm:
    """Return a second of it."""
    import numpy as np

    return np.zeros(SAMPLE_RATE_HZ, np.float32)


def _ms(time_s: float) -> int:
    return round(1000 * time_s)


def _peak_mb() -> float:
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) / _KB_PER_MB if found else 0.0


WAYS: Mapping[Contender, Callable[[Job], Run]] = {
    Contender.OURS: _ours,
    Contender.PLAIN: _command,
    Contender.BATCHED: lambda job: _command(job, "--batched", "True"),
    Contender.TUNED: _tuned,
    Contender.FLOOR: _floor,
}
