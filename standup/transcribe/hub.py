"""Fetch models from the Hugging Face hub without ever hanging on it.

A hub that does not answer within a few seconds is not asked again in this process: a box without internet pays once.
"""

from __future__ import annotations

import errno
import io
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from standup.errors import DiskFull, ModelNotFound, ServiceMissing

if TYPE_CHECKING:
    from tqdm import tqdm

logger = logging.getLogger(__name__)

_PATIENCE_S = 5.0
_WANTED = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
"""What faster-whisper wants of a repository; some hold the weights in other forms as well."""

OnBytes = Callable[[int, int], None]
"""Told how many bytes are on disk, and of how many; both grow while the hub is still being asked."""


class Shelf(Protocol):
    """Where models are looked for."""

    @property
    def places(self) -> str:
        """Where this shelf looks, for an error message."""

    def find(self, name: str) -> Path | None:
        """Return the folder of a model that lies on disk, or None."""

    def fetch(self, name: str) -> Path | None:
        """Return the folder of a model after downloading it, or None when it is not to be had."""


@dataclass(slots=True)
class HubShelf:
    """The hub's cache on disk, and the hub behind it."""

    endpoint: str = ""
    """The hub's address; empty: as HF_ENDPOINT says."""
    is_away: bool = False
    """Whether the hub failed to answer once."""

    @property
    def places(self) -> str:
        """The cache's folder and the hub's address."""
        from huggingface_hub import constants

        return f"{constants.HF_HUB_CACHE} and {self._address()}"

    def find(self, name: str) -> Path | None:
        """Return the folder in the hub's cache; never touches the network."""
        return self._download(name, is_local=True)

    def fetch(self, name: str) -> Path | None:
        """Download *name*; None when the hub does not answer or does not have it."""
        from faster_whisper import available_models

        is_known = name in available_models() or name.count("/") == 1
        if not is_known or not self._is_reachable():
            return None
        logger.info("Fetching the speech model %s", name, extra={"action": "transcribe"})
        return self._download(name, is_local=False)

    def download(self, name: str, on_bytes: OnBytes, *, is_repair: bool = False) -> Path:
        """Download *name* into the cache and return its folder; files that are there are kept unless *is_repair*.

        Raises ModelNotFound for a name that is no model's, ServiceMissing when the hub does not answer or the download
        breaks off, and DiskFull.
        """
        from huggingface_hub import constants, snapshot_download
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

        repository = _repository(name)
        if constants.HF_HUB_OFFLINE:
            raise ServiceMissing("HF_HUB_OFFLINE forbids the network; unset it to download a speech model.")
        if not self._is_reachable():
            raise ServiceMissing(
                f"The model hub {self._address()} does not answer; check the network, the proxy and HF_ENDPOINT, and "
                f"run `standup models download {name}` again."
            )
        try:
            folder = snapshot_download(
                repository,
                endpoint=self._address(),
                allow_patterns=list(_WANTED),
                tqdm_class=_bar(on_bytes),
                force_download=is_repair,
            )
        except (RepositoryNotFoundError, HFValidationError) as cause:
            raise ModelNotFound(
                f"The hub {self._address()} has no model `{repository}`, or not for everybody; `standup models list` "
                "shows the known names."
            ) from cause
        except Exception as cause:  # the hub's client lets its HTTP library's errors through
            if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
                raise DiskFull from cause
            raise ServiceMissing(
                f"The download of {name} broke off ({type(cause).__name__}); its whole files are kept, run "
                f"`standup models download {name}` again."
            ) from cause
        return Path(folder)

    def _download(self, name: str, *, is_local: bool) -> Path | None:
        from faster_whisper import download_model

        try:
            return Path(download_model(name, local_files_only=is_local))
        except Exception as cause:  # noqa: BLE001 - the hub's client lets its HTTP library's errors through
            if not is_local:
                kind = type(cause).__name__
                logger.warning("The hub did not give %s: %s", name, kind, extra={"action": "transcribe"})
            return None

    def _is_reachable(self) -> bool:
        """Ask the hub for a sign of life, in a thread because looking up its name knows no timeout."""
        if self.is_away:
            return False
        answers: list[bool] = []
        asker = threading.Thread(target=lambda: answers.append(_answers(self._address())), daemon=True)
        asker.start()
        asker.join(_PATIENCE_S)
        self.is_away = not any(answers)
        return not self.is_away

    def _address(self) -> str:
        from huggingface_hub import constants

        return self.endpoint or constants.ENDPOINT


@dataclass(frozen=True, slots=True)
class DiskShelf:
    """The models on this machine's disk; the hub is never asked."""

    shelf: Shelf

    @property
    def places(self) -> str:
        """Where this shelf looks."""
        return self.shelf.places

    def find(self, name: str) -> Path | None:
        """Return the folder of a model that lies on disk, or None."""
        return self.shelf.find(name)

    def fetch(self, name: str) -> Path | None:
        """Fetch nothing."""
        return None


def _repository(name: str) -> str:
    """Return the hub's repository of model *name*; raise ModelNotFound when it is no model's name."""
    from faster_whisper.utils import _MODELS

    if name.count("/") == 1:
        return name
    if name not in _MODELS:
        raise ModelNotFound(
            f"There is no speech model `{name}`; `standup models list` shows the names, a repository of the hub is "
            "OWNER/NAME."
        )
    return str(_MODELS[name])


def _bar(on_bytes: OnBytes) -> type[tqdm[Any]]:
    """Return a class of progress bars that the hub's client shows its bytes on; they tell *on_bytes* instead."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs |= {"file": io.StringIO(), "disable": False}
            super().__init__(*args, **{key: one for key, one in kwargs.items() if key != "name"})

        def display(self, *_: object, **__: object) -> None:
            # The other bar counts files.
            if self.unit == "B":
                on_bytes(int(self.n), int(self.total or 0))

    return Bar


def _answers(address: str) -> bool:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=_PATIENCE_S):
            return True
    except urllib.error.HTTPError:
        return True  # it answers, if only to refuse
    except OSError:
        return False
