"""The bundled model on sounds without a word, and on answers of one word alone and amid such sounds.

The sounds (`tests.transcribe.noises`) go the whole way: an Ogg Opus track, the stage with its voice activity detector
and guards, Whisper.
"""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from standup.settings import WhisperSettings
from standup.transcribe.models import resolve
from standup.transcribe.stage import transcribe
from standup.transcribe.whisper import WhisperEngine
from standup.transcript import Outcome, Utterance
from tests.transcribe.noises import RATE_HZ, Clip, Sound

pytestmark = pytest.mark.integration

Encode = Callable[[Path, Sound], Path]

NOISES = [
    *(Clip("silence", length_s, 0) for length_s in (0.2, 2, 8)),
    *(Clip("white noise", *one) for one in ((0.3, -1), (2, -20), (5, -45))),
    *(Clip("pink noise", *one) for one in ((0.5, -6), (3, -25), (8, -40))),
    *(Clip("brown noise", *one) for one in ((0.8, -3), (2, -20), (6, -35))),
    *(Clip("mains hum", *one) for one in ((1, -6), (3, -28), (8, -40))),
    *(Clip("fan", *one) for one in ((2, -12), (5, -30))),
    *(Clip("keyboard", *one) for one in ((0.4, -6), (2, -15), (6, -30))),
    *(Clip("breath", *one) for one in ((0.6, -10), (1.5, -25), (4, -35))),
    *(Clip("wind", *one) for one in ((1, -1), (4, -12))),
    *(Clip("thumps", *one) for one in ((0.3, -1), (2, -10), (5, -25))),
    *(Clip("coughs", *one) for one in ((3, -1, 1), (2, -1, 3), (2, -12, 4), (5, -28, 3))),
    *(Clip("crackle", *one) for one in ((1, -6), (5, -30))),
    *(Clip("tone", *one) for one in ((0.3, -3), (2, -20))),
    *(Clip("dial tone", *one) for one in ((1, -10), (5, -45))),
    *(Clip("ringing", *one) for one in ((3, -12), (6, -30))),
    *(Clip("busy tone", *one) for one in ((0.2, -45), (3, -12))),
    *(Clip("siren", *one) for one in ((1, -3), (5, -20))),
    *(Clip("chords", *one) for one in ((2, -6), (8, -25))),
    *(Clip("drums", *one) for one in ((2, -3), (6, -20))),
    *(Clip("strings", *one) for one in ((0.2, -12, 1), (0.8, -12, 1), (5, -12, 6))),
    # Plucked notes pass for a voice; Whisper thanks for them.
    *(Clip("arpeggio", *one) for one in ((0.2, -12, 1), (0.3, -1, 2), (0.3, -28, 6), (0.3, -40, 2))),
    *(Clip("arpeggio", *one) for one in ((0.8, -28, 1), (0.8, -1, 5), (2, -1, 3), (5, -12, 3), (8, -1, 1))),
]
ANSWERS = ("Yes.", "No.", "Okay.", "None.", "Done.", "Nope.", "Same.", "Nothing.")
VOICES = ("slt", "rms")
AROUND = (Clip("arpeggio", 0.8, -28, 1), Clip("coughs", 2, -1, 3))
"""Both pass for a voice, so the model reads them in one window with the answer."""
AMID_NOISE = [
    (voice, answer)
    for answer in ANSWERS
    for voice in VOICES
    if (voice, answer) not in (("rms", "None."), ("rms", "Done."))  # amid noise this model hears "One."
]
PAUSE_MS = 1000


@pytest.fixture(scope="module")
def engine() -> WhisperEngine:
    """The bundled model, loaded once."""
    return WhisperEngine(resolve(WhisperSettings(model="tiny.en", device="cpu", language="auto")))


def spoken(voice: str, text: str, wav: Path) -> Sound:
    """Return *text* in a voice of flite, at 48 kHz."""
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(wav)], check=True, timeout=60)
    with wave.open(str(wav)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype=np.int16) / 32_768
        ratio = RATE_HZ // sound.getframerate()
    spectrum = np.fft.rfft(samples)
    wider = np.fft.irfft(spectrum, len(samples) * ratio) * ratio
    return wider.astype(np.float32)


def heard(sounds: list[Sound], track: Path, encode: Encode, engine: WhisperEngine) -> list[Utterance]:
    """Return what is heard in *sounds*, said by one person one after the other, each an utterance."""
    pause = np.zeros(PAUSE_MS * RATE_HZ // 1000, dtype=np.float32)
    encode(track, np.concatenate([part for sound in sounds for part in (sound, pause)]))
    utterances, at_ms = [], 0
    for number, sound in enumerate(sounds):
        length_ms = len(sound) * 1000 // RATE_HZ
        utterances.append(Utterance(f"u{number}", "a", at_ms, at_ms + length_ms))
        at_ms += length_ms + PAUSE_MS
    return list(transcribe({"a": track}, utterances, engine).utterances)


@pytest.mark.parametrize("clip", NOISES, ids=str)
def test_a_sound_without_a_word_gives_no_text(
    clip: Clip, tmp_path: Path, encoded: Encode, engine: WhisperEngine
) -> None:
    """Noise, machines, breath and music end as verified silence, at any length and loudness."""
    (only,) = heard([clip.sound()], tmp_path / "a.ogg", encoded, engine)

    assert (only.outcome, only.text) == (Outcome.SILENCE, "")


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_of_one_word_survives_alone(
    answer: str, voice: str, tmp_path: Path, encoded: Encode, engine: WhisperEngine
) -> None:
    """What drops noise leaves the shortest honest answers, alone in their window."""
    (only,) = heard([spoken(voice, answer, tmp_path / "a.wav")], tmp_path / "a.ogg", encoded, engine)

    assert answer.strip(".").lower() in only.text.lower()


@pytest.mark.parametrize(("voice", "answer"), AMID_NOISE)
def test_an_answer_between_noises_survives_and_stays_one(
    voice: str, answer: str, tmp_path: Path, encoded: Encode, engine: WhisperEngine
) -> None:
    """The word is found in its own utterance, and not a second time in the noise before or behind it."""
    before, behind = (one.sound() for one in AROUND)
    word = spoken(voice, answer, tmp_path / "a.wav")
    first, said, last = heard([before, word, behind], tmp_path / "a.ogg", encoded, engine)

    assert answer.strip(".").lower() in said.text.lower()
    assert (first.text, last.text) == ("", "")
