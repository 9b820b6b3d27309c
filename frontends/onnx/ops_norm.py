"""Normalizations and softmax."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.ir import SSAValue

from axir.dialects import ax, base
from axir.frontends.onnx.convert import Converter, Node, Unsupported, normal_axes


def _batch_norm(node: Node) -> Sequence[SSAValue]:
    # Before operator set 14 the number of outputs says it.
    if node.flag("training_mode", False) or any(node.has_output(i) for i in range(1, node.output_count)):
        raise Unsupported("BatchNormalization in training mode")
    if node.opset < 9 and not node.flag("spatial", True):
        raise Unsupported("BatchNormalization with one mean for each pixel (spatial=0)")
    operands = [node.operand(i) for i in range(5)]
    return [node.emit(ax.BatchNormOp, operands, epsilon=base.float_(node.real("epsilon", 1e-5)))]


def _normalize(
    node: Node, value: SSAValue, scale: SSAValue | None, bias: SSAValue | None, axes: Sequence[int], epsilon: float
) -> SSAValue:
    if not epsilon >= 0.0:
        raise ValueError(f"epsilon is {epsilon}, it must not be negative")
    return node.emit(ax.NormalizeOp, [value, scale, bias], axes=base.ints(axes), epsilon=base.float_(epsilon))


def _layer_norm(node: Node) -> Sequence[SSAValue]:
    if any(node.has_output(i) for i in range(1, node.output_count)):
        raise Unsupported("LayerNormalization with the outputs Mean or InvStdDev")
    rank = len(node.shape())
    axes = range(node.axis("axis", -1, rank), rank)
    operands = node.operand(0), node.operand(1), node.optional_operand(2)
    return [_normalize(node, *operands, axes, node.real("epsilon", 1e-5))]


def _instance_norm(node: Node) -> Sequence[SSAValue]:
    shape = node.shape()
    if len(shape) < 3:
        raise ValueError(f"an input of rank {len(shape)} has no spatial axis")
    scale, bias = (_column(node, i, shape[1], (shape[1], *(1 for _ in shape[2:]))) for i in (1, 2))
    return [_normalize(node, node.operand(0), scale, bias, range(2, len(shape)), node.real("epsilon", 1e-5))]


def _column(node: Node, index: int, count: int, shape: Sequence[int]) -> SSAValue:
    """An input of `count` numbers as a tensor of `shape`."""
    if node.shape(index) != (count,):
        raise ValueError(f"input {index} must have shape [{count}], it has {list(node.shape(index))}")
    return node.reshape(node.operand(index), shape)


def _group_norm(node: Node) -> Sequence[SSAValue]:
    """In [N, groups, C / groups, ...]. ONNX has withdrawn the form of operator set 18, with parameters of groups."""
    shape, groups = node.shape(), node.integer("num_groups", 0)
    if len(shape) < 2 or groups < 1 or shape[1] % groups:
        raise ValueError(f"num_groups {groups} does not divide the channels of {list(shape)}")
    size = shape[1] // groups
    grouped = (shape[0], groups, size, *shape[2:])
    columns = (groups, size, *(1 for _ in shape[2:]))
    value = node.reshape(node.operand(0), grouped)
    scale, bias = (_column(node, i, shape[1], columns) for i in (1, 2))
    result = _normalize(node, value, scale, bias, range(2, len(grouped)), node.real("epsilon", 1e-5))
    return [node.reshape(result, shape)]


def _mean_variance(node: Node) -> Sequence[SSAValue]:
    """ONNX adds 1e-9 to the standard deviation: beside the square root of 1e-18 that differs in no digit."""
    axes = sorted(normal_axes(node.integers("axes", [0, 2, 3]), len(node.shape())))
    return [_normalize(node, node.operand(0), None, None, axes, 1e-18)]


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
    matrix = node.reshape(operand, (math.prod(shape[:axis]), math.prod(shape[axis:])))
    result = node.emit(ax.SoftmaxOp, [matrix], axis=base.integer(1))
    return [node.reshape(result, shape)]


CONVERTERS: dict[str, Converter] = {
    "BatchNormalization": Converter(_batch_norm, (ax.BatchNormOp,), host="training mode; spatial=0"),
    "GroupNormalization": Converter(_group_norm, (ax.NormalizeOp, ax.ReshapeOp)),
    "InstanceNormalization": Converter(_instance_norm, (ax.NormalizeOp, ax.ReshapeOp)),
    "LayerNormalization": Converter(_layer_norm, (ax.NormalizeOp,), host="the outputs Mean and InvStdDev"),
    "MeanVarianceNormalization": Converter(_mean_variance, (ax.NormalizeOp,)),
    "Softmax": Converter(_softmax, (ax.SoftmaxOp, ax.ReshapeOp)),
}
