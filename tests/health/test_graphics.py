"""What NVIDIA's driver is asked, with a driver of Python in its place."""

from __future__ import annotations

from typing import Any, cast

import pytest

from standup.health import graphics

NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE


class Driver:
    """Answers as libcuda does: a status is returned, the value goes where the caller points."""

    attributes = {75: 8, 76: 9}  # compute capability, major and minor  # noqa: RUF012

    def __init__(self, status: int = 0) -> None:
        self._status = status

    def cuInit(self, flags: int) -> int:
        return self._status

    def cuDeviceGet(self, device: Any, ordinal: int) -> int:
        device._obj.value = 7
        return self._status

    def cuDeviceGetName(self, name: Any, size_bytes: int, device: Any) -> int:
        assert device.value == 7
        name.value = b"NVIDIA L4"
        return 0

    def cuDriverGetVersion(self, version: Any) -> int:
        version._obj.value = 12040
        return 0

    def cuDeviceGetAttribute(self, value: Any, attribute: int, device: Any) -> int:
        value._obj.value = self.attributes[attribute]
        return 0


def test_a_gpu() -> None:
    """Name, CUDA 12.4 and compute capability 8.9 are read where the driver puts them."""
    found = graphics.describe(cast("Any", Driver()))
    assert found is not None
    assert ("NVIDIA L4", (12, 4), (8, 9)) == (found.name, found.cuda, found.capability)


def test_a_driver_without_a_device() -> None:
    """A driver that finds no device means that there is no GPU."""
    assert graphics.describe(cast("Any", Driver(NO_DEVICE))) is None


def test_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the driver cannot be loaded, there is no GPU."""
    monkeypatch.setattr(graphics, "DRIVER", "libcuda-of-nobody.so.1")
    assert graphics.first_gpu() is None
