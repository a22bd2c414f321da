"""What speech models there are, which lie on this disk, and which one the settings mean here. Never asks the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from standup.settings import WhisperSettings
from standup.transcribe import models
from standup.transcribe.hub import HubShelf, Shelf

_CACHE = HubShelf()


@dataclass(frozen=True, slots=True)
class Listed:
    """A speech model that may be named in STANDUP_WHISPER_MODEL."""

    name: str
    path: Path | None
    """Its folder; None when it does not lie whole on disk."""
    size_bytes: int
    """What it takes on disk; 0 when it is not there."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Which model a meeting would be read with here and now, and why."""

    setting: str
    """STANDUP_WHISPER_MODEL."""
    device: str
    """``cpu`` or ``cuda``."""
    wanted: str
    """The model that the setting means on that device."""
    used: str | None
    """The model that is on disk for it; None when there is none."""
    why: str
    """Whole sentences."""


def inventory(settings: WhisperSettings, shelf: Shelf = _CACHE) -> list[Listed]:
    """Return every known model, the bundled one first, and what the settings name beside them."""
    from faster_whisper import available_models

    names = dict.fromkeys([models.BUNDLED, *available_models()])
    if settings.model != "auto":
        names[settings.model] = None
    return [_listed(name, models.find(name, shelf)) for name in names]


def outlook(settings: WhisperSettings, shelf: Shelf = _CACHE) -> Outlook:
    """Return which model would be used; raise ModelLoadError when the settings ask for a GPU that cannot be used."""
    device = models.device_of(settings)
    wanted = models.name_of(settings, device)
    if models.find(wanted, shelf):
        return Outlook(settings.model, device, wanted, wanted, f"{_because(settings, device, wanted)}.")
    used = models.BUNDLED if settings.model == "auto" else None
    return Outlook(
        settings.model, device, wanted, used, f"{_because(settings, device, wanted)}. {_gap(wanted, used)}"
    )


def size_bytes(folder: Path) -> int:
    """Return what the files of a model take on disk."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def _listed(name: str, path: Path | None) -> Listed:
    return Listed(name, path, size_bytes(path) if path else 0)


def _because(settings: WhisperSettings, device: str, wanted: str) -> str:
    if settings.model != "auto":
        return f"STANDUP_WHISPER_MODEL names {wanted}"
    if settings.device != "auto":
        hardware = f"STANDUP_WHISPER_DEVICE is {device}"
    else:
        hardware = "this machine has a GPU" if device == "cuda" else "this machine has no usable GPU"
    return f"STANDUP_WHISPER_MODEL is auto and {hardware}: {wanted}"


def _gap(wanted: str, used: str | None) -> str:
    """Tell what becomes of a model that is not on disk."""
    from huggingface_hub import constants

    without = f"{used} is used" if used else "a meeting is parked"
    if constants.HF_HUB_OFFLINE:
        return f"It is not on disk and HF_HUB_OFFLINE forbids to fetch it, so {without}."
    return f"It is not on disk: the first meeting fetches it, and where the hub does not answer {without}."
