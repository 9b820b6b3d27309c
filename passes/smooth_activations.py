"""`smooth-activations`: channels behind a normalization get like ranges, by scaling it and the weights that read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, NoneAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from axir.dialects import ax, base
from axir.dialects.axq import Constant
from axir.ir.constants import constant_array
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.passes.graph_parts import device_graphs
from axir.passes.patterns.values import f32_constant, f32_op
from axir.passes.quantization.graph import drop_stats, smoothed_values, stats_of

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

LARGEST = 1 << 8
"""Scales, whose geometric mean is 1, stay between this and its inverse."""


@dataclass(frozen=True)
class SmoothActivations(ModulePass):
    """Smoothing (Xiao et al. 2022, arXiv:2211.10438, section 4) behind normalizations; the network computes the same.

    It needs the extremes of every channel that 'calibrate' records with this option, and drops all statistics of a
    graph that it changes.
    """

    name = "smooth-activations"

    activation_smoothing: float | None = field(
        default=None, metadata={"help": "share of the ranges that goes to the weights; none: the pass does nothing"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        strength = self.activation_smoothing
        if strength is None:
            return
        if not 0 <= strength <= 1:
            raise AxirError(f"activation-smoothing must be from 0 to 1, not {strength}")
        store = AxContext.of(ctx).store
        for graph in device_graphs(op):
            if smooth(graph, store, strength):
                drop_stats(graph)


def smooth(graph: ax.GraphOp, store: WeightStore, strength: float) -> int:
    """Scale what `smoothed_values` gives, and the weights of the convolutions that read it; how many tensors that was.

    With max |x| of channel c, and max |w| of the weights that read it, the channel is divided by
    s = max |x|**strength / max |w|**(1 - strength), over the geometric mean of all channels' s. Scales are powers of
    two, so that all products and sums of floats are scaled exactly. Raises `AxirError` where statistics are missing.
    """
    values = smoothed_values(graph)
    scales = [_scales(value, graph, store, strength) for value in values]
    for value, scale in zip(values, scales, strict=True):
        _divide(cast(ax.NormalizeOp, value.owner), scale, store)
    return len(values)


def _scales(value: SSAValue, graph: ax.GraphOp, store: WeightStore, strength: float) -> F32:
    """What to divide each channel by [C]."""
    op = cast(ax.NormalizeOp, value.owner)
    recorded = stats_of(value, graph).channels
    if isinstance(recorded, NoneAttr):
        raise AxirError(
            "the statistics of the result hold no extremes per channel",
            op=op,
            notes=("run 'calibrate' with activation-smoothing",),
        )
    largest = np.abs(constant_array(cast(Constant, recorded), store, op)).max(axis=0).astype(np.float64)
    read = np.max([_largest_weights(conv, store) for conv in _readers(value)], axis=0)
    there = (largest > 0) & (read > 0)
    exponents = np.where(there, strength * _log2(largest, there) - (1 - strength) * _log2(read, there), 0.0)
    exponents = np.where(there, exponents - exponents[there].mean(), 0.0) if there.any() else exponents
    return np.exp2(np.clip(np.rint(exponents), -np.log2(LARGEST), np.log2(LARGEST))).astype(np.float32)


def _log2(values: F64, there: NDArray[np.bool_]) -> F64:
    return np.log2(np.where(there, values, 1.0))


def _readers(value: SSAValue) -> list[ax.ConvOp]:
    return [cast(ax.ConvOp, use.operation) for use in value.uses]


def _largest_weights(op: ax.ConvOp, store: WeightStore) -> F64:
    """The greatest magnitude of the weights that read each input channel [C]."""
    weight, group = _constant(op.weight, store), op.group.value.data
    by_group = np.abs(weight).reshape(group, len(weight) // group, weight.shape[1], -1)
    return by_group.max(axis=(1, 3)).reshape(-1).astype(np.float64)


def _divide(op: ax.NormalizeOp, scale: F32, store: WeightStore) -> None:
    """Divide the result's channels by `scale`, and multiply the weights that read them."""
    for conv in _readers(op.result):
        weight, group = _constant(conv.weight, store), conv.group.value.data
        factor = scale.reshape(group, 1, -1).repeat(len(weight) // group, axis=1).reshape(len(weight), -1, 1, 1)
        old = cast(ax.ConstantOp, conv.weight.owner)
        conv.operands[1] = _constant_before(old, weight * factor, store)
        conv.weight.name_hint = old.result.name_hint
        _erase_unused(old.result)
    column = (-1, 1, 1)
    factor = np.ones_like(scale) if op.scale is None else _channels(op.scale, len(scale), store)
    parameters: list[SSAValue | None] = [_constant_before(op, (factor / scale).reshape(column), store), None]
    if op.bias is not None:
        bias = _channels(op.bias, len(scale), store) / scale
        parameters[1] = _constant_before(op, bias.reshape(column), store)
    properties = {name: value for name, value in op.properties.items() if name != "operandSegmentSizes"}
    new = base.build(ax.NormalizeOp, [op.input, *parameters], properties)
    new.location, new.attributes, new.result.name_hint = op.location, dict(op.attributes), op.result.name_hint
    Rewriter.insert_op(new, InsertPoint.before(op))
    op.result.replace_all_uses_with(new.result)
    old = [value for value in (op.scale, op.bias) if value is not None]
    op.detach()
    op.erase()
    for value in old:
        _erase_unused(value)


def _erase_unused(value: SSAValue) -> None:
    owner = value.owner
    if value.first_use is None and isinstance(owner, ax.ConstantOp):
        owner.detach()
        owner.erase()


def _channels(value: SSAValue, channels: int, store: WeightStore) -> F32:
    """A parameter of a normalization as one number a channel."""
    return np.broadcast_to(_constant(value, store).reshape(-1), (channels,))


def _constant(value: SSAValue, store: WeightStore) -> F32:
    array = f32_constant(value, store)
    assert array is not None  # of `smoothed_values`
    return array


def _constant_before(op: Operation, array: F32, store: WeightStore) -> SSAValue:
    new = f32_op(array, store)
    new.location = op.location
    Rewriter.insert_op(new, InsertPoint.before(op))
    return new.result
