"""The hub's shelf, against loopback servers only."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from standup.errors import ModelNotFound, ServiceMissing
from standup.transcribe import hub, models
from standup.transcribe.hub import DiskShelf, HubShelf
from tests.transcribe.loopback_hub import MODEL, LoopbackHub, serving


class Refusing(BaseHTTPRequestHandler):
    """Answers every question with 404."""

    def do_HEAD(self) -> None:
        """Refuse."""
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Every download asked of faster-whisper, as (name, whether on disk only); none succeeds."""
    asked: list[tuple[str, bool]] = []

    def refuse(name: str, local_files_only: bool) -> str:
        asked.append((name, local_files_only))
        raise FileNotFoundError(name)

    monkeypatch.setattr("faster_whisper.download_model", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return asked


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of a server that is there."""
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_looking_on_disk_never_asks_the_hub(downloads: list[tuple[str, bool]]) -> None:
    """The cache is searched with the network forbidden."""
    assert HubShelf().find("small") is None
    assert downloads == [("small", True)]


def test_an_answering_hub_is_asked_for_the_model(downloads: list[tuple[str, bool]], refusing: str) -> None:
    """A hub that answers, even to refuse, is worth a download; a failed one is no model."""
    shelf = HubShelf(refusing)

    assert (shelf.fetch("small"), shelf.is_away) == (None, False)
    assert downloads == [("small", False)]


def test_a_silent_hub_costs_its_patience_once(
    downloads: list[tuple[str, bool]], silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one wait the process does not ask again."""
    monkeypatch.setattr(hub, "_PATIENCE_S", 0.2)
    shelf = HubShelf(silent)
    shelf.fetch("small")
    began_s = time.monotonic()
    shelf.fetch("small")

    assert (shelf.is_away, downloads) == (True, [])
    assert time.monotonic() - began_s < 0.1


def test_a_hub_that_is_not_there_is_away(downloads: list[tuple[str, bool]]) -> None:
    """A refused connection is no reason to wait, and nothing is downloaded."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    shelf = HubShelf(f"http://127.0.0.1:{port}")

    assert (shelf.fetch("small"), shelf.is_away, downloads) == (None, True, [])


def test_an_offline_process_does_not_ask(
    downloads: list[tuple[str, bool]], refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HF_HUB_OFFLINE is obeyed."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    assert (HubShelf(refusing).fetch("small"), downloads) == (None, [])


def test_a_name_nobody_knows_is_not_asked_for(downloads: list[tuple[str, bool]], refusing: str) -> None:
    """A typing mistake costs no network."""
    assert (HubShelf(refusing).fetch("largest"), downloads) == (None, [])


def test_a_model_in_the_hub_comes_as_a_folder(
    monkeypatch: pytest.MonkeyPatch, refusing: str, tmp_path: Path
) -> None:
    """What was downloaded is where the hub's client says."""
    monkeypatch.setattr("faster_whisper.download_model", lambda name, local_files_only: str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    assert HubShelf(refusing).fetch("Systran/faster-whisper-small") == tmp_path


def test_the_places_name_cache_and_hub() -> None:
    """An error message can say where a model was looked for."""
    assert HubShelf("http://hub.example").places.endswith(" and http://hub.example")


SMALL = "Systran/faster-whisper-small"


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    """A hub that has the model `small`, and an empty cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with serving(LoopbackHub({SMALL: MODEL, "somebody/texts": {"README.md": b"no model"}})) as served:
        yield served


def test_a_download_is_told_in_bytes_and_then_on_disk(loopback: LoopbackHub) -> None:
    """What faster-whisper wants is fetched, nothing else, and is found afterwards without another question."""
    told: list[tuple[int, int]] = []
    folder = HubShelf(loopback.address).download("small", lambda *bytes_: told.append(bytes_))
    asked = len(loopback.asked)
    wanted_bytes = sum(len(content) for file, content in MODEL.items() if file != "README.md")

    assert {one.name for one in folder.iterdir()} == set(MODEL) - {"README.md"}
    assert max(told) == (wanted_bytes, wanted_bytes)
    assert (models.find("small", HubShelf(loopback.address)), len(loopback.asked)) == (folder, asked)


@pytest.mark.integration  # the hub's client tries five times, seconds apart
def test_half_a_download_is_no_model_and_goes_on_later(loopback: LoopbackHub) -> None:
    """A connection that breaks off in the weights leaves no model; another download makes it whole."""
    shelf = HubShelf(loopback.address)
    loopback.breaks_off = "model.bin"
    with pytest.raises(ServiceMissing, match="`standup models download small` again"):
        shelf.download("small", lambda *_: None)
    half = models.find("small", shelf)
    loopback.breaks_off = ""

    assert half is None
    assert models.whole(shelf.download("small", lambda *_: None)) == models.find("small", shelf)


@pytest.mark.parametrize(
    ("name", "requests"),
    [
        pytest.param("largest", 0, id="a name nobody knows"),
        pytest.param("somebody/nothing", 2, id="a repository that is not there"),
    ],
)
def test_a_model_that_is_nowhere_is_told(loopback: LoopbackHub, name: str, requests: int) -> None:
    """The next step is the list of names; a typing mistake costs no network."""
    with pytest.raises(ModelNotFound, match="standup models list"):
        HubShelf(loopback.address).download(name, lambda *_: None)

    assert len(loopback.asked) == requests


def test_a_damaged_model_is_fetched_anew(loopback: LoopbackHub) -> None:
    """A repair replaces a file that is there and wrong."""
    shelf = HubShelf(loopback.address)
    weights = shelf.download("small", lambda *_: None) / "model.bin"
    weights.write_bytes(b"rot")
    shelf.download("small", lambda *_: None, is_repair=True)

    assert weights.read_bytes() == MODEL["model.bin"]


def test_an_offline_process_downloads_nothing(loopback: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """HF_HUB_OFFLINE is named as the reason, and nobody is asked."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ServiceMissing, match="HF_HUB_OFFLINE"):
        HubShelf(loopback.address).download("small", lambda *_: None)

    assert loopback.asked == []


def test_a_download_waits_for_a_silent_hub_once(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is called away after its patience, and at once the second time."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "_PATIENCE_S", 0.2)
    shelf = HubShelf(silent)
    with pytest.raises(ServiceMissing, match="does not answer"):
        shelf.download("small", lambda *_: None)
    began_s = time.monotonic()
    with pytest.raises(ServiceMissing, match="does not answer"):
        shelf.download("small", lambda *_: None)

    assert time.monotonic() - began_s < 0.1


def test_a_shelf_of_the_disk_fetches_nothing(loopback: LoopbackHub) -> None:
    """What only looks asks nobody, not even for a model that the hub has."""
    shelf = DiskShelf(HubShelf(loopback.address))

    assert (shelf.find("small"), shelf.fetch("small"), loopback.asked) == (None, None, [])
