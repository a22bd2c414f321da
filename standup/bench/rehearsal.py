"""Rehearsals: meetings whose words are known, made of synthetic voices.

Four voices (flite) take turns, each on an Ogg Opus track on the meeting clock. Synthetic voices flatter every
recognizer alike; `standup.bench.recordings` does the same with real ones.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import wave
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from random import Random

from standup.bench.marked import load
from standup.errors import ServiceMissing
from standup.transcript import Utterance

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
PAUSE_MS = 300
"""Between two turns."""
SAMPLE_RATE_HZ = 16_000
_SAMPLE_BYTES = 2
_PATIENCE_S = 120
_LEAST_BYTES_PER_S = 10 * SAMPLE_RATE_HZ * _SAMPLE_BYTES  # encoding is faster than ten times sound
_SEED = 1
_FEWEST_WORDS, _MOST_WORDS = 5, 32  # flite takes about 2 to 12 s for them
# What flite and the model's authors spell alike: no digits, symbols or letters that flite does not read.
_SPEAKABLE = re.compile(r"[A-Z][A-Za-z ,.?!'-]*[.?!]")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A meeting whose words are known."""

    tracks: Mapping[str, Path]
    """Speaker -> Ogg Opus file on the meeting clock."""
    utterances: tuple[Utterance, ...]
    """Who spoke when; with the text where it is known of each utterance."""
    words: Mapping[str, str]
    """Speaker -> everything the speaker said."""

    @property
    def speech_s(self) -> float:
        """Seconds of speech, all speakers together."""
        return sum(one.end_ms - one.start_ms for one in self.utterances) / 1000


@dataclass(slots=True)
class Tapes:
    """Everybody's sound on the meeting clock, in memory until it is written."""

    _sounds: dict[str, bytearray] = field(default_factory=dict)

    def lay(self, speaker: str, at_ms: int, pcm: bytes) -> int:
        """Lay 16-bit mono PCM at 16 kHz on the tape of *speaker*, whose last sound has ended; return when it ends."""
        tape = self._sounds.setdefault(speaker, bytearray())
        tape.extend(bytes(at_ms * SAMPLE_RATE_HZ // 1000 * _SAMPLE_BYTES - len(tape)))
        tape.extend(pcm)
        return at_ms + len(pcm) * 1000 // (SAMPLE_RATE_HZ * _SAMPLE_BYTES)

    def write(self, folder: Path) -> dict[str, Path]:
        """Write the tapes to *folder*; return speaker -> Ogg Opus file."""
        tracks = {speaker: folder / f"{speaker}.ogg" for speaker in self._sounds}
        for speaker, path in tracks.items():
            encode(bytes(self._sounds[speaker]), path)
        return tracks


def spoken_sentences(folder: Path) -> tuple[str, ...]:
    """Return what is said in the marked standups of *folder*, in one shuffled order; SENTENCES where there are none.

    Whole sentences of 5 to 32 words without digits and symbols. Raises what `standup.bench.marked.load` raises.
    """
    said = {line.text for standup in load(folder) for line in standup.lines}
    chosen = sorted(one for one in said if _SPEAKABLE.fullmatch(one) and _is_of_length(one))
    Random(_SEED).shuffle(chosen)
    return tuple(chosen) or SENTENCES


def rehearse(folder: Path, minutes: float, sentences: Iterable[str] = SENTENCES) -> Rehearsal:
    """Make the tracks of a standup of about *minutes* in *folder*, voices taking turns.

    They say the *sentences* in order, and from the first again where these end; of an iterator no more than are said
    is taken. Raises ServiceMissing when flite or ffmpeg is not installed.
    """
    tapes = Tapes()
    utterances: list[Utterance] = []
    at_ms = PAUSE_MS
    told = cycle(sentences)
    for index, turn in enumerate(cycle(_turns(len(VOICES)))):
        if at_ms >= minutes * 60_000:
            break
        text = next(told)
        end_ms = tapes.lay(VOICES[turn], at_ms, _spoken(VOICES[turn], text))
        utterances.append(Utterance(f"u{index:04}", VOICES[turn], at_ms, end_ms).heard(text))
        at_ms = end_ms + PAUSE_MS
    tracks = tapes.write(folder)
    words = {name: " ".join(one.text for one in utterances if one.speaker == name) for name in tracks}
    return Rehearsal(tracks, tuple(utterances), words)


def encode(pcm: bytes, path: Path) -> None:
    """Write 16-bit mono PCM at 16 kHz to *path* as Ogg Opus, as Discord's clients encode speech."""
    source = ["-f", "s16le", "-ar", str(SAMPLE_RATE_HZ), "-ac", "1", "-i", "-"]
    target = ["-ar", "48000", "-c:a", "libopus", "-b:a", "64k", "-application", "voip", str(path)]
    _program(["ffmpeg", "-y", "-v", "error", *source, *target], pcm)


def _is_of_length(text: str) -> bool:
    return _FEWEST_WORDS <= len(text.split()) <= _MOST_WORDS


def _turns(voices: int) -> list[int]:
    """Return who speaks when: everybody in turn, then in another order, so that all meet all sentences."""
    return [(turn + turn // voices) % voices for turn in range(voices * voices)]


@lru_cache(maxsize=256)
def _spoken(voice: str, text: str) -> bytes:
    """Return *text* in a voice of flite as 16-bit mono PCM at 16 kHz."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        _program(["flite", "-voice", voice, "-t", text, "-o", wav.name])
        with wave.open(wav.name) as sound:
            if sound.getframerate() != SAMPLE_RATE_HZ:
                raise ServiceMissing(
                    f"flite's voice {voice} is not at 16 kHz; install the flite of your system."
                )
            return bytes(sound.readframes(sound.getnframes()))


def _program(command: list[str], given: bytes = b"") -> None:
    limit_s = _PATIENCE_S + len(given) / _LEAST_BYTES_PER_S
    try:
        subprocess.run(command, input=given, check=True, capture_output=True, timeout=limit_s)
    except (OSError, subprocess.SubprocessError) as cause:
        raise ServiceMissing(f"{command[0]} is not installed or failed; run `./setup.sh`.") from cause
