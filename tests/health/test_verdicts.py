"""What a measured value means for the next meeting, as tables."""

from __future__ import annotations

import pytest

from standup.failures import Measure, Recovery
from standup.health import verdicts
from standup.health.check import Check, Grade
from standup.health.verdicts import GIB, Gpu

GOOD, DOUBTFUL, BAD = Grade.GOOD, Grade.DOUBTFUL, Grade.BAD


def gpu(
    cuda: tuple[int, int] = (12, 4), capability: tuple[int, int] = (8, 6), has_cublas: bool = True
) -> Gpu:
    return Gpu("A GPU", cuda, capability, has_cublas)


@pytest.mark.parametrize(
    ("check", "grade"),
    [
        pytest.param(verdicts.python((3, 9, 18)), BAD, id="python 3.9"),
        pytest.param(verdicts.python((3, 10, 0)), GOOD, id="python 3.10"),
        pytest.param(verdicts.ffmpeg(None), DOUBTFUL, id="no ffmpeg"),
        pytest.param(verdicts.ffmpeg("5.1"), GOOD, id="ffmpeg"),
        pytest.param(verdicts.libopus(False), DOUBTFUL, id="no libopus"),
        pytest.param(verdicts.libopus(True), GOOD, id="libopus"),
        pytest.param(verdicts.disk("data", 100 * GIB, False), BAD, id="disk not writable"),
        pytest.param(verdicts.disk("data", GIB // 2 - 1, True), BAD, id="disk full"),
        pytest.param(verdicts.disk("data", GIB, True), DOUBTFUL, id="disk low"),
        pytest.param(verdicts.disk("data", 5 * GIB, True), GOOD, id="disk"),
        pytest.param(verdicts.memory(2 * GIB, GIB, GIB), BAD, id="too little memory for the model"),
        pytest.param(verdicts.memory(8 * GIB, GIB, GIB), DOUBTFUL, id="memory taken by others"),
        pytest.param(verdicts.memory(8 * GIB, 4 * GIB, GIB), GOOD, id="memory"),
        pytest.param(verdicts.dave(None, 0), BAD, id="no DAVE"),
        pytest.param(verdicts.dave("0.1.7", 1), GOOD, id="DAVE"),
        pytest.param(verdicts.broker(True, is_ours=False, is_supervised=False), GOOD, id="Redis"),
        pytest.param(verdicts.broker(False, is_ours=True, is_supervised=False), DOUBTFUL, id="Redis to come"),
        pytest.param(verdicts.broker(False, is_ours=True, is_supervised=True), BAD, id="Redis fell"),
        pytest.param(
            verdicts.broker(False, is_ours=False, is_supervised=True), BAD, id="their Redis is away"
        ),
        pytest.param(verdicts.schema("0002", "0002", ["0001", "0002"]), GOOD, id="schema"),
        pytest.param(verdicts.schema("0001", "0002", ["0001", "0002"]), DOUBTFUL, id="schema behind"),
        pytest.param(verdicts.schema(None, "0002", ["0001", "0002"]), DOUBTFUL, id="schema not made"),
        pytest.param(verdicts.schema("0003", "0002", ["0001", "0002"]), DOUBTFUL, id="schema ahead"),
        pytest.param(verdicts.model("tiny.en", "auto", "tiny.en"), DOUBTFUL, id="the model is a stopgap"),
        pytest.param(verdicts.model("tiny.en", "tiny.en", "tiny.en"), GOOD, id="the small model is meant"),
        pytest.param(verdicts.flower(""), DOUBTFUL, id="Flower without password"),
        pytest.param(verdicts.flower("short"), DOUBTFUL, id="Flower with a short one"),
        pytest.param(verdicts.flower("x" * 12), GOOD, id="Flower"),
        pytest.param(verdicts.language_model("a", ["a", "b"]), GOOD, id="a listed language model"),
        pytest.param(verdicts.language_model("a", ["a:latest"]), GOOD, id="Ollama's latest"),
        pytest.param(verdicts.language_model("", ["a"]), GOOD, id="the only language model"),
        pytest.param(verdicts.language_model("", ["a", "b"]), DOUBTFUL, id="no language model chosen"),
        pytest.param(verdicts.language_model("c", ["a"]), DOUBTFUL, id="an unlisted language model"),
        pytest.param(verdicts.language_model("a", [], "no answer"), DOUBTFUL, id="no language model"),
    ],
)
def test_grade(check: Check, grade: Grade) -> None:
    """Each value has its grade at both sides of its limit."""
    assert grade is check.grade


@pytest.mark.parametrize(
    ("wanted", "found", "processor", "features", "grade"),
    [
        pytest.param("auto", gpu(), "x86_64", (), GOOD, id="a GPU"),
        pytest.param("auto", gpu(cuda=(11, 8), capability=(7, 5)), "x86_64", (), GOOD, id="the oldest GPU"),
        pytest.param("auto", gpu(cuda=(11, 7)), "x86_64", ("sse4_2",), BAD, id="an old driver"),
        pytest.param("auto", gpu(capability=(7, 0)), "x86_64", ("sse4_2",), BAD, id="an old GPU"),
        pytest.param(
            "auto", gpu(has_cublas=False), "x86_64", ("sse4_2",), DOUBTFUL, id="CPU for want of cuBLAS"
        ),
        pytest.param("cuda", gpu(has_cublas=False), "x86_64", ("sse4_2",), BAD, id="cuBLAS is missing"),
        pytest.param("cuda", None, "x86_64", ("sse4_2",), BAD, id="a GPU is wanted and not there"),
        pytest.param("cpu", gpu(cuda=(10, 0)), "x86_64", ("sse4_2",), GOOD, id="the old GPU is not wanted"),
        pytest.param("auto", None, "x86_64", ("sse4_2",), GOOD, id="a CPU"),
        pytest.param("auto", None, "x86_64", ("sse4_1",), BAD, id="a CPU without SSE4.2"),
        pytest.param("auto", None, "aarch64", (), GOOD, id="an ARM CPU"),
    ],
)
def test_device(
    wanted: str, found: Gpu | None, processor: str, features: tuple[str, ...], grade: Grade
) -> None:
    """CUDA 11.8 with compute capability 7.5, or a CPU with SSE4.2, is enough for the wanted device."""
    assert grade is verdicts.device(wanted, found, processor, features).grade


def test_a_newer_schema_asks_for_no_migration() -> None:
    """After a way back, the older release does not send the operator to a migration it cannot do."""
    assert "migrate" not in verdicts.schema("0003", "0002", ["0001", "0002"]).next_step


@pytest.mark.parametrize(
    ("measures", "grade", "told"),
    [
        pytest.param((), GOOD, "in full", id="none"),
        pytest.param(
            (Measure("worker-gpu", Recovery.SMALLER_PROFILE, 2, 0),),
            DOUBTFUL,
            "worker-gpu with memory profile 2",
            id="less memory",
        ),
        pytest.param(
            (Measure("monitor", Recovery.DEBUG, 1, 0),), DOUBTFUL, "monitor in debug mode", id="debug"
        ),
    ],
)
def test_profiles(measures: tuple[Measure, ...], grade: Grade, told: str) -> None:
    """What a program does differently since it failed is named."""
    check = verdicts.profiles(measures)
    assert grade is check.grade
    assert told in check.finding
