"""The microphones that PortAudio knows, and how a person names one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from standup.errors import AudioCaptureError, InputRefused, ServiceMissing

SEE_LIST = "`standup record --list` shows the microphones there are"


class MicrophoneLost(AudioCaptureError):
    """A microphone delivers nothing; check that it is connected."""


@dataclass(frozen=True, slots=True)
class Device:
    """One input of the sound system."""

    number: int
    """PortAudio's; another one may have it after a restart."""
    name: str
    system: str
    """Which sound interface it is reached through (ALSA, Core Audio, …)."""
    is_default: bool = False


def portaudio() -> Any:
    """Return sounddevice, which starts PortAudio; raise ServiceMissing without the library."""
    try:
        import sounddevice
    except OSError as cause:
        raise ServiceMissing(
            "PortAudio is not installed; run ./setup.sh or `apt-get install libportaudio2`."
        ) from cause
    return sounddevice


def devices(sound: Any) -> tuple[Device, ...]:
    """Return all inputs that PortAudio knows, by number; none is an empty tuple. Raises MicrophoneLost."""
    try:
        systems = sound.query_hostapis()
        inputs = [one for one in sound.query_devices() if one["max_input_channels"] > 0]
    except sound.PortAudioError as cause:
        raise MicrophoneLost(
            "PortAudio cannot list the microphones; check the sound system and try again."
        ) from cause
    default = _default(sound)
    return tuple(
        Device(one["index"], one["name"], systems[one["hostapi"]]["name"], one["index"] == default)
        for one in inputs
    )


def _default(sound: Any) -> int | None:
    try:
        return int(sound.query_devices(kind="input")["index"])
    except sound.PortAudioError:
        return None


def find(wanted: str, among: Sequence[Device]) -> Device:
    """Return the device with a number, a name, or a part of a name that no other has; case does not count.

    Raises InputRefused when there is none or more than one.
    """
    text = wanted.strip().casefold()
    by_number = [one for one in among if str(one.number) == text]
    by_name = [one for one in among if one.name.casefold() == text]
    by_part = [one for one in among if text and text in one.name.casefold()]
    for found in (by_number, by_name, by_part):
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(str(one.number) for one in found)
            raise InputRefused(f"Microphones {numbers} are all called {wanted!r}; give one of these numbers.")
    raise InputRefused(f"No microphone is called {wanted!r}; {SEE_LIST}.")
