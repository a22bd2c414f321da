"""What every test starts from: no settings of this machine's owner, a folder of its own."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in os.environ if one.startswith("STANDUP_")]:
        monkeypatch.delenv(name)
