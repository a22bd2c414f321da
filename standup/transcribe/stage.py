"""The transcribe stage: utterances in, the same utterances with text, verified silence or an error out.

The speech is worked off in rounds of a batch, or half a batch per lane, so memory does not grow with the
meeting, and a worker that is killed repeats no more than the rounds in hand:
tracks -> clips (`clips`) -> rounds (`rounds`) -> windows (`windows`) -> readings (`recognition`) -> utterances
(`findings`). Three rounds are on their way at a time: one being fetched from the tracks by a thread of its own, one
being read, one being looked through.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from standup.errors import TranscribeError, TranscriptionTimeout
from standup.transcribe import SAMPLES_PER_MS, Engine
from standup.transcribe.clips import Skipped, Tracks
from standup.transcribe.findings import Findings
from standup.transcribe.languages import Languages
from standup.transcribe.recognition import Begun, Recognizer
from standup.transcribe.rounds import Round, ahead, round_ms, rounds
from standup.transcribe.windows import Span
from standup.transcript import Outcome, Utterance

if TYPE_CHECKING:
    from standup.transcribe import Pcm

logger = logging.getLogger(__name__)

_DETECT_MS = 29_000

OnProgress = Callable[[int, int], None]
"""Told how many milliseconds of speech are done, and of how many; the last call has both equal."""
OnRound = Callable[[tuple[Utterance, ...]], None]
"""Told between two rounds which utterances have their verdict since the last call, each utterance once; what it raises
ends the transcription."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a meeting is transcribed."""

    language: str = "auto"
    """Two-letter code, or ``auto``: found out once per speaker."""
    prompt: str = field(default="", repr=False)
    """Names and terms that may occur, as `standup.transcribe.glossary` writes them; private."""
    tickets: tuple[str, ...] = ()
    """How ids of tickets are written in the text; see `standup.transcribe.tickets`."""
    budget_s: float | None = None
    """Wall time after which to give up; None for no limit."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """What the stage made of a meeting's utterances."""

    utterances: tuple[Utterance, ...]
    """In the order they were given."""
    model_label: str
    languages: Mapping[str, str]
    """Speaker -> two-letter code, for those who were heard."""
    audio_s: float
    """Length of all utterances together."""
    wall_s: float


def transcribe(
    tracks: Mapping[str, Path],
    utterances: Sequence[Utterance],
    engine: Engine,
    terms: Terms | None = None,
    on_progress: OnProgress | None = None,
    on_round: OnRound | None = None,
) -> Transcription:
    """Return every utterance with its words, with why it is silent, or with why it could not be read.

    *tracks*: participant id -> audio whose time 0 is the meeting clock's. Utterances that already have text or are
    verified silence stay as they are. A track that cannot be read fails its own speaker's utterances only.

    Raises TranscribeError when every utterance fails, TranscriptionTimeout when the budget is used up,
    ModelLoadError and OutOfMemory as the engine does.
    """
    began_s = time.monotonic()
    todo = [one for one in utterances if one.outcome in (Outcome.PENDING, Outcome.ERROR)]
    terms = terms or Terms()
    findings = Findings(terms.prompt, terms.tickets)
    run = _Run(engine, terms, began_s, todo, on_progress, on_round, findings)
    executor = ThreadPoolExecutor(engine.lanes, "transcribe")
    try:
        with Tracks(tracks) as opened, ahead(rounds(opened.clips(todo), round_ms(engine))) as ready:
            run.work(ready, executor)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
    verdicts = {one.id: run.findings.verdict(one) for one in todo}
    made = tuple(verdicts.get(one.id, one) for one in utterances)
    if run.errors and all(one.outcome is Outcome.ERROR for one in made):
        raise run.errors[0]
    run.advance(run.total_ms - run.done_ms)
    return Transcription(
        utterances=made,
        model_label=engine.label,
        languages=run.languages.all(),
        audio_s=sum(map(_duration_ms, utterances)) / 1000,
        wall_s=time.monotonic() - began_s,
    )


@dataclass(slots=True)
class _Run:
    """One call of `transcribe`: its state, owned by the calling thread."""

    engine: Engine
    terms: Terms
    began_s: float
    todo: Sequence[Utterance]
    on_progress: OnProgress | None
    on_round: OnRound | None
    findings: Findings
    done_ms: int = 0
    languages: Languages = field(default_factory=Languages)
    errors: list[TranscribeError] = field(default_factory=list)

    @property
    def total_ms(self) -> int:
        """Milliseconds of speech to be worked off."""
        return sum(map(_duration_ms, self.todo))

    def work(self, rounds: Iterable[Round], executor: ThreadPoolExecutor) -> None:
        """Work off the rounds: while one is looked through, the next is already being read."""
        sole = self.engine.sole_language
        if sole and self.terms.language not in ("auto", sole):
            logger.warning("The model knows only %s", sole, extra={"action": "transcribe"})
        recognizer = Recognizer(self.engine, executor, self.terms.prompt, self.left_s)
        before: tuple[Round, Begun] | None = None
        for one in rounds:
            self.left_s()
            begun = self._begin(recognizer, one)
            if before is not None:
                self._finish(recognizer, *before)
                self._tell(before[0].finished)
            before = one, begun
        if before is not None:
            self._finish(recognizer, *before)

    def left_s(self) -> float | None:
        """Return the seconds left; raise TranscriptionTimeout when there are none."""
        if self.terms.budget_s is None:
            return None
        left_s = self.began_s + self.terms.budget_s - time.monotonic()
        if left_s <= 0:
            raise TranscriptionTimeout
        return left_s

    def advance(self, more_ms: int) -> None:
        """Tell that *more_ms* of speech are done."""
        self.done_ms = min(self.total_ms, self.done_ms + more_ms)
        if self.on_progress is not None:
            self.on_progress(self.done_ms, self.total_ms)

    def _begin(self, recognizer: Recognizer, one: Round) -> Begun:
        for skipped in one.skipped:
            self._skip(skipped)
        self._settle_languages(one.clips)
        languages = {span.speaker: self.languages.of(span.speaker) for span in one.clips}
        return recognizer.begin(one.clips, languages)

    def _finish(self, recognizer: Recognizer, one: Round, begun: Begun) -> None:
        for span, heard in recognizer.finish(begun, self.advance).items():
            self.findings.hear(span, heard.words, heard.reading)

    def _tell(self, ids: Collection[str]) -> None:
        if self.on_round is not None:
            self.on_round(tuple(self.findings.verdict(one) for one in self.todo if one.id in ids))

    def _skip(self, skipped: Skipped) -> None:
        if skipped.error is None:
            self.findings.silence(skipped.span, skipped.reason)
        else:
            self.findings.fail(skipped.span, skipped.reason)
            self.errors.append(skipped.error)
        self.advance(skipped.span.duration_ms)

    def _settle_languages(self, clips: Mapping[Span, Pcm]) -> None:
        known = self.engine.sole_language or self.terms.language
        for speaker in sorted({span.speaker for span in clips} - set(self.languages.pinned)):
            if known != "auto":
                self.languages.fix(speaker, known)
                continue
            spoken = [clips[span] for span in sorted(clips) if span.speaker == speaker]
            pcm = np.concatenate(spoken)[: _DETECT_MS * SAMPLES_PER_MS]
            self.languages.hear(speaker, self.engine.detect_language(pcm), len(pcm) // SAMPLES_PER_MS)


def _duration_ms(utterance: Utterance) -> int:
    return utterance.end_ms - utterance.start_ms
