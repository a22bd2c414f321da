"""Turn utterances into clips of PCM, leaving out what holds no speech.

Utterances are walked in time order and each track is read forward, so that however long the meeting is, only the
clips that somebody still holds are in memory. One speaker's broken track costs that speaker's utterances only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from standup.errors import TranscribeError
from standup.transcribe import SAMPLES_PER_MS, guards
from standup.transcribe.audio import TrackReader, levels_db
from standup.transcribe.vad import is_speech
from standup.transcribe.windows import WINDOW_MS, Span, cut_ms
from standup.transcript import Utterance

if TYPE_CHECKING:
    from standup.transcribe import Pcm

logger = logging.getLogger(__name__)

_LAST_MS = 1000  # the last stretch of a long utterance is long enough to be understood
TRACK_MISSING = "track-missing"
TRACK_UNREADABLE = "track-unreadable"
TRACK_DAMAGED = "track-damaged"


@dataclass(frozen=True, slots=True)
class Clip:
    """A span with its samples."""

    span: Span
    pcm: Pcm


@dataclass(frozen=True, slots=True)
class Skipped:
    """A span that needs no reading, or that cannot be read."""

    span: Span
    reason: str
    error: TranscribeError | None = None
    """What went wrong; None when nobody speaks there."""


@dataclass(slots=True)
class Tracks:
    """The tracks of a meeting, opened when first needed; a context manager, for one thread."""

    paths: Mapping[str, Path]
    """Participant id -> audio file."""
    _readers: dict[str, TrackReader | TranscribeError] = field(default_factory=dict)

    def __enter__(self) -> Tracks:
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers.values():
            if isinstance(reader, TrackReader):
                reader.close()

    def clips(self, utterances: Sequence[Utterance]) -> Iterator[Clip | Skipped]:
        """Yield what becomes of each utterance, in time order; a long one yields several clips.

        The spans of an utterance cover it without overlap, unless its track breaks off.
        """
        for utterance in sorted(utterances, key=lambda one: (one.start_ms, one.end_ms, one.id)):
            yield from self._clips(utterance)

    def _clips(self, utterance: Utterance) -> Iterator[Clip | Skipped]:
        whole = Span(
            utterance.start_ms, max(utterance.end_ms, utterance.start_ms + 1), utterance.speaker, utterance.id
        )
        if utterance.speaker not in self.paths:
            missing = TranscribeError(
                f"Utterance {utterance.id} has no track; run `standup retry ID --from capture`."
            )
            yield Skipped(whole, TRACK_MISSING, missing)
            return
        reader = self._reader(utterance.speaker)
        if isinstance(reader, TranscribeError):
            yield Skipped(whole, TRACK_UNREADABLE, reader)
            return
        reached_ms = whole.start_ms
        try:
            for clip in _stretches(reader, whole):
                reached_ms = clip.span.end_ms
                yield _sifted(clip)
        except TranscribeError as error:
            logger.warning("A track is damaged", extra={"action": "transcribe", "utterance": utterance.id})
            yield Skipped(replace(whole, start_ms=reached_ms), TRACK_DAMAGED, error)

    def _reader(self, speaker: str) -> TrackReader | TranscribeError:
        """Return the speaker's reader, or why there is none; a broken track is tried once."""
        if speaker not in self._readers:
            try:
                self._readers[speaker] = TrackReader(self.paths[speaker])
            except TranscribeError as error:
                logger.warning("A track cannot be read", extra={"action": "transcribe"})
                self._readers[speaker] = error
        return self._readers[speaker]


def _stretches(reader: TrackReader, whole: Span) -> Iterator[Clip]:
    """Yield an utterance in clips of at most ``WINDOW_MS``, cut where it is quietest."""
    start_ms = read_ms = whole.start_ms
    pcm = np.zeros(0, dtype=np.float32)
    while start_ms < whole.end_ms:
        until_ms = min(whole.end_ms, start_ms + WINDOW_MS)
        if read_ms < until_ms:
            pcm = np.concatenate([pcm, reader.read(read_ms, until_ms)])
            read_ms = until_ms
        end_ms = until_ms
        if until_ms < whole.end_ms:
            limit_ms = min(WINDOW_MS, whole.end_ms - start_ms - _LAST_MS)
            end_ms = start_ms + cut_ms(levels_db(pcm), limit_ms)
        at = (end_ms - start_ms) * SAMPLES_PER_MS
        yield Clip(Span(start_ms, end_ms, whole.speaker, whole.utterance), pcm[:at])
        start_ms, pcm = end_ms, pcm[at:]


def _sifted(clip: Clip) -> Clip | Skipped:
    """Return the clip when somebody speaks in it."""
    reason = guards.silence_reason(clip.span.duration_ms, levels_db(clip.pcm))
    if reason is None and not is_speech(clip.pcm, guards.SPEECH_MS):
        reason = guards.NO_SPEECH
    return clip if reason is None else Skipped(clip.span, reason)
