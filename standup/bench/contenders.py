"""The contenders: ways to transcribe the same tracks, each run in a process of its own.

    python -m standup.bench.contenders NAME JOB.json

prints as JSON what the way of that name (`standup.bench.ways`) made of the job.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from standup.bench.pieces import Piece
from standup.errors import StandupError
from standup.transcribe.models import ModelChoice
from standup.transcript import Utterance


class Contender(str, Enum):
    """What is compared, and the floor below all of it."""

    OURS = "ours"
    """`standup.transcribe.stage.transcribe`."""
    PLAIN = "plain"
    """The command whisper-ctranslate2 over all tracks."""
    BATCHED = "batched"
    """The same with ``--batched True``; it tells no times that could be used."""
    TUNED = "tuned"
    """faster-whisper's batches with word times, a track per core: the best set-up of its own parts."""
    FLOOR = "floor"
    """No transcription: the encoder alone, over as much speech as there is, one stream per core."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every contender is given."""

    model: ModelChoice
    cores: int
    tracks: dict[str, Path]
    """Speaker -> audio file."""
    utterances: tuple[Utterance, ...]
    """Who spoke when, without the words: what Discord tells. Only our stage makes use of it."""
    silence: Path
    """A moment in which nobody speaks."""
    patience_s: float
    """How long one pass over the tracks may take."""

    @property
    def speech_s(self) -> float:
        """Seconds of speech, all speakers together."""
        return sum(one.end_ms - one.start_ms for one in self.utterances) / 1000


@dataclass(frozen=True, slots=True)
class Run:
    """What one contender made of the job, once."""

    wall_s: float
    peak_mb: float
    """The most memory that its process occupied."""
    pieces: tuple[Piece, ...] = ()
    startup_s: float = 0.0
    """How much of the wall time is start-up."""


_JOB, _RUN = TypeAdapter(Job), TypeAdapter(Run)


def compete(contender: Contender, job: Job) -> Run:
    """Let *contender* do the job in a new process.

    Raises StandupError when it fails, or takes longer than it may.
    """
    with tempfile.TemporaryDirectory(prefix="standup-contender-") as folder:
        path = Path(folder) / "job.json"
        path.write_bytes(_JOB.dump_json(job))
        argv = [sys.executable, "-m", "standup.bench.contenders", contender.value, str(path)]
        try:
            # A command takes its time twice: over silence and over the tracks.
            done = subprocess.run(
                argv, capture_output=True, text=True, timeout=3 * job.patience_s, check=False
            )
            return _RUN.validate_json(done.stdout)
        except subprocess.TimeoutExpired as cause:
            raise StandupError(
                f"The contender `{contender.value}` did not end within {3 * job.patience_s:.0f} s; "
                "ask for fewer --minutes or a smaller --model."
            ) from cause
        except ValidationError as cause:
            said = done.stderr.strip().rpartition("\n")[2]
            raise StandupError(
                f"The contender `{contender.value}` failed with status {done.returncode}: {said}"
            ) from cause


def main(argv: Sequence[str]) -> int:
    """Run the way that *argv* names on the job in a file, and print what came of it."""
    from standup.bench.ways import WAYS

    name, path = argv
    job = _JOB.validate_json(Path(path).read_bytes())
    # Nobody has more cores than another, however many threads a library starts.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job.cores])
    print(_RUN.dump_json(WAYS[Contender(name)](job)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
