"""`equalize-layers`: channels between two convolutions get like ranges, by scaling weights on both sides of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from axir.dialects import ax, base
from axir.ir.constants import constant_array, constant_attr
from axir.ir.context import AxContext
from axir.ir.store import WeightStore
from axir.passes.graph_parts import device_graphs

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

HOMOGENEOUS = ("relu", "leaky_relu", "prelu")
"""Steps f with f(s * v) = s * f(v) for every s > 0. A ReLU6 is none: one clip has one bound for all channels."""

ROUNDS = 20
"""Sweeps over the pairs; a pair of a chain moves its neighbours, and a dozen sweeps settle chains of dozens."""

LARGEST = 1 << 8
"""The scales of one tensor's channels, over all sweeps, stay between this and its inverse."""


@dataclass(frozen=True)
class EqualizeLayers(ModulePass):
    """Cross-layer equalization (Nagel et al. 2019, arXiv:1906.04721, section 4.1); the network computes the same."""

    name = "equalize-layers"

    cross_layer_equalization: bool = field(
        default=False, metadata={"help": "equalize channels between convolutions; false: the pass does nothing"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not self.cross_layer_equalization:
            return
        store = AxContext.of(ctx).store
        for graph in device_graphs(op):
            equalize(graph, store)


def equalize(graph: ax.GraphOp, store: WeightStore) -> int:
    """Scale the weights on both sides of every tensor that allows it; how many tensors that was.

    A tensor allows it that one convolution alone computes and one alone reads, as its input, where the steps between
    are homogeneous. Channel c is divided by s[c] at its producer and multiplied at its reader: with the greatest
    weights r1[c], r2[c] that make and read it, s = sqrt(r1 / r2) gives both sqrt(r1 * r2). Scales are powers of two,
    so that all products and sums of floats are scaled exactly.
    """
    convolutions = [op for op in graph.body.block.ops if isinstance(op, ax.ConvOp)]
    pairs = [(first, second) for first in convolutions if (second := _reader(first)) is not None]
    weights: dict[SSAValue, F32] = {}
    for op in dict.fromkeys(op for pair in pairs for op in pair):
        for value in (op.weight, op.bias):
            if value is not None:
                owner = cast(ax.ConstantOp, value.owner)
                weights[value] = cast(F32, constant_array(owner.value, store, owner))
    # A constant with several readers cannot be scaled for one of them.
    pairs = [pair for pair in pairs if all(_own(value) for op in pair for value in (op.weight, op.bias) if value)]
    total = {second.input: np.ones(base.shape_of(second.input)[1]) for _, second in pairs}
    for _ in range(ROUNDS):
        moved = False
        for first, second in pairs:
            moved |= _balance(first, second, weights, total[second.input])
        if not moved:
            break
    for value, array in weights.items():
        if _own(value):
            _replace(cast(ax.ConstantOp, value.owner), array, store)
    return len(pairs)


def _reader(first: ax.ConvOp) -> ax.ConvOp | None:
    """The convolution that alone reads what `first` computes, where scales of channels pass from one to the other."""
    if any(step.kind not in HOMOGENEOUS for step in first.epilogue):
        return None
    uses = list(first.result.uses)
    if len(uses) != 1 or uses[0].index != 0 or not isinstance(uses[0].operation, ax.ConvOp):
        return None
    second = uses[0].operation
    constants = [value for op in (first, second) for value in (op.weight, op.bias) if value is not None]
    return second if all(isinstance(value.owner, ax.ConstantOp) for value in constants) else None


def _own(value: SSAValue) -> bool:
    return len(list(value.uses)) == 1


def _balance(first: ax.ConvOp, second: ax.ConvOp, weights: dict[SSAValue, F32], total: F64) -> bool:
    """One step for one pair; whether anything moved. `total` are the tensor's scales so far."""
    group = second.group.value.data
    made = np.abs(weights[first.weight]).max(axis=(1, 2, 3))
    reader = weights[second.weight]
    # [group, outputs of a group, channels of a group, taps] -> the greatest weight that reads a channel.
    read = np.abs(reader).reshape(group, len(reader) // group, reader.shape[1], -1).max(axis=(1, 3)).reshape(-1)
    there = (made > 0) & (read > 0)
    ratio = np.sqrt(np.divide(made, read, where=there, out=np.ones_like(made)).astype(np.float64))
    scales = np.clip(total * np.exp2(np.rint(np.log2(ratio))), 1 / LARGEST, LARGEST) / total
    if (scales == 1).all():
        return False
    total *= scales
    factor = scales.astype(np.float32)
    weights[first.weight] = weights[first.weight] / factor.reshape(-1, 1, 1, 1)
    if first.bias is not None:
        weights[first.bias] = weights[first.bias] / factor
    per_output = factor.reshape(group, 1, -1).repeat(len(reader) // group, axis=1).reshape(len(reader), -1)
    weights[second.weight] = reader * per_output[:, :, None, None]
    return True


def _replace(op: ax.ConstantOp, array: F32, store: WeightStore) -> None:
    new = ax.ConstantOp(constant_attr(array, store))
    new.location = op.location
    Rewriter.insert_op(new, InsertPoint.before(op))
    new.result.name_hint = op.result.name_hint
    op.result.replace_all_uses_with(new.result)
    op.detach()
    op.erase()
