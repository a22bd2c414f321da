"""Matrices as bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from standup.bench.packing import LARGEST, rounded
from standup.summarize.tagger import WEIGHTS

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
