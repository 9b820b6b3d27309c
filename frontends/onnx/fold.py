"""Computes at import what does not depend on the graph's inputs: shape arithmetic and constants."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from onnx import NodeProto, helper
from onnx.reference import ReferenceEvaluator

from axir.frontends.onnx.infer import infer
from axir.frontends.onnx.tensors import Array, tensor_array

SIZE_LIMIT = 1 << 26
"""Most elements of a folded constant: 256 MiB of f32."""

_RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout"}
)
# ONNX's reference evaluator loops over elements in Python here; `ax` operators are folded by canonicalization.
_SLOW = frozenset(
    {
        "AveragePool", "Col2Im", "Conv", "ConvInteger", "ConvTranspose", "DeformConv", "GRU", "GridSample", "LSTM",
        "LpPool", "MaxPool", "MaxRoiPool", "MaxUnpool", "NonMaxSuppression", "QLinearConv", "RNN", "Resize",
        "RoiAlign", "Upsample",
    }
)  # fmt: skip
# It computes these as operator set 13 does, whatever the version.
_COERCED_BEFORE_13 = frozenset({"Hardmax", "LogSoftmax", "Softmax"})
# It knows this operator only from a version on that added nothing but types.
_KNOWN_SINCE = {"DequantizeLinear": 19}
# The size of their results depends on values, but is bounded by their inputs.
_BOUNDED = frozenset({"Compress", "NonZero", "Unique"})


def constant_value(node: NodeProto, folder: Path | None) -> Array:
    """The value of a `Constant` node. Raises `ValueError` for strings and sparse tensors."""
    if len(node.attribute) != 1:
        raise ValueError(f"it needs one attribute with its value, it has {len(node.attribute)}")
    attribute = node.attribute[0]
    match attribute.name:
        case "value":
            return tensor_array(attribute.t, folder)
        case "value_float":
            return np.asarray(attribute.f, np.float32)
        case "value_floats":
            return np.asarray(attribute.floats, np.float32)
        case "value_int":
            return np.asarray(attribute.i, np.int64)
        case "value_ints":
            return np.asarray(attribute.ints, np.int64)
        case name:
            raise ValueError(f"a constant given by '{name}' is not supported")


def shape_value(node: NodeProto, shape: Sequence[int]) -> Array:
    """The value of a `Shape` or `Size` node over a tensor of a known shape."""
    if node.op_type == "Size":
        return np.asarray(math.prod(shape), np.int64)
    bounds = {attribute.name: attribute.i for attribute in node.attribute}
    return np.asarray(shape[bounds.get("start", 0) : bounds.get("end", len(shape))], np.int64)


def fold(node: NodeProto, inputs: Sequence[Array | None], opsets: Mapping[str, int]) -> dict[str, Array] | None:
    """The outputs, by name, of a node over constants; None where it must stay in the graph.

    Raises `ValueError` where the inputs do not fit the operator or the result would be very large.
    """
    if not _can_fold(node, opsets):
        return None
    for _, shape in infer(node, inputs, opsets):
        if shape is None and node.op_type not in _BOUNDED:
            return None
        if shape is not None and math.prod(shape) > SIZE_LIMIT:
            raise ValueError(f"computes a constant of shape {list(shape)}; the limit is {SIZE_LIMIT} elements")
    return _evaluate(node, inputs, opsets)


def _can_fold(node: NodeProto, opsets: Mapping[str, int]) -> bool:
    kind = node.op_type
    return not (node.domain or kind in _RANDOM or kind in _SLOW or (kind in _COERCED_BEFORE_13 and opsets[""] < 13))


def _evaluate(node: NodeProto, inputs: Sequence[Array | None], opsets: Mapping[str, int]) -> dict[str, Array] | None:
    version = max(opsets[""], _KNOWN_SINCE.get(node.op_type, 0))
    names = [name for name in node.input if name]
    outputs = [name for name in node.output if name]
    function = helper.make_function(
        "axir", "fold", list(dict.fromkeys(names)), outputs, [node], [helper.make_opsetid("", version)]
    )
    feeds = {name: value for name, value in zip(node.input, inputs, strict=True) if name}
    try:
        with np.errstate(all="ignore"):
            results = ReferenceEvaluator(function).run(None, feeds, attributes={})
    except Exception:  # an operator it does not know, or fails on: the node stays, and other parts decide
        return None
    arrays = [np.asarray(result) for result in cast("list[Array]", results)]
    return dict(zip(outputs, arrays, strict=True)) if all(a.dtype.kind in "fiub" for a in arrays) else None
