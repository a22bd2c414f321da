"""Read stretches of a track as PCM.

A track is never held as PCM: only the asked stretch is decoded, and long silences are jumped over. Frames are
placed by their presentation time, which in Ogg Opus is the granule position, so time 0 is the meeting clock's 0
and a damaged page leaves silence rather than shifting what follows (RFC 7845).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np

from standup.errors import TranscribeError
from standup.transcribe import SAMPLE_RATE_HZ, SAMPLES_PER_MS
from standup.transcribe.windows import LEVEL_MS

if TYPE_CHECKING:
    from standup.transcribe import Pcm

_PREROLL_S = 0.1  # an Opus decoder needs 80 ms before its output is right (RFC 7845, section 4.6)
_JUMP_S = 2.0  # decoding less than this is cheaper than seeking
_JITTER_S = 0.002  # time stamps of containers with a coarse clock
_QUIETEST = 1e-10


class _Frame(NamedTuple):
    """A decoded frame at its place on the meeting clock."""

    start_s: float
    end_s: float
    audio: av.AudioFrame


class TrackReader:
    """Reads one track, cheapest in time order; for one thread, to be closed."""

    def __init__(self, path: Path) -> None:
        """Open *path*; raise TranscribeError when it is not readable audio."""
        self._path = path
        try:
            self._container = av.open(str(path), mode="r", metadata_errors="ignore")
            self._stream = self._container.streams.audio[0]
        except (av.error.FFmpegError, OSError, IndexError) as cause:
            raise self._unreadable() from cause
        self._frames = self._decode()
        self._held: deque[_Frame] = deque(
            maxlen=16
        )  # about 0.3 s: the pre-roll of a stretch that follows at once
        self._reached_s = 0.0

    def close(self) -> None:
        """Close the file."""
        self._frames.close()
        self._container.close()

    def read(self, start_ms: int, end_ms: int) -> Pcm:
        """Return exactly the samples of that stretch of the meeting clock; what no frame covers is silence.

        Raises TranscribeError when the track covers less than half of the stretch, or cannot be decoded.
        """
        pcm = np.zeros((end_ms - start_ms) * SAMPLES_PER_MS, dtype=np.float32)
        try:
            frames = self._between(start_ms / 1000, end_ms / 1000)
        except (av.error.FFmpegError, OSError) as cause:
            raise self._unreadable() from cause
        placed_samples = 0
        for run in _runs(frames):
            at = round(run[0].start_s * SAMPLE_RATE_HZ) - start_ms * SAMPLES_PER_MS
            placed_samples += _place(pcm, _resample(run), at)
        if placed_samples < len(pcm) / 2:
            raise TranscribeError(
                f"The track {self._path.name} ends or has a hole where somebody spoke; make it again from the "
                "journal with `standup retry ID --from capture`."
            )
        return pcm

    def _between(self, start_s: float, end_s: float) -> list[_Frame]:
        """Return the frames that touch the stretch and its pre-roll."""
        from_s = max(0.0, start_s - _PREROLL_S)
        oldest_s = self._held[0].start_s if self._held else 0.0
        if not oldest_s <= from_s <= self._reached_s + _JUMP_S:
            self._seek(from_s)
        frames = list(self._held)
        while self._reached_s < end_s:
            frame = next(self._frames, None)
            if frame is None:
                break
            self._reached_s = frame.end_s
            self._held.append(frame)
            frames.append(frame)
        return [one for one in frames if one.end_s > from_s and one.start_s < end_s]

    def _seek(self, to_s: float) -> None:
        """Go to the last frame that starts before *to_s*; behind the end of the track nothing follows."""
        self._frames.close()
        self._held.clear()
        self._reached_s = 0.0
        self._container.seek(int(to_s * av.time_base), backward=True)
        self._frames = self._decode()

    def _decode(self) -> Generator[_Frame, None, None]:
        """Yield frames from where the container stands, passing over damaged packets."""
        end_s = 0.0
        for packet in self._container.demux(self._stream):
            try:
                decoded = packet.decode()
            except av.error.InvalidDataError:
                continue
            for audio in decoded:
                start_s = end_s if audio.time is None else audio.time
                end_s = start_s + audio.samples / audio.sample_rate
                yield _Frame(start_s, end_s, audio)

    def _unreadable(self) -> TranscribeError:
        return TranscribeError(
            f"The track {self._path.name} is missing, damaged or no audio file; make it again from the journal with "
            "`standup retry ID --from capture`, or import the recording again."
        )


def levels_db(pcm: Pcm) -> list[float]:
    """Return the loudness of each ``LEVEL_MS`` of *pcm* in dB below full scale; a last part may be shorter."""
    starts = np.arange(0, len(pcm), LEVEL_MS * SAMPLES_PER_MS)
    powers = np.add.reduceat(np.square(pcm), starts) / np.diff(starts, append=len(pcm))
    return [float(one) for one in 10 * np.log10(np.maximum(powers, _QUIETEST))]


def _runs(frames: Sequence[_Frame]) -> Iterator[list[_Frame]]:
    """Yield *frames* in runs without a hole."""
    run: list[_Frame] = []
    for frame in frames:
        if run and abs(frame.start_s - run[-1].end_s) > _JITTER_S:
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


def _resample(run: Sequence[_Frame]) -> Pcm:
    """Return a run, at least one frame, as mono PCM at ``SAMPLE_RATE_HZ``.

    All frames as one: one by one, resampling took two thirds as long as decoding.
    """
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    whole = av.AudioFifo()
    for frame in run:
        frame.audio.pts = None  # times are kept beside the frame; the queue would refuse uneven ones
        whole.write(frame.audio)
    parts = [out for given in (whole.read(), None) for out in resampler.resample(given)]
    return np.concatenate([out.to_ndarray()[0] for out in parts])


def _place(pcm: Pcm, part: Pcm, at: int) -> int:
    """Copy *part* to position *at* of *pcm*, leaving out what lies outside; return how much was copied."""
    begin, end = max(at, 0), min(at + len(part), len(pcm))
    if begin >= end:
        return 0
    pcm[begin:end] = part[begin - at : end - at]
    return end - begin
