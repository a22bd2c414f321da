"""The one speech engine of a process: the chosen model on its ladder of memory profiles."""

from __future__ import annotations

import dataclasses
import logging
import threading
from functools import lru_cache, partial

from standup.errors import ModelLoadError
from standup.settings import WhisperSettings
from standup.transcribe import vram
from standup.transcribe.models import ModelChoice, resolve
from standup.transcribe.profiles import Profile, ladder
from standup.transcribe.sharing import OnStep, Share
from standup.transcribe.whisper import WhisperEngine

logger = logging.getLogger(__name__)

_LOCK = threading.Lock()


def whisper_engine(settings: WhisperSettings, level: int = 0, on_step: OnStep | None = None) -> Share:
    """Return a meeting's share in this process' engine for *settings*; the model is loaded when first used.

    *level* counts rungs down the ladder of `standup.transcribe.profiles`; the engine stands on that one whatever it
    was used for before, and tells *on_step* when this meeting runs out of memory and it goes further down. Raises
    ModelLoadError when there is no such model, and what `LadderEngine.share` raises.
    """
    return ladder_engine(settings).share(level, on_step)


def ladder_engine(settings: WhisperSettings) -> vram.LadderEngine:
    """Return this process' engine for *settings*, however many threads ask; raise ModelLoadError without a model."""
    with _LOCK:
        return _ladder_engine(settings)


def profiles_of(chosen: ModelChoice) -> tuple[Profile, ...]:
    """Return the memory profiles of *chosen* on this machine, from the full one down; no model is loaded."""
    full = WhisperEngine(chosen)
    return ladder(Profile(chosen.label, chosen.device, chosen.compute_type, full.batch_windows, full.lanes))


@lru_cache(maxsize=1)
def _ladder_engine(settings: WhisperSettings) -> vram.LadderEngine:
    chosen = resolve(settings)
    return vram.LadderEngine(profiles_of(chosen), partial(_engine, settings, chosen))


def _engine(settings: WhisperSettings, chosen: ModelChoice, wanted: Profile) -> WhisperEngine:
    """Return the engine of a rung below the *chosen* model, or of that itself."""
    choice = dataclasses.replace(_smaller(settings, chosen, wanted), compute_type=wanted.compute_type)
    return WhisperEngine(choice, wanted.lanes, wanted.batch_windows)


def _smaller(settings: WhisperSettings, chosen: ModelChoice, wanted: Profile) -> ModelChoice:
    """Return the wanted model and device, the chosen model where the smaller one cannot be had."""
    if wanted.model == chosen.label:
        return dataclasses.replace(chosen, device=wanted.device)
    try:
        return resolve(settings.model_copy(update={"model": wanted.model, "device": wanted.device}))
    except ModelLoadError:
        logger.warning(
            "%s cannot be had; %s is used", wanted.model, chosen.label, extra={"action": "transcribe"}
        )
        return dataclasses.replace(chosen, device=wanted.device)
