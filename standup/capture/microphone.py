"""Microphones through PortAudio: frames of 20 ms in a bounded queue, and the way back when they stop.

A microphone is lost when PortAudio reports an error, when its stream ends, or when it delivers nothing for 2 s.
Then all are closed, the sound server is restarted where there is one (`sound_server`), PortAudio begins anew and
finds the devices again, and all are opened again (`Microphones.reopen`). `Patience` says how often.

A call into PortAudio may hang as long as the sound server does. So each runs in a thread of its own, one at a time,
and is waited for with a limit.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any

from standup.capture import sound_server
from standup.capture.devices import SEE_LIST, Device, MicrophoneLost, devices, find
from standup.capture.opus import FRAME_SAMPLES
from standup.capture.segments import Clock
from standup.capture.voice import RATE_HZ
from standup.errors import InputRefused

QUIET_S = 2.0
#: A stream that delivers nothing for so long is lost.
OPEN_S = 6.0
#: A sound server may take 2 s for the first frame.
CALL_S = 5.0
#: A limit for one call into PortAudio.
LOOK_S = 0.1
QUEUE_FRAMES = 3_000
#: A minute of one microphone.
TRIES = 3
STEADY_S = 10.0
PAUSE_S = 1.0
#: Before the second try; twice that before the third.


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of one microphone."""

    microphone: int
    """Its place among those opened together."""
    opening: int
    """How often they had been opened before."""
    monotonic_ns: int
    wall_ns: int
    pcm: bytes
    """int16 in the machine's order, mono, 48 kHz."""


class Patience:
    """Counts the tries of one outage: three, and three again once all went well for 10 s. Pure."""

    def __init__(self) -> None:
        self._tries = 0
        self._well_since_s = 0.0

    def lost(self, now_s: float) -> None:
        """Note that a microphone was lost at *now_s*."""
        if now_s - self._well_since_s >= STEADY_S:
            self._tries = 0

    def take(self) -> bool:
        """Take one try; return False when all are used up."""
        self._tries += 1
        return self._tries <= TRIES

    @property
    def pause_s(self) -> float:
        """How long to wait before the try that was taken."""
        return PAUSE_S * (self._tries - 1)

    def back(self, now_s: float) -> None:
        """Note that all microphones deliver again at *now_s*."""
        self._well_since_s = now_s


class _Stream:
    """One open stream and what its callback, on PortAudio's thread, has seen."""

    def __init__(self, microphone: int, opening: int, frames: queue.Queue[Frame], clock: Clock) -> None:
        self._place = (microphone, opening)
        self._frames = frames
        self._clock = clock
        self.last_ns: int | None = None
        self.overflows = 0
        self.has_ended = False
        self.handle: Any = None

    def hear(self, pcm: Any, _count: int, _time: object, status: Any) -> None:
        """Take one frame; never waits."""
        self.last_ns = self._clock.monotonic_ns()
        if status.input_overflow:
            self.overflows += 1
        try:
            self._frames.put_nowait(Frame(*self._place, self.last_ns, self._clock.wall_ns(), bytes(pcm)))
        except queue.Full:
            self.overflows += 1

    def end(self) -> None:
        """Note that PortAudio ended the stream."""
        self.has_ended = True


class Microphones:
    """Several microphones opened, read, lost and closed together. Owner: one thread."""

    def __init__(
        self,
        wanted: Sequence[str | None],
        sound: Any,
        *,
        restart: Callable[[], bool] = sound_server.restart,
        clock: Clock | None = None,
        open_s: float = OPEN_S,
    ) -> None:
        """Prepare; *wanted* is what `find` takes, or None for the sound system's default, whichever that is."""
        self._wanted = wanted
        self._known: dict[int, Device] = {}
        self._sound = sound
        self._restart = restart
        self._clock = clock or Clock()
        self._open_s = open_s
        self._frames: queue.Queue[Frame] = queue.Queue(QUEUE_FRAMES)
        self._streams: list[_Stream] = []
        self._openings = 0
        self._missed = 0
        self._call: futures.Future[None] | None = None

    @property
    def overflows(self) -> int:
        """How often sound was lost because it was not taken in time."""
        return self._missed + sum(one.overflows for one in self._streams)

    def open(self) -> None:
        """Open all and wait until each delivers.

        Raises, with none open, MicrophoneLost when one does not, and InputRefused when one is not to be found
        among others, or is wanted twice.
        """
        try:
            self._within(CALL_S, self._open)
            self._await_first()
        except (MicrophoneLost, InputRefused):
            self.close()
            raise

    def reopen(self) -> None:
        """Close all, restart the sound server and PortAudio, and open all again; raise MicrophoneLost."""
        self.close()
        self._restart()
        self._within(CALL_S, self._begin_anew)
        self.open()

    def read(self) -> Frame | None:
        """Return the next frame; None when none came within a tenth of a second.

        Raises MicrophoneLost when a microphone has ended or has delivered nothing for 2 s; `drain` has what came
        before that.
        """
        self._check()
        try:
            return self._frames.get(timeout=LOOK_S)
        except queue.Empty:
            return None

    def drain(self) -> list[Frame]:
        """Return what waits, without waiting."""
        waiting = []
        while not self._frames.empty():
            waiting.append(self._frames.get_nowait())
        return waiting

    def close(self) -> None:
        """Close all; one that hangs is left behind."""
        streams, self._streams = self._streams, []
        self._missed += sum(one.overflows for one in streams)
        try:
            self._within(CALL_S, lambda: _close(streams))
        except MicrophoneLost:
            return

    def _check(self) -> None:
        now_ns = self._clock.monotonic_ns()
        for number, one in enumerate(self._streams, 1):
            if one.has_ended or (one.last_ns is not None and now_ns - one.last_ns > QUIET_S * 1e9):
                raise MicrophoneLost(f"Microphone {number} delivers nothing; check that it is connected.")

    def _open(self) -> None:
        self._openings += 1
        # Where this call hangs and goes on later, its streams are not among those of a later one.
        streams = self._streams = []
        for number in range(len(self._wanted)):
            stream = _Stream(number, self._openings, self._frames, self._clock)
            try:
                stream.handle = self._sound.RawInputStream(
                    samplerate=RATE_HZ,
                    blocksize=FRAME_SAMPLES,
                    device=self._number(number),
                    channels=1,
                    dtype="int16",
                    callback=stream.hear,
                    finished_callback=stream.end,
                )
                streams.append(stream)
                stream.handle.start()
            except self._sound.PortAudioError as cause:
                raise MicrophoneLost(
                    f"Microphone {number + 1} cannot be opened; check that it is connected and that no other program "
                    f"holds it ({SEE_LIST})."
                ) from cause

    def _number(self, microphone: int) -> int | None:
        """Return PortAudio's number of a microphone at this moment; None for the default."""
        wanted = self._wanted[microphone]
        if wanted is None:
            return None
        among = devices(self._sound)
        if not among:
            raise MicrophoneLost("The sound system knows no microphone; connect one.")
        known = self._known.get(microphone)
        if known is None:
            known = find(wanted, among)
            if known in self._known.values():
                raise InputRefused(f"Microphone {known.number} was given twice; give each --device once.")
            self._known[microphone] = known
        for one in among:
            if (one.name, one.system) == (known.name, known.system):
                return one.number
        raise MicrophoneLost(f"Microphone {microphone + 1} is not there any more; connect it again.")

    def _await_first(self) -> None:
        deadline = time.monotonic() + self._open_s
        while any(one.last_ns is None for one in self._streams):
            self._check()
            if time.monotonic() > deadline:
                raise MicrophoneLost("A microphone was opened but delivers nothing; check the sound system.")
            time.sleep(LOOK_S / 10)

    def _begin_anew(self) -> None:
        """Have PortAudio forget its devices and look for them again."""
        try:
            self._sound._terminate()
        except self._sound.PortAudioError:
            pass  # it was not running, after a failed beginning
        try:
            self._sound._initialize()
        except self._sound.PortAudioError as cause:
            raise MicrophoneLost("PortAudio does not start; check the sound system.") from cause

    def _within(self, limit_s: float, action: Callable[[], None]) -> None:
        """Run *action* in a thread once the last one has ended; raise MicrophoneLost when it takes too long."""
        deadline = time.monotonic() + limit_s
        if self._call is not None:
            futures.wait([self._call], limit_s)
            if not self._call.done():
                raise MicrophoneLost("PortAudio hangs; restart the sound system.")
        call = self._call = futures.Future()
        threading.Thread(target=_fulfil, args=(call, action), name="portaudio", daemon=True).start()
        try:
            call.result(max(0.0, deadline - time.monotonic()))
        except futures.TimeoutError as cause:
            raise MicrophoneLost("PortAudio does not answer; restart the sound system.") from cause


def _fulfil(call: futures.Future[None], action: Callable[[], None]) -> None:
    try:
        action()
        call.set_result(None)
    except BaseException as problem:  # noqa: BLE001 - raised again in the thread that waits
        call.set_exception(problem)


def _close(streams: Sequence[_Stream]) -> None:
    for one in streams:
        if one.handle is not None:
            # Its data are not wanted any more, and errors neither: the stream may be dead already.
            one.handle.abort(ignore_errors=True)
            one.handle.close(ignore_errors=True)
