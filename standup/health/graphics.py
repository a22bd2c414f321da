"""Ask NVIDIA's driver what the first GPU is, without loading CUDA's runtime.

https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__DEVICE.html
"""

from __future__ import annotations

import ctypes

from standup.health.verdicts import Gpu
from standup.transcribe import cuda

DRIVER = "libcuda.so.1"
CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76  # CUdevice_attribute
NAME_BYTES = 256


def first_gpu() -> Gpu | None:
    """Return the first GPU, None without a driver or a device."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return None
    return describe(driver)


def describe(driver: ctypes.CDLL) -> Gpu | None:
    """Return what *driver* tells of its first device, None when it has none."""
    device = ctypes.c_int()
    if driver.cuInit(0) != 0 or driver.cuDeviceGet(ctypes.byref(device), 0) != 0:
        return None
    name = ctypes.create_string_buffer(NAME_BYTES)
    version = ctypes.c_int()
    driver.cuDeviceGetName(name, NAME_BYTES, device)
    driver.cuDriverGetVersion(ctypes.byref(version))
    return Gpu(
        name=name.value.decode(errors="replace"),
        cuda=(version.value // 1000, version.value % 1000 // 10),
        capability=(
            _attribute(driver, CAPABILITY_MAJOR, device),
            _attribute(driver, CAPABILITY_MINOR, device),
        ),
        has_cublas=cuda.preload_cublas(),
    )


def _attribute(driver: ctypes.CDLL, number: int, device: ctypes.c_int) -> int:
    value = ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(value), number, device)
    return value.value
