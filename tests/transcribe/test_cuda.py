"""Finding cuBLAS and a GPU."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from standup.transcribe import cuda


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    cuda.preload_cublas.cache_clear()
    yield
    cuda.preload_cublas.cache_clear()


def test_libraries_that_are_not_there_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box without CUDA goes on with its CPU."""
    monkeypatch.setattr(cuda, "_LIBRARIES", ("libnowhere.so.12",))

    assert cuda.preload_cublas() is False


def test_libraries_that_are_there_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any library the loader finds will do."""
    monkeypatch.setattr(cuda, "_LIBRARIES", ("libc.so.6",))

    assert cuda.preload_cublas() is True


def test_without_a_gpu_cuda_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No device, no CUDA, whatever libraries there are."""
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 0)

    assert cuda.is_usable() is False


def test_a_gpu_without_cublas_is_not_used_but_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator learns which package makes the GPU usable."""
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(cuda, "_LIBRARIES", ("libnowhere.so.12",))
    with caplog.at_level(logging.WARNING):
        assert cuda.is_usable() is False

    assert "nvidia-cublas-cu12" in caplog.text
