"""A PortAudio without hardware: what sounddevice offers of it, driven by the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

SILENT_PCM = bytes(1920)


class PortAudioError(Exception):
    """What sounddevice raises."""


class FakeStream:
    """An open stream; `deliver` and `finish` do what PortAudio's thread would."""

    def __init__(self, sound: FakeSound, options: dict[str, Any]) -> None:
        self._sound, self._options = sound, options
        self.device = options["device"]

    def start(self) -> None:
        self._sound.done.append("start")
        if self._sound.delivers:
            self.deliver()

    def deliver(self, pcm: bytes = SILENT_PCM, *, overflow: bool = False) -> None:
        self._options["callback"](pcm, 960, None, SimpleNamespace(input_overflow=overflow))

    def finish(self) -> None:
        self._options["finished_callback"]()

    def abort(self, ignore_errors: bool = True) -> None:
        self._sound.hanging()

    def close(self, ignore_errors: bool = True) -> None:
        self._sound.done.append("close")


class FakeSound:
    """The module `sounddevice`, as far as `Microphones` uses it; *names* are its inputs."""

    PortAudioError = PortAudioError

    def __init__(self, names: Sequence[str] = ("Built-in", "USB Headset")) -> None:
        self.names = list(names)
        self.done: list[str] = []
        self.streams: list[FakeStream] = []
        self.refusals = 0
        self.delivers = True
        self.hanging: Callable[[], object] = lambda: None

    def query_hostapis(self) -> tuple[dict[str, Any], ...]:
        return ({"name": "ALSA"},)

    def query_devices(self, kind: str | None = None) -> Any:
        inputs = [
            {"index": number, "name": name, "hostapi": 0, "max_input_channels": 1}
            for number, name in enumerate(self.names)
        ]
        if kind is None:
            speaker = {"index": len(inputs), "name": "Speaker", "hostapi": 0, "max_input_channels": 0}
            return [*inputs, speaker]
        if not inputs:
            raise PortAudioError("Error querying device -1")
        return inputs[0]

    def RawInputStream(self, **options: Any) -> FakeStream:
        self.done.append("open")
        if self.refusals:
            self.refusals -= 1
            raise PortAudioError("Device unavailable")
        self.streams.append(FakeStream(self, options))
        return self.streams[-1]

    def _terminate(self) -> None:
        self.done.append("terminate")

    def _initialize(self) -> None:
        self.done.append("initialize")

    def restart_server(self) -> bool:
        """Stand in for `sound_server.restart`."""
        self.done.append("restart")
        return True
