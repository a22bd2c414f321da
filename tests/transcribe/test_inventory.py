"""Which models there are, and which one the settings mean here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from standup.settings import WhisperSettings
from standup.transcribe.inventory import Listed, Outlook, inventory, outlook


@dataclass
class Disk:
    """Has some models, and would fail the test when asked to fetch."""

    models: dict[str, Path] = field(default_factory=dict)
    places: str = "the disk"

    def find(self, name: str) -> Path | None:
        """Return the folder of a model on disk."""
        return self.models.get(name)

    def fetch(self, name: str) -> Path | None:
        """Fail: nothing here may use the network."""
        raise AssertionError(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole model of 40 bytes."""
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_bytes(b"0123456789")
    return tmp_path


def settings(model: str = "auto", device: str = "cpu") -> WhisperSettings:
    """Return settings for *model*."""
    return WhisperSettings(model=model, device=device, language="auto")  # type: ignore[arg-type]


def test_the_bundled_model_comes_first_and_only_once(folder: Path) -> None:
    """Every name is listed once, with its folder and size where it is on disk."""
    listed = inventory(settings(), Disk({"small": folder}))
    names = [one.name for one in listed]

    assert (names[0], len(names)) == ("tiny.en", len(set(names)))
    assert {"small", "large-v3-turbo"} < set(names)
    assert Listed("small", folder, 40) in listed
    assert Listed("medium", None, 0) in listed


def test_a_folder_in_the_settings_is_listed_too(folder: Path) -> None:
    """A model of the operator's own stands among the others."""
    assert inventory(settings(str(folder)), Disk())[-1] == Listed(str(folder), folder, 40)


@pytest.mark.parametrize(
    ("wanted", "on_disk", "is_offline", "used", "why"),
    [
        pytest.param("auto", ["small"], False, "small", "STANDUP_WHISPER_DEVICE is cpu: small", id="there"),
        pytest.param("auto", [], False, "tiny.en", "the first meeting fetches it", id="to be fetched"),
        pytest.param("auto", [], True, "tiny.en", "so tiny.en is used", id="forbidden to fetch"),
        pytest.param("tiny.en", [], True, "tiny.en", "names tiny.en", id="the bundled one, by name"),
        pytest.param("medium", [], False, None, "does not answer a meeting is parked", id="named, not there"),
    ],
)
def test_the_outlook_says_which_model_and_why(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    on_disk: list[str],
    is_offline: bool,
    used: str | None,
    why: str,
) -> None:
    """It is what the worker would do, in words that name the hardware or the setting."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", is_offline)
    found = outlook(settings(wanted), Disk(dict.fromkeys(on_disk, folder)))

    assert (found.setting, found.device, found.used) == (wanted, "cpu", used)
    assert why in found.why


def test_a_gpu_wants_a_larger_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU `auto` means large-v3-turbo, and the hardware is named as the reason."""
    monkeypatch.setattr("standup.transcribe.cuda.is_usable", lambda: True)
    found = outlook(settings(device="auto"), Disk({"large-v3-turbo": folder}))
    why = "STANDUP_WHISPER_MODEL is auto and this machine has a GPU: large-v3-turbo."

    assert found == Outlook("auto", "cuda", "large-v3-turbo", "large-v3-turbo", why)
