"""`share-memory`: the segments of one network share its L2 and DDR; each gets bytes that are its own.

All programs of a network are on the device at a time, so their constants and descriptors cannot share bytes. They run
one after another: L1, which holds nothing from one frame to the next, is each one's whole. Activations in L2 and DDR
could overlay each other, but get disjoint ranges: the simple rule, which costs L2 what the other segments' inputs,
outputs and spilled activations take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DictionaryAttr, IntegerAttr, ModuleOp, ShapedType, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from axir.dialects import axq
from axir.dialects.base import shape_of
from axir.ir.constants import WeightAttr, numpy_dtype
from axir.ir.context import AxContext
from axir.passes.memory.budget import MEMORY_SHARE, MemoryLimits
from axir.target.description import Target, load
from axir.target.isa import PWORD

PADDING = 1.5
"""Constants and tensors take more bytes on the device than they hold: an estimate of how much."""


@dataclass(frozen=True)
class ShareMemory(MemoryLimits, ModulePass):
    """Gives each of several `axq.graph`s its bytes of L2 and DDR: attribute `memory_share`. It changes nothing else.

    Every graph gets what it is estimated to need, as long as no other gets less than its equal part for that; what is
    left over is shared out equally. All other passes of the device keep to the shares.
    """

    name = "share-memory"

    stream_tasklist: bool = field(
        default=True, metadata={"help": "no room is kept in L2 for task lists; they are fetched while they run"}
    )
    aipu_cores_used: int = field(default=1, metadata={"help": "cores of every program"})

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graphs = [graph for graph in op.ops if isinstance(graph, axq.GraphOp)]
        if len(graphs) < 2:
            return
        known = AxContext.of(ctx).target
        target = known if isinstance(known, Target) else load(None)
        budget = self.budget(target, task_lists=0 if self.stream_tasklist else self.aipu_cores_used)
        needs = [_needed(graph, budget.l1) for graph in graphs]
        page = target.device.page
        shares = zip(*(fair_shares(needs, total, page) for total in (budget.l2, budget.ddr)), strict=True)
        for graph, (l2, ddr) in zip(graphs, shares, strict=True):
            graph.attributes[MEMORY_SHARE] = DictionaryAttr({"l2": IntegerAttr(l2, i64), "ddr": IntegerAttr(ddr, i64)})


def fair_shares(needs: Sequence[int], total: int, granule: int) -> list[int]:
    """Whole granules of `total`: the max-min fair division, and what is left over in equal parts."""
    shares = [0] * len(needs)
    left = total
    for served, index in enumerate(sorted(range(len(needs)), key=lambda index: needs[index])):
        shares[index] = min(needs[index], left // (len(needs) - served))
        left -= shares[index]
    return [(share + left // len(needs)) // granule * granule for share in shares]


def _needed(graph: axq.GraphOp, l1: int) -> int:
    """Bytes: constants, inputs and outputs with their second sets, and activations that L1 has no room for."""
    ops = list(graph.body.block.ops)
    constants = sum(_bytes(value) for op in ops for value in (*op.properties.values(), *op.attributes.values()))
    ports = sum(_elements(value) for value in (*graph.body.block.args, *graph.terminator.operands))
    return int(PADDING * (constants + 2 * ports + max(0, _peak(ops) - l1)))


def _peak(ops: Sequence[Operation]) -> int:
    """The most bytes of activations alive at a time, in program order."""
    last = {value: index for index, op in enumerate(ops) for value in op.operands}
    peak = alive = 0
    for index, op in enumerate(ops):
        alive += sum(map(_elements, op.results))
        peak = max(peak, alive)
        freed = [v for v in dict.fromkeys(op.operands) if last[v] == index and isinstance(v.owner, Operation)]
        alive -= sum(map(_elements, freed))
    return peak


def _elements(value: SSAValue) -> int:
    """Bytes of an int8 tensor, its channels padded to pwords."""
    batch, channels, *size = shape_of(value)
    return batch * -(-channels // PWORD) * PWORD * prod(size)


def _bytes(value: Attribute) -> int:
    """Bytes of a constant; 0 of any other attribute."""
    if not isinstance(value, WeightAttr | DenseIntOrFPElementsAttr):
        return 0
    type_ = cast(ShapedType, value.type)
    return prod(type_.get_shape()) * numpy_dtype(cast(Attribute, value.type.element_type)).itemsize
