"""Read clips with an engine: quickly first, carefully where the quick reading looks wrong.

Windows are packed per speaker and batched across speakers; as many batches run at once as the engine has lanes.
A suspicious window is read again with full context, then utterance by utterance. Deterministic: the same clips
and engine give the same words.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from standup.errors import TranscriptionTimeout
from standup.transcribe import SAMPLES_PER_MS, Engine, Hints, Reading, Word, guards
from standup.transcribe.windows import Span, Window, assign, batch, pack

if TYPE_CHECKING:
    from standup.transcribe import Pcm

Job = tuple[tuple[Window, ...], "concurrent.futures.Future[list[Reading]]"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one span."""

    words: tuple[Word, ...]
    reading: Reading
    """The reading of the whole window the words come from."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Clips whose first reading is under way."""

    clips: Mapping[Span, Pcm]
    languages: Mapping[str, str]
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True)
class Recognizer:
    """Sends windows to an engine and collects the readings; for one thread."""

    engine: Engine
    executor: concurrent.futures.Executor
    """Threads, as many as the engine has lanes."""
    prompt: str = field(repr=False)
    left_s: Callable[[], float | None]
    """How many seconds are left; None when there is no limit."""

    def begin(self, clips: Mapping[Span, Pcm], languages: Mapping[str, str]) -> Begun:
        """Have *clips* read once, quickly, and return at once; *languages*: speaker -> code."""
        return Begun(clips, languages, self._send(clips, pack(clips), languages))

    def finish(self, begun: Begun, on_read: Callable[[int], None]) -> dict[Span, Heard]:
        """Return what was heard in every clip, reading again what looks wrong.

        *on_read* is told how many milliseconds of clips were read, each once. Raises TranscriptionTimeout, and
        whatever the engine raises.
        """
        clips, languages = begun.clips, begun.languages
        quick = dict(self._collect(begun.jobs, on_read))
        suspicious = [window for window, reading in quick.items() if guards.is_suspicious(reading)]
        careful = self._reread(clips, suspicious, languages)
        heard: dict[Span, Heard] = {}
        for window, reading in {**quick, **careful}.items():
            heard.update(_attribute(window, reading))
        alone = self._reread(clips, list(_doubtful(heard, set(careful))), languages)
        for window, reading in alone.items():
            heard.update(_better(heard[window.spans[0]], window, reading))
        return heard

    def _reread(
        self, clips: Mapping[Span, Pcm], windows: Sequence[Window], languages: Mapping[str, str]
    ) -> dict[Window, Reading]:
        """Return a careful reading of each window."""
        return dict(self._collect(self._send(clips, windows, languages, is_careful=True)))

    def _send(
        self,
        clips: Mapping[Span, Pcm],
        windows: Sequence[Window],
        languages: Mapping[str, str],
        *,
        is_careful: bool = False,
    ) -> list[Job]:
        jobs: list[Job] = []
        for language in sorted({languages[window.speaker] for window in windows}):
            hints = Hints(language, self.prompt, is_careful=is_careful)
            alike = [window for window in windows if languages[window.speaker] == language]
            for row in batch(alike, self.engine.batch_windows, self.engine.lanes):
                sounds = [_sound(window, clips) for window in row]
                jobs.append((row, self.executor.submit(self.engine.read, sounds, [hints] * len(sounds))))
        return jobs

    def _collect(
        self, jobs: Sequence[Job], on_read: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Window, Reading]]:
        for row, future in jobs:
            try:
                readings = future.result(self.left_s())
            except concurrent.futures.TimeoutError as cause:
                raise TranscriptionTimeout from cause
            yield from zip(row, readings, strict=True)
            if on_read is not None:
                on_read(sum(span.duration_ms for window in row for span in window.spans))


def _sound(window: Window, clips: Mapping[Span, Pcm]) -> Pcm:
    """Return the samples of a window, silence in the gaps."""
    sound = np.zeros(window.duration_ms * SAMPLES_PER_MS, dtype=np.float32)
    for span, offset_ms in zip(window.spans, window.offsets_ms, strict=True):
        at = offset_ms * SAMPLES_PER_MS
        sound[at : at + len(clips[span])] = clips[span]
    return sound


def _attribute(window: Window, reading: Reading) -> dict[Span, Heard]:
    return {span: Heard(tuple(words), reading) for span, words in assign(window, reading.words).items()}


def _doubtful(heard: Mapping[Span, Heard], careful: set[Window]) -> Iterator[Window]:
    """Yield the spans to be read alone, but none that already was."""
    for span, found in heard.items():
        alone = Window((span,))
        is_doubtful = guards.is_suspicious(found.reading) or guards.is_starved(found.words, span.duration_ms)
        if is_doubtful and alone not in careful:
            yield alone


def _better(before: Heard, alone: Window, reading: Reading) -> dict[Span, Heard]:
    """Return the span's reading alone where it is to be preferred to what was heard in company."""
    is_gain = len(reading.words) > len(before.words) and not guards.is_suspicious(reading)
    return _attribute(alone, reading) if is_gain or guards.is_suspicious(before.reading) else {}
