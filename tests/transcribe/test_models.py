"""Which model is taken, from where."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from standup.errors import ModelLoadError
from standup.settings import WhisperSettings
from standup.transcribe.models import find, resolve


@dataclass
class FakeShelf:
    """Has some models on disk and some to be fetched."""

    on_disk: dict[str, Path] = field(default_factory=dict)
    in_hub: dict[str, Path] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    places: str = "the shelf"

    def find(self, name: str) -> Path | None:
        """Return the folder of a model on disk."""
        return self.on_disk.get(name)

    def fetch(self, name: str) -> Path | None:
        """Return the folder of a model in the hub."""
        self.fetched.append(name)
        return self.in_hub.get(name)


def settings(model: str, device: str = "cpu") -> WhisperSettings:
    """Return settings for *model*."""
    return WhisperSettings(model=model, device=device, language="auto")  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a multilingual model."""
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "vocabulary.txt").write_text("token\n" * 51_865)
    return tmp_path


def test_auto_takes_small_from_disk_on_a_cpu(folder: Path) -> None:
    """What is on disk is used without asking the hub."""
    shelf = FakeShelf(on_disk={"small": folder})
    choice = resolve(settings("auto"), shelf)

    assert (choice.label, choice.path, choice.device, choice.compute_type) == ("small", folder, "cpu", "int8")
    assert shelf.fetched == []


def test_auto_fetches_what_is_not_on_disk(folder: Path) -> None:
    """A reachable hub gives the better model."""
    assert resolve(settings("auto"), FakeShelf(in_hub={"small": folder})).label == "small"


def test_auto_falls_back_to_the_bundled_model() -> None:
    """Without disk and hub the notes are still made, with an English-only model that is named."""
    choice = resolve(settings("auto"), FakeShelf())

    assert (choice.label, choice.is_multilingual) == ("tiny.en", False)
    assert (choice.path / "model.bin").is_file()


def test_the_bundled_model_is_never_looked_for_elsewhere() -> None:
    """A box without internet starts at once with tiny.en."""
    shelf = FakeShelf()

    assert (resolve(settings("tiny.en"), shelf).label, shelf.fetched) == ("tiny.en", [])


def test_a_folder_is_a_model(folder: Path) -> None:
    """A model of the operator's own is used where it lies."""
    choice = resolve(settings(str(folder)), FakeShelf())

    assert (choice.label, choice.path) == (folder.name, folder)


@pytest.mark.parametrize(
    ("content", "is_multilingual"),
    [
        pytest.param("token\n" * 51_864, False, id="English only"),
        pytest.param("token\n" * 51_865, True, id="many languages"),
        pytest.param("[" + ",".join(["0"] * 51_866) + "]", True, id="large-v3, as a JSON list"),
    ],
)
def test_the_vocabulary_tells_how_many_languages(folder: Path, content: str, is_multilingual: bool) -> None:
    """The size of the vocabulary decides, as in CTranslate2, not the folder's name."""
    (folder / "vocabulary.txt").write_text(content)

    assert resolve(settings(str(folder)), FakeShelf()).is_multilingual is is_multilingual


@pytest.mark.parametrize("model", ["large-v9", "no/such-model", "/no/such/folder"])
def test_a_named_model_that_is_missing_is_an_error(model: str) -> None:
    """The operator asked for it: the message names it, where it was looked for and the next step."""
    with pytest.raises(ModelLoadError, match=rf"`{model}`.* the shelf.*STANDUP_WHISPER_MODEL"):
        resolve(settings(model), FakeShelf())


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt"])
def test_half_a_model_counts_as_missing(folder: Path, missing: str) -> None:
    """A download that broke off is not loaded, and a missing tokenizer is not sought in the network."""
    (folder / missing).unlink()
    shelf = FakeShelf(on_disk={"small": folder})

    assert find("small", shelf) is None
    with pytest.raises(ModelLoadError, match=missing.partition(".")[0]):
        resolve(settings("small"), shelf)


def test_a_model_with_a_broken_vocabulary_is_refused(folder: Path) -> None:
    """What cannot be a Whisper model is said to be none before it is loaded."""
    (folder / "vocabulary.txt").write_text("[")
    with pytest.raises(ModelLoadError, match="no readable vocabulary"):
        resolve(settings(str(folder)), FakeShelf())


def test_a_gpu_that_is_not_there_is_an_error() -> None:
    """Who asks for CUDA by name is told that there is none, and what to do."""
    ctranslate2 = pytest.importorskip("ctranslate2")
    if ctranslate2.get_cuda_device_count():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ModelLoadError, match="STANDUP_WHISPER_DEVICE is cuda"):
        resolve(settings("tiny.en", "cuda"), FakeShelf())
