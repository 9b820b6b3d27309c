"""`axq.matmul` and `axq.normalize` in ONNX: float operators on dequantized tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from axir.dialects import axq
from axir.dialects.base import shape_of
from axir.ir.constants import constant_array
from axir.ir.store import WeightStore


class Nodes(Protocol):
    """What appends nodes to the model: both return the name of the result."""

    node: Callable[..., str]
    constant: Callable[[str, NDArray[Any]], str]


def _reshape(to: Nodes, base: str, value: str, shape: Sequence[int]) -> str:
    return to.node("Reshape", base, [value, to.constant(f"{base}.shape", np.array(shape, np.int64))])


def matmul(to: Nodes, op: axq.MatMulOp, base: str, inputs: Sequence[str]) -> str:
    """Heads as a batch, pixels as columns."""
    heads = op.heads.value.data
    _, channels, rows, columns = shape_of(op.input)
    other = shape_of(op.other)
    y = _reshape(to, f"{base}.other", inputs[1], (heads, other[1] // heads, other[2] * other[3]))
    if op.transpose.value.data:
        x = _reshape(to, f"{base}.input", inputs[0], (heads, channels // heads, rows * columns))
        y = to.node("Transpose", f"{base}.turned", [y], perm=[0, 2, 1])
        product = to.node("MatMul", f"{base}.product", [y, x])
        product = to.node("Transpose", f"{base}.pixels", [product], perm=[1, 0, 2])
    else:
        x = _reshape(to, f"{base}.input", inputs[0], (channels, heads, rows * columns // heads))
        x = to.node("Transpose", f"{base}.heads", [x], perm=[1, 0, 2])
        product = to.node("MatMul", f"{base}.product", [y, x])
    value = _reshape(to, f"{base}.result", product, shape_of(op.result))
    if op.factor.value.data == 1.0:
        return value
    factor = to.constant(f"{base}.factor", np.array(op.factor.value.data, np.float32))
    return to.node("Mul", base, [value, factor])


def normalize(to: Nodes, op: axq.NormalizeOp, base: str, value: str, store: WeightStore) -> str:
    """Mean and variance over groups of channels as an axis of their own."""
    _, channels, rows, columns = shape = shape_of(op.input)
    group = op.group.value.data
    axes = [2, 3] if op.spatial.value.data else [2]
    grouped = _reshape(to, f"{base}.grouped", value, (1, channels // group, group, rows * columns))
    mean = to.node("ReduceMean", f"{base}.mean", [grouped], axes=axes)
    difference = to.node("Sub", f"{base}.difference", [grouped, mean])
    square = to.node("Mul", f"{base}.square", [difference, difference])
    variance = to.node("ReduceMean", f"{base}.variance", [square], axes=axes)
    epsilon = to.constant(f"{base}.epsilon", np.array(op.epsilon.value.data, np.float32))
    root = to.node("Sqrt", f"{base}.root", [to.node("Add", f"{base}.sum", [variance, epsilon])])
    result = _reshape(to, f"{base}.value", to.node("Div", f"{base}.quotient", [difference, root]), shape)
    for kind, name, constant in (("Mul", "factor", op.factor), ("Add", "summand", op.summand)):
        vector = to.constant(f"{base}.{name}", constant_array(constant, store, op).reshape(1, -1, 1, 1))
        result = to.node(kind, f"{base}.with_{name}", [result, vector])
    return result
