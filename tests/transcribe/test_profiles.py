"""The ladder of memory profiles."""

from __future__ import annotations

import pytest

from standup.failures import LOWEST_PROFILE
from standup.transcribe.profiles import Profile, ladder

GPU = Profile("large-v3-turbo", "cuda", "float16", 16, 1)
CPU = Profile("small", "cpu", "int8", 8, 4)


def test_a_gpu_goes_down_every_rung() -> None:
    """Compute type, batch, model, device, and in the end the bundled model."""
    assert ladder(GPU) == (
        GPU,
        Profile("large-v3-turbo", "cuda", "int8_float16", 16, 1),
        Profile("large-v3-turbo", "cuda", "int8_float16", 2, 1),
        Profile("small", "cuda", "int8_float16", 2, 1),
        Profile("small", "cpu", "int8", 2, 1),
        Profile("tiny.en", "cpu", "int8", 2, 1),
    )


def test_a_cpu_skips_what_would_change_nothing() -> None:
    """Already in bytes, already small, already off the GPU: the batch and the model are left."""
    assert ladder(CPU) == (
        CPU,
        Profile("small", "cpu", "int8", 2, 1),
        Profile("tiny.en", "cpu", "int8", 2, 1),
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param("tiny.en", ["tiny.en"], id="the smallest stays"),
        pytest.param("tiny", ["tiny"], id="as small, in every language"),
        pytest.param("base", ["base", "tiny.en"], id="smaller than small"),
        pytest.param("small.en", ["small.en", "tiny.en"], id="as small as small"),
        pytest.param("medium", ["medium", "small", "tiny.en"], id="larger"),
        pytest.param("large-v3", ["large-v3", "small", "tiny.en"], id="the largest"),
        pytest.param("distil-large-v3", ["distil-large-v3", "small", "tiny.en"], id="a distilled one"),
        pytest.param("/models/ours", ["/models/ours", "small", "tiny.en"], id="a folder of unknown size"),
        pytest.param("/models/base.en", ["/models/base.en", "tiny.en"], id="a folder that tells its size"),
    ],
)
def test_a_rung_never_takes_a_larger_model(model: str, expected: list[str]) -> None:
    """The models on the way down only get smaller."""
    models = [one.model for one in ladder(Profile(model, "cpu", "int8", 8, 4))]
    assert expected == list(dict.fromkeys(models))


@pytest.mark.parametrize("chosen", [GPU, CPU, Profile("tiny.en", "cpu", "int8", 1, 1)], ids=str)
def test_rungs_are_different_and_few(chosen: Profile) -> None:
    """No rung is there twice, and the archive counts far enough for all of them."""
    rungs = ladder(chosen)
    assert len(set(rungs)) == len(rungs) <= LOWEST_PROFILE + 1


@pytest.mark.parametrize(
    "wrong", [("small", "tpu", "int8", 8, 1), ("small", "cpu", "int8", 0, 1), ("small", "cpu", "int8", 8, 0)]
)
def test_a_profile_that_cannot_run_is_refused(wrong: tuple[str, str, str, int, int]) -> None:
    """An unknown device and an empty batch are mistakes."""
    with pytest.raises(ValueError, match="a profile"):
        Profile(*wrong)
