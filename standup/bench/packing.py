"""A network in ONNX with its matrices as bytes: a quarter of the size, computed with as float32.

Products of bytes would be faster on processors that have instructions for them (VNNI, AMX) and no faster on others,
whose 16-bit sums saturate: there the same text gets other marks (onnxruntime's guide to quantization, "When and why
do I need to try U8U8?"). Needs onnx, which only developing installs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 127


def pack(model: Any) -> None:
    """Turn each matrix that *model* (an onnx.ModelProto) multiplies with, or looks rows up in, into bytes.

    Each has one scale per column. onnxruntime makes float32 of a multiplied one when it loads it, and of the rows
    looked up when it looks them up.
    """
    from onnx import numpy_helper

    graph = model.graph
    matrices = {one.name: one for one in graph.initializer if len(one.dims) == 2}
    nodes = [new for node in graph.node for new in _unpacking(node, matrices)]
    del graph.node[:]
    graph.node.extend(nodes)
    for name, tensor in matrices.items():
        quantized, scales = rounded(numpy_helper.to_array(tensor))
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(quantized, f"{name}.bytes"))
        graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scales"))


def unpacked(model: Any) -> dict[str, NDArray[np.float32]]:
    """Return the parameters of a network that `pack` made *model* of, by their names in torch.

    A matrix that is multiplied with has lost its name; the bias that is added behind it has not.
    """
    from onnx import numpy_helper

    kept = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    makers = {made: node for node in model.graph.node for made in node.output}
    for name in [one.removesuffix(".bytes") for one in kept if one.endswith(".bytes")]:
        kept[name] = kept.pop(f"{name}.bytes") * kept.pop(f"{name}.scales")
    for node in model.graph.node:
        bias = next((one for one in node.input if one.endswith(".bias")), None)
        factors = [one for made in node.input if made in makers for one in makers[made].input if one in kept]
        if node.op_type == "Add" and bias is not None and factors:
            kept[f"{bias.removesuffix('.bias')}.weight"] = kept.pop(factors[0]).T
    return kept


def rounded(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return *matrix* as bytes and the scale of each column; their product is off by half a scale at most."""
    scales = np.maximum(np.abs(matrix).max(axis=0), np.finfo(np.float32).tiny) / LARGEST
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)


def _unpacking(node: Any, matrices: dict[str, Any]) -> Iterator[Any]:
    """Yield *node*, with what makes floats of its matrix before it, or of the rows behind it."""
    from onnx import TensorProto, helper

    name = next((one for one in node.input if one in matrices), None)
    if name is None:
        yield node
        return
    is_lookup = node.op_type == "Gather"
    packed, whole = (f"{name}.rows", node.output[0]) if is_lookup else (f"{name}.bytes", name)
    cast = helper.make_node("Cast", [packed], [f"{name}.cast"], to=TensorProto.FLOAT)
    scale = helper.make_node("Mul", [f"{name}.cast", f"{name}.scales"], [whole])
    if is_lookup:
        node.input[0], node.output[0] = f"{name}.bytes", packed
        yield from (node, cast, scale)
    else:
        yield from (cast, scale, node)
