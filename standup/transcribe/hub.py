"""Fetch models from the Hugging Face hub without ever hanging on it.

A hub that does not answer within a few seconds is not asked again in this process: a box without internet pays once.
"""

from __future__ import annotations

import logging
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

logger = logging.getLogger(__name__)

_PATIENCE_S = 5.0


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
