"""Find out whether CUDA can be used, and make cuBLAS findable.

CTranslate2 opens ``libcublas.so.12`` by name at its first multiplication. The wheel ``nvidia-cublas-cu12`` puts it
where the loader does not look; opening it here first is enough, no LD_LIBRARY_PATH is needed.
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
from functools import lru_cache
from pathlib import Path

logger = logging.getLogger(__name__)

_LIBRARIES = ("libcublasLt.so.12", "libcublas.so.12")  # in the order of their dependency


@lru_cache(maxsize=1)
def preload_cublas() -> bool:
    """Load cuBLAS into this process, from its wheel or from the system; return whether that worked."""
    folder = _wheel_folder()
    for name in _LIBRARIES:
        path = folder / name if folder and (folder / name).exists() else Path(name)
        try:
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
        except OSError:
            return False
    return True


def is_usable() -> bool:
    """Return whether there is a GPU and cuBLAS for it; a GPU without cuBLAS is worth a warning."""
    import ctranslate2

    if ctranslate2.get_cuda_device_count() < 1:
        return False
    if not preload_cublas():
        logger.warning(
            "There is a GPU but no cuBLAS 12; install nvidia-cublas-cu12", extra={"action": "transcribe"}
        )
        return False
    return True


def _wheel_folder() -> Path | None:
    try:
        spec = importlib.util.find_spec("nvidia.cublas")
    except ModuleNotFoundError:
        return None
    places = (spec.submodule_search_locations if spec else None) or []
    return next((Path(place) / "lib" for place in places), None)
