"""What every test starts from: no settings of this machine's owner, a folder of its own."""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.coverage_data import drop_torn

# A busy machine is no failure: whatever takes too long ends by pytest's own limit.
settings.register_profile(
    "unhurried", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the settings that this shell has for a real installation."""
    for name in [one for one in os.environ if one.startswith("STANDUP_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start programs without counting covered lines: whole installations, whose parts other tests measure already."""
    for name in [one for one in os.environ if one.startswith("COVERAGE_PROCESS_")]:
        monkeypatch.delenv(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests are given most time, so that in the end no worker is left with one of them."""
    given_s: dict[Path, float] = defaultdict(float)
    for item in items:
        for mark in item.iter_markers("timeout"):
            given_s[item.path] = max(given_s[item.path], mark.args[0])
    items.sort(key=lambda item: -given_s[item.path])


def pytest_collection_finish() -> None:
    """Take what was loaded so far out of the garbage collector's sight: code that collects does so in many tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Drop torn coverage data once all tests have run, before pytest-cov combines it."""
    result = yield
    data_file = os.environ.get("COVERAGE_FILE")
    if data_file and not hasattr(session.config, "workerinput"):  # workers end earlier than the tests
        drop_torn(Path(data_file))
    return result
