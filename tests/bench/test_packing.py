"""Matrices as bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from standup.bench.encoder import Encoder, read, write
from standup.bench.packing import LARGEST, rounded, unpacked
from standup.summarize.tagger import WEIGHTS

# The other exporter brings two packages more, and splits the matrices that `pack` looks for.
pytestmark = pytest.mark.filterwarnings(
    "ignore:You are using the legacy:DeprecationWarning",
    "ignore:The feature will be removed:DeprecationWarning",
)

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=8)
MATRICES = arrays.arrays(np.float32, SHAPES, elements=st.floats(-100, 100, width=32))


@given(MATRICES)
def test_rounding_is_off_by_half_a_scale_at_most(matrix: np.ndarray) -> None:
    """Bytes times scales are the matrix again, nearly; a column of nothing stays nothing."""
    quantized, scales = rounded(matrix)
    assert np.abs(quantized.astype(np.float64)).max() <= LARGEST
    assert (np.abs(quantized * scales.astype(np.float64) - matrix) <= 0.501 * scales).all()


def test_the_shipped_weights_hold_no_product_of_bytes() -> None:
    """Such products saturate on processors without VNNI, and the same text would get other marks there."""
    weights = (WEIGHTS / "tagger.onnx").read_bytes()
    assert b"MatMulInteger" not in weights
    assert b"DynamicQuantizeLinear" not in weights


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Encoder, Path]:
    """A network of chance, no two parameters alike, and where it is written."""
    torch.manual_seed(1)
    encoder = Encoder(dropout=0.0).eval()
    for one in encoder.parameters():
        torch.nn.init.normal_(one, std=0.05)
    path = tmp_path_factory.mktemp("weights") / "tagger.onnx"
    write(encoder, path)
    return encoder, path


@pytest.mark.integration
def test_what_is_written_says_the_same(written: tuple[Encoder, Path]) -> None:
    """onnxruntime computes what torch does, but for the rounding; the file has a byte for each weight."""
    encoder, path = written
    ids = torch.randint(1, 1000, (1, 20))
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    values = session.run(None, {"ids": ids.numpy()})[0]
    with torch.no_grad():
        assert np.abs(values - encoder(ids).numpy()).max() < 0.05
    assert path.stat().st_size < 1.05 * sum(one.numel() for one in encoder.parameters())


@pytest.mark.integration
def test_what_is_written_is_read_again(written: tuple[Encoder, Path], tmp_path: Path) -> None:
    """Every parameter is there under its own name, off by half a scale at most; writing it again changes nothing."""
    encoder, path = written
    again = Encoder(dropout=0.0)
    read(again, path)
    write(again, tmp_path / "again.onnx")

    for (name, one), other in zip(encoder.named_parameters(), again.parameters(), strict=True):
        assert (
            float((one - other).detach().abs().max()) <= 0.51 * float(one.detach().abs().max()) / LARGEST
        ), name
    first, second = (unpacked(onnx.load(one)) for one in (path, tmp_path / "again.onnx"))
    assert all(np.allclose(first[name], second[name]) for name, _ in encoder.named_parameters())
