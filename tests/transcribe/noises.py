"""Sounds without a word, made from fixed seeds: what microphones pick up between words, and music.

Each sound is mono in [-1, 1] at 48 kHz and the same on every machine. No file, no model, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

RATE_HZ = 48_000

Sound = npt.NDArray[np.float32]
Maker = Callable[[float, np.random.Generator], npt.NDArray[np.float64]]
"""Makes a sound of so many seconds, of any loudness."""


class Clip(NamedTuple):
    """One sound of the test set."""

    kind: str
    length_s: float
    peak_db: float
    """The loudest sample, in dB below full scale."""
    seed: int = 0

    def sound(self) -> Sound:
        """Return its samples."""
        made = MAKERS[self.kind](self.length_s, np.random.default_rng(self.seed))
        peak = np.abs(made).max() or 1.0
        return (made * 10 ** (self.peak_db / 20) / peak).astype(np.float32)

    def __str__(self) -> str:
        return f"{self.kind}, {self.length_s:g} s, {self.peak_db:g} dB"


def _time_s(length_s: float) -> npt.NDArray[np.float64]:
    return np.arange(round(length_s * RATE_HZ)) / RATE_HZ


def _colored(exponent: float) -> Maker:
    """Return a maker of noise whose power falls with the frequency to the power *exponent*, from 20 Hz on."""

    def make(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
        spectrum = np.fft.rfft(random.standard_normal(len(_time_s(length_s))))
        frequencies = np.fft.rfftfreq(len(_time_s(length_s)), 1 / RATE_HZ)
        shaped = spectrum * np.maximum(frequencies, 20.0) ** (-exponent / 2) * (frequencies >= 20)
        return np.fft.irfft(shaped, len(_time_s(length_s)))

    return make


def _tones(*frequencies_hz: float) -> Maker:
    """Return a maker of sines sounding together, each weaker than the one before."""

    def make(length_s: float, _: np.random.Generator) -> npt.NDArray[np.float64]:
        time_s = _time_s(length_s)
        return sum(
            (np.sin(2 * np.pi * hz * time_s) / (at + 1) for at, hz in enumerate(frequencies_hz)), 0 * time_s
        )

    return make


def _cadence(maker: Maker, on_s: float, off_s: float) -> Maker:
    """Return a maker of a sound that is on and off in turn, as telephones ring."""

    def make(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
        return maker(length_s, random) * (_time_s(length_s) % (on_s + off_s) < on_s)

    return make


def _at(length_s: float, starts_s: Sequence[float], hit: Maker, random: np.random.Generator, hit_s: float):  # type: ignore[no-untyped-def]
    """Return one *hit* of *hit_s* seconds at each of *starts_s*."""
    sound = np.zeros(len(_time_s(length_s)))
    for start_s in starts_s:
        at = round(start_s * RATE_HZ)
        part = hit(hit_s, random)[: max(0, len(sound) - at)]
        sound[at : at + len(part)] += part
    return sound


def _decaying(maker: Maker, half_s: float) -> Maker:
    """Return a maker of a sound that is half as loud every *half_s* seconds."""
    return lambda length_s, random: maker(length_s, random) * 0.5 ** (_time_s(length_s) / half_s)


def _clicks(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make keys that go down and, softer, up, at a typist's uneven pace."""
    starts_s = np.cumsum(random.uniform(0.09, 0.28, size=100))
    key = _decaying(_colored(0.0), 0.004)
    down = _at(length_s, starts_s[starts_s < length_s], key, random, 0.04)
    up = _at(length_s, starts_s[starts_s < length_s - 0.07] + 0.07, key, random, 0.04)
    return down + 0.4 * up


def _breath(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make breaths in and out, a second and a half each, as noise that swells."""
    swell = np.sin(np.pi * _time_s(length_s) / min(1.5, length_s)) ** 2
    return _colored(1.0)(length_s, random) * swell


def _wind(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make blowing into the microphone: gusts of deep noise."""
    gusts = 0.3 + np.abs(np.sin(2 * np.pi * 0.7 * _time_s(length_s)))
    return _colored(2.0)(length_s, random) * gusts


def _thumps(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make knocks on the table."""
    starts_s = np.arange(0.02, length_s, 0.6)
    return _at(length_s, starts_s, _decaying(_tones(60, 95), 0.03), random, 0.3)


def _crackle(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make single samples that jump, as of a bad plug."""
    size = len(_time_s(length_s))
    return random.standard_normal(size) * (random.random(size) < 0.002)


def _melody(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make plucked notes of a scale, one after the other."""
    scale_hz = 220 * 2 ** (np.array([0, 2, 4, 7, 9, 12, 14, 16]) / 12)
    sound = np.zeros(len(_time_s(length_s)))
    for start_s in np.arange(0.0, length_s, 0.22):
        hz = float(random.choice(scale_hz))
        sound += _at(length_s, [start_s], _decaying(_tones(hz, 2 * hz, 3 * hz), 0.12), random, 0.8)
    return sound


def _chords(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make three chords held a second each, with a slow tremolo."""
    roots_hz = (261.6, 220.0, 174.6)
    sound = np.zeros(len(_time_s(length_s)))
    for at, start_s in enumerate(np.arange(0.0, length_s, 1.0)):
        root = roots_hz[at % 3]
        sound += _at(length_s, [start_s], _tones(root, root * 1.26, root * 1.5), random, 1.0)
    return sound * (1 + 0.3 * np.sin(2 * np.pi * 5 * _time_s(length_s)))


def _drums(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make bass drum, snare and hi-hat at 120 beats a minute."""
    kick = _at(length_s, np.arange(0, length_s, 1.0), _decaying(_tones(55, 80), 0.04), random, 0.3)
    snare = _at(length_s, np.arange(0.5, length_s, 1.0), _decaying(_colored(0.5), 0.03), random, 0.2)
    hat = _at(length_s, np.arange(0, length_s, 0.25), _decaying(_colored(-1.0), 0.01), random, 0.05)
    return (
        kick / np.abs(kick).max()
        + 0.6 * snare / max(1e-9, np.abs(snare).max())
        + 0.3 * hat / np.abs(hat).max()
    )


def _siren(length_s: float, _: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make a tone that rises and falls between 500 and 1100 Hz."""
    hz = 800 + 300 * np.sin(2 * np.pi * 0.5 * _time_s(length_s))
    return np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ)


def _fan(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make a machine's fan: noise with the beat of its blades."""
    noise = _colored(1.0)(length_s, random)
    return noise / np.abs(noise).max() + 0.4 * _tones(120, 240, 360)(length_s, random)


def _strings(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make bowed notes with vibrato: of all instruments the nearest to a voice."""
    sound = np.zeros(len(_time_s(length_s)))
    for start_s in np.arange(0.0, length_s, 0.7):
        hz = float(random.choice([196.0, 220.0, 246.9, 293.7]))
        phase = 2 * np.pi * hz * _time_s(0.7) - 0.6 * np.cos(2 * np.pi * 5.5 * _time_s(0.7))
        bowed = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12))
        swell = np.sin(np.pi * _time_s(0.7) / 0.7) ** 0.5
        sound += _at(length_s, [start_s], lambda _s, _r, note=bowed * swell: note, random, 0.7)
    return sound


def _coughs(length_s: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Make bursts of noise coloured by a throat: no voice in them."""
    throat = np.convolve(
        _decaying(_tones(600, 1100, 2400), 0.002)(0.02, random), _decaying(_colored(0.0), 0.06)(0.35, random)
    )
    return _at(length_s, np.arange(0.02, length_s, 0.5), lambda _s, _r: throat, random, 0.37)


MAKERS: dict[str, Maker] = {
    "silence": lambda length_s, _: np.zeros(len(_time_s(length_s))),
    "white noise": _colored(0.0),
    "pink noise": _colored(1.0),
    "brown noise": _colored(2.0),
    "mains hum": _tones(50, 150, 250),
    "fan": _fan,
    "keyboard": _clicks,
    "breath": _breath,
    "wind": _wind,
    "thumps": _thumps,
    "crackle": _crackle,
    "tone": _tones(440),
    "dial tone": _tones(350, 440),
    "ringing": _cadence(_tones(440, 480), 1.0, 2.0),
    "busy tone": _cadence(_tones(480, 620), 0.5, 0.5),
    "siren": _siren,
    "chords": _chords,
    "arpeggio": _melody,
    "drums": _drums,
    "strings": _strings,
    "coughs": _coughs,
}
