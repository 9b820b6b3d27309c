"""Matrix products, normalization, reduction and everything element by element."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import SSAValue

from axir.dialects import ax, base
from axir.frontends.onnx.convert import Converter, Node, Unsupported, normal_axes
from axir.frontends.onnx.tensors import Array, element_type

_F32_MAX = float(np.finfo(np.float32).max)


def reshape(node: Node, value: SSAValue, shape: Sequence[int]) -> SSAValue:
    """`value` in another shape; itself if it has that shape."""
    if base.shape_of(value) == tuple(shape):
        return value
    return node.emit(ax.ReshapeOp, [value], shape=base.ints(shape))


# Matrix products


def _gemm(node: Node) -> Sequence[SSAValue]:
    return [
        node.emit(
            ax.GemmOp,
            [node.operand(0), node.operand(1), node.optional_operand(2)],
            alpha=base.float_(node.number("alpha", 1.0)),
            beta=base.float_(node.number("beta", 1.0)),
            trans_a=IntegerAttr.from_bool(bool(node.integer("transA", 0))),
            trans_b=IntegerAttr.from_bool(bool(node.integer("transB", 0))),
        )
    ]


def _matmul(node: Node) -> Sequence[SSAValue]:
    """Vectors become matrices of one row or column, as in NumPy, and the axis goes again."""
    a, b = node.operand(0), node.operand(1)
    a_shape, b_shape = node.shape(0), node.shape(1)
    if len(a_shape) == 1:
        a = reshape(node, a, (1, *a_shape))
    if len(b_shape) == 1:
        b = reshape(node, b, (*b_shape, 1))
    product = node.emit(ax.MatMulOp, [a, b])
    shape = list(base.shape_of(product))
    if len(b_shape) == 1:
        del shape[-1]
    if len(a_shape) == 1:
        del shape[-1 if len(b_shape) == 1 else -2]
    return [reshape(node, product, shape)]


# Normalization and reduction


def _batch_norm(node: Node) -> Sequence[SSAValue]:
    # Before operator set 14 the number of outputs says it.
    if node.integer("training_mode", 0) or any(node.has_output(i) for i in range(1, node.output_count)):
        raise Unsupported("BatchNormalization in training mode")
    if node.opset < 9 and not node.integer("spatial", 1):
        raise Unsupported("BatchNormalization with one mean for each pixel (spatial=0)")
    operands = [node.operand(i) for i in range(5)]
    return [node.emit(ax.BatchNormOp, operands, epsilon=base.float_(node.number("epsilon", 1e-5)))]


def _reduce_mean(node: Node) -> Sequence[SSAValue]:
    rank = len(node.shape())
    axes = node.constant_integers(1) if node.opset >= 18 else node.integers("axes", None)
    if not axes:
        if node.integer("noop_with_empty_axes", 0):
            return [node.operand(0)]
        axes = list(range(rank))
    return [
        node.emit(
            ax.ReduceOp,
            [node.operand(0)],
            kind=ax.ReduceKindAttr(ax.ReduceKind.MEAN),
            axes=base.ints(sorted(normal_axes(axes, rank))),
            keepdims=IntegerAttr.from_bool(bool(node.integer("keepdims", 1))),
        )
    ]


def _softmax(node: Node) -> Sequence[SSAValue]:
    operand, shape = node.operand(0), node.shape()
    rank = len(shape)
    if node.opset >= 13:
        axis = node.axis("axis", -1, rank)
        return [node.emit(ax.SoftmaxOp, [operand], axis=base.integer(axis))]
    # Normalizes over all axes from `axis` on.
    axis = node.axis("axis", 1, rank)
    if math.prod(shape[axis + 1 :]) == 1:
        return [node.emit(ax.SoftmaxOp, [operand], axis=base.integer(axis))]
    matrix = reshape(node, operand, (math.prod(shape[:axis]), math.prod(shape[axis:])))
    result = node.emit(ax.SoftmaxOp, [matrix], axis=base.integer(1))
    return [reshape(node, result, shape)]


# Element by element


def _unary(kind: type[ax.UnaryOp], **numbers: float) -> Converter:
    """`numbers` are the operator's float attributes with their defaults."""

    def build(node: Node) -> Sequence[SSAValue]:
        properties = {name: base.float_(node.number(name, default)) for name, default in numbers.items()}
        return [node.emit(kind, [node.operand(0)], **properties)]

    return Converter(build)


def _binary(kind: type[ax.BinaryOp]) -> Converter:
    return Converter(lambda node: [node.emit(kind, [node.operand(0), node.operand(1)])])


def _sum(node: Node) -> Sequence[SSAValue]:
    total = node.operand(0)
    for index in range(1, len(node.proto.input)):
        total = node.emit(ax.AddOp, [total, node.operand(index)])
    return [total]


def _prelu(node: Node) -> Sequence[SSAValue]:
    return [node.emit(ax.PReluOp, [node.operand(0), node.operand(1)])]


def _clip(node: Node) -> Sequence[SSAValue]:
    if node.opset < 11:
        minimum, maximum = node.number("min", -_F32_MAX), node.number("max", _F32_MAX)
    else:
        minimum, maximum = _bound(node.constant(1), -_F32_MAX), _bound(node.constant(2), _F32_MAX)
    if math.isnan(minimum) or math.isnan(maximum):
        raise ValueError("a bound is not a number")
    # Infinite bounds bound nothing. Where the bounds are in the wrong order, ONNX gives the maximum everywhere.
    maximum = min(max(maximum, -_F32_MAX), _F32_MAX)
    minimum = min(max(minimum, -_F32_MAX), maximum)
    return [node.emit(ax.ClipOp, [node.operand(0)], minimum=base.float_(minimum), maximum=base.float_(maximum))]


def _bound(value: Array | None, default: float) -> float:
    if value is None:
        return default
    if value.size != 1:
        raise ValueError(f"a bound must be a scalar, it has shape {list(value.shape)}")
    return float(value.reshape(()))


# Operators that do nothing at inference


def _same(node: Node) -> Sequence[SSAValue]:
    return [node.operand(0)]


def _dropout(node: Node) -> Sequence[SSAValue]:
    if node.has_output(1):
        raise Unsupported("Dropout with the output mask")
    training = node.constant(2)
    if training is not None and bool(training.any()):
        raise Unsupported("Dropout in training mode")
    return [node.operand(0)]


def _cast(node: Node) -> Sequence[SSAValue]:
    """Between floats: all are f32 here."""
    to = element_type(node.integer("to", 0))
    if to != node.type_of(0).element_type:
        raise Unsupported(f"Cast from {node.type_of(0).element_type} to {to}")
    return [node.operand(0)]


_BINARY: dict[str, type[ax.BinaryOp]] = {"Add": ax.AddOp, "Div": ax.DivOp, "Mul": ax.MulOp, "Sub": ax.SubOp}

_BUILDERS: dict[str, Callable[[Node], Sequence[SSAValue]]] = {
    "BatchNormalization": _batch_norm,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "PRelu": _prelu,
    "Softmax": _softmax,
    "Sum": _sum,
}

CONVERTERS: dict[str, Converter] = {
    **{name: _binary(kind) for name, kind in _BINARY.items()},
    **{name: Converter(build) for name, build in _BUILDERS.items()},
    "Cast": Converter(_cast, any_type=True),
    "Clip": Converter(_clip, constants=(1, 2)),
    "Dropout": Converter(_dropout, constants=(1, 2)),
    "HardSigmoid": _unary(ax.HardSigmoidOp, alpha=0.2, beta=0.5),
    "HardSwish": _unary(ax.HardSwishOp),
    "Identity": Converter(_same, any_type=True),
    "LeakyRelu": _unary(ax.LeakyReluOp, alpha=0.01),
    "ReduceMean": Converter(_reduce_mean, constants=(1,)),
    "Relu": _unary(ax.ReluOp),
    "Sigmoid": _unary(ax.SigmoidOp),
    "Tanh": _unary(ax.TanhOp),
}
