"""The Whisper engine: faster-whisper's model on CTranslate2.

The pieces of `faster_whisper.WhisperModel` are used rather than its loop: features of windows with a context as
short as is safe, decoding without time stamps, and the words' times from one alignment of the whole batch.

- on a CPU the encoder and the alignment take one window at a time, whose attention stays in the cache, and the decoder
  a batch: measured for windows of 20 s, 149 against 266 ms to encode one alone or as one of eight, 215 against 87 ms
  to decode
- CTranslate2 allows ``min(max_length / 2, max_length - prompt)`` new tokens, so twice the wanted number is asked for
- a loaded model does not survive a fork, it hangs: this module refuses instead
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens, merge_punctuations

from standup.errors import ModelLoadError, OutOfMemory, TranscribeError
from standup.transcribe import Hints, LanguageGuess, Reading, Word, context, cores, vram
from standup.transcribe.cuda import preload_cublas
from standup.transcribe.models import ModelChoice

if TYPE_CHECKING:
    from standup.transcribe import Pcm

logger = logging.getLogger(__name__)

_BEAM_SIZE, _CAREFUL_BEAM_SIZE = 2, 5
# A median over 7 of the attention's frames, as usual, is a third of the alignment's work and places words no better.
_UNSMOOTHED = 1
_MAX_LENGTH = 448  # prompt and text together
_UNLOADED_WITHIN_S = 10.0
_ASK_AGAIN_S = 0.01
_PREPENDED = "\"'“¿([{-"
_APPENDED = "\"'.。,，!！?？:：”)]}、"


class WhisperEngine:
    """An `Engine` over one Whisper model, loaded on first use and kept; safe for several threads of one process."""

    def __init__(
        self,
        choice: ModelChoice,
        lanes: int | None = None,
        batch_windows: int | None = None,
        open_model: Callable[..., WhisperModel] = WhisperModel,
    ) -> None:
        """Take the model *choice*; *lanes* batches run at once (on a CPU: one per core, one thread each).

        *open_model* loads it, with the arguments of faster-whisper's class.
        """
        self._choice = choice
        self._open_model = open_model
        self._batch_windows = batch_windows or (16 if choice.device == "cuda" else 10)
        self._lanes = lanes or (1 if choice.device == "cuda" else cores.usable())
        self._lock = threading.Lock()
        self._model: WhisperModel | None = None
        self._pid = 0

    @property
    def label(self) -> str:
        """The model's name."""
        return self._choice.label

    @property
    def sole_language(self) -> str | None:
        """``en`` for an English-only model."""
        return None if self._choice.is_multilingual else "en"

    @property
    def lanes(self) -> int:
        """One per core on a CPU: the decoder gains nothing from a second thread."""
        return self._lanes

    @property
    def batch_windows(self) -> int:
        """Ten on a CPU, where more fall out of its cache."""
        return self._batch_windows

    def load(self) -> None:
        """Load the model now rather than when it is first used; raise ModelLoadError or OutOfMemory."""
        self._loaded()

    def detect_language(self, pcm: Pcm) -> LanguageGuess:
        """Return the language of *pcm*; the one language of a model that knows no other, with certainty.

        A step down the ladder may reach such a model while a language is being looked for.
        """
        if self.sole_language is not None:
            return LanguageGuess(self.sole_language, 1.0)
        model = self._loaded()
        with _translated():
            language, probability, _ = model.detect_language(audio=pcm)
        return LanguageGuess(language, float(probability))

    def read(self, windows: Sequence[Pcm], hints: Sequence[Hints]) -> list[Reading]:
        """Return one reading per window; see `Engine.read`.

        A batch that the device has no memory for is read in halves.
        """
        if not windows:
            return []
        try:
            return self._read(windows, hints)
        except OutOfMemory:
            if len(windows) == 1:
                raise
        # Behind the handler: the error's frames hold what was computed, some of it on the device.
        half = len(windows) // 2
        return [*self.read(windows[:half], hints[:half]), *self.read(windows[half:], hints[half:])]

    def release(self) -> bool:
        """Unload the model, to be loaded again when next used; return whether its memory is free.

        CTranslate2 ignores the wish while a batch is active, and one stays active for a moment after its results
        are there, so it is asked for up to 10 s.
        """
        with self._lock:
            if self._model is None:
                return True
            inner = self._model.model
            until_s = time.monotonic() + _UNLOADED_WITHIN_S
            inner.unload_model()
            while inner.model_is_loaded and time.monotonic() < until_s:
                time.sleep(_ASK_AGAIN_S)
                inner.unload_model()
            if inner.model_is_loaded:
                return False
            self._model = None
            return True

    def _read(self, windows: Sequence[Pcm], hints: Sequence[Hints]) -> list[Reading]:
        model = self._loaded()
        alike = hints[0]
        tokenizer = self._tokenizer(model, alike.language)
        sizes = [context.frames(len(pcm)) for pcm in windows]
        shown = context.shown_frames(max(sizes), alike, is_cut=self._choice.device != "cuda")
        tokens = context.token_limit(max(sizes), alike)
        prompts = _prompts(model, tokenizer, hints)
        with _translated():
            features = [
                pad_or_trim(model.feature_extractor(pcm)[..., :-1], context.heard_frames(size, shown))
                for pcm, size in zip(windows, sizes, strict=True)
            ]
            encoded = self._encode(model, features, context.positions(shown))
            results = model.model.generate(
                encoded,
                prompts,
                beam_size=_CAREFUL_BEAM_SIZE if alike.is_careful else _BEAM_SIZE,
                max_length=min(_MAX_LENGTH, max(2 * tokens, len(prompts[0]) + tokens)),
                return_scores=True,
                return_no_speech_prob=True,
                suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            )
            texts = [[token for token in one.sequences_ids[0] if token < tokenizer.eot] for one in results]
            aligned = self._align(model, tokenizer, texts, encoded, sizes)
        rows = zip(results, aligned, sizes, strict=True)
        return [_reading(*row, limit_tokens=tokens, model=self.label) for row in rows]

    def _encode(self, model: WhisperModel, features: Sequence[np.ndarray], positions: int) -> StorageView:
        """Return what the encoder makes of the windows, shape (windows, *positions*, width).

        On CUDA it stays on the device, where nothing can be cut off: they are of one length there.
        """
        if self._choice.device == "cuda":
            return model.encode(np.stack(features))
        alone = (np.asarray(model.encode(one)) for one in features)
        return StorageView.from_array(np.concatenate([one[:, :positions] for one in alone]))

    def _align(
        self,
        model: WhisperModel,
        tokenizer: Tokenizer,
        texts: Sequence[list[int]],
        encoded: StorageView,
        sizes: Sequence[int],
    ) -> list[list[dict[str, Any]]]:
        """Return each window's words with their times."""
        if self._choice.device == "cuda":
            return list(model.find_alignment(tokenizer, texts, encoded, sizes, _UNSMOOTHED))
        rows = np.asarray(encoded)
        alone = (StorageView.from_array(rows[at : at + 1]) for at in range(len(texts)))
        found = zip(texts, alone, sizes, strict=True)
        return [
            model.find_alignment(tokenizer, [text], row, [size], _UNSMOOTHED)[0] for text, row, size in found
        ]

    def _tokenizer(self, model: WhisperModel, language: str) -> Tokenizer:
        is_multilingual = model.model.is_multilingual
        try:
            return Tokenizer(model.hf_tokenizer, is_multilingual, task="transcribe", language=language)
        except ValueError as cause:
            raise TranscribeError(
                f"Whisper does not know the language `{language}`; correct STANDUP_LANGUAGE."
            ) from cause

    def _loaded(self) -> WhisperModel:
        """Return the model, loading it when this is its first use in this process."""
        if self._pid not in (0, os.getpid()):
            raise ModelLoadError(
                "The speech model was loaded before this process was forked and would hang in it; "
                "run the worker with `standup run worker-gpu`, which starts its child afresh."
            )
        with self._lock:
            if self._model is None:
                self._model = self._load()
                self._pid = os.getpid()
            return self._model

    def _load(self) -> WhisperModel:
        choice = self._choice
        cores.leave_to_lanes()
        if choice.device == "cuda":
            preload_cublas()
        try:
            model = self._open_model(
                str(choice.path),
                device=choice.device,
                compute_type=choice.compute_type,
                cpu_threads=1,
                num_workers=self._lanes,
                local_files_only=True,
            )
            model.encode(np.zeros((model.feature_extractor.mel_filters.shape[0], 2), dtype=np.float32))
        except (RuntimeError, ValueError, OSError, MemoryError) as cause:
            if vram.is_out_of_memory(cause):
                raise OutOfMemory from cause
            raise ModelLoadError(
                f"The speech model {choice.label} in {choice.path} cannot run on {choice.device}; check "
                "STANDUP_WHISPER_MODEL and STANDUP_WHISPER_DEVICE."
            ) from cause
        return model


def _prompts(model: WhisperModel, tokenizer: Tokenizer, hints: Sequence[Hints]) -> list[list[int]]:
    """Return the tokens before each window's text, as many for all: CTranslate2 wants the texts to begin at one place.

    Names and terms are led by a blank, as the text before a window is. Of a batch's prompts the shorter ones are led by
    their own words as often as it takes, which tells the model nothing new.
    """
    told = {one.prompt: tokenizer.encode(f" {one.prompt}") if one.prompt else [] for one in hints}
    length = max(map(len, told.values()))
    begun = {
        prompt: model.get_prompt(tokenizer, _filled(tokens, length), without_timestamps=True)
        for prompt, tokens in told.items()
    }
    return [begun[one.prompt] for one in hints]


def _filled(tokens: Sequence[int], length: int) -> list[int]:
    """Return *tokens* led by themselves until they are *length*; no tokens stay none."""
    times = -(-length // len(tokens)) if tokens else 0
    return (list(tokens) * times)[-length:]


def _reading(
    result: Any, aligned: list[dict[str, Any]], size: int, *, limit_tokens: int, model: str
) -> Reading:
    """Return CTranslate2's result and its aligned words as a reading of a window of *size* frames."""
    merge_punctuations(aligned, _PREPENDED, _APPENDED)
    tokens = len(result.sequences_ids[0])
    return Reading(
        words=tuple(_word(one, size / context.FRAMES_PER_S) for one in aligned if one["word"]),
        avg_logprob=float(result.scores[0]) * tokens / (tokens + 1),
        no_speech_prob=float(result.no_speech_prob),
        is_cut=tokens >= limit_tokens,
        model=model,
    )


def _word(timed: dict[str, Any], length_s: float) -> Word:
    """Return a word with its times inside the window."""
    start_s = min(float(timed["start"]), length_s)
    end_s = min(max(float(timed["end"]), start_s), length_s)
    return Word(timed["word"], start_s, end_s, float(timed["probability"]))


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what CTranslate2 and numpy raise as an error of ours."""
    try:
        yield
    except (RuntimeError, MemoryError) as cause:
        if vram.is_out_of_memory(cause):
            raise OutOfMemory from cause
        raise TranscribeError("The speech engine failed; errors.log shows where.") from cause
