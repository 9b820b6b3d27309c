"""`force-split`: the part of the network from a chosen node on goes to the host, whatever the device could do."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from axir.dialects import ax, base
from axir.ir.diagnostics import AxirError
from axir.passes.graph_flow import dependents, operators
from axir.passes.graph_parts import MAIN, POSTAMBLE, cut, parts_of

Condition = Literal["maximum_weight_tensor_size", "maximum_weight_tensor_first_dimension_size"]
NodeType = Literal["MatMul", "Gemm", "Clip"]

OPERATORS: dict[str, type[Operation]] = {"MatMul": ax.MatMulOp, "Gemm": ax.GemmOp, "Clip": ax.ClipOp}


@dataclass(frozen=True)
class ForceSplit(ModulePass):
    """Cuts a @postamble for the host off @main: the first node of an ONNX type whose weights exceed a threshold.

    Everything that depends on that node goes with it. Weights are the node's largest constant tensor, of which the
    number of elements or the first dimension is compared; a Clip has one element, its bound. It runs on the graph as
    imported, before other passes change what the model's author wrote.

    Without a condition or without `run_graph_cleaner` it does nothing, nor where no node exceeds the threshold. Raises
    `AxirError` where the node leaves nothing for the device.
    """

    name = "force-split"
    graph_cleaner_condition: Condition | None = None
    graph_cleaner_node: NodeType | None = None
    graph_cleaner_threshold: int = 0
    run_graph_cleaner: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not self.run_graph_cleaner or None in (self.graph_cleaner_condition, self.graph_cleaner_node):
            return
        parts = list(parts_of(op).values())
        if len(parts) != 1:
            return
        (graph,) = parts
        ops = operators(graph)
        first = next((candidate for candidate in ops if self._exceeds(candidate)), None)
        if first is None:
            return
        after = dependents(first, ops)
        device = {other: None for other in ops if other not in after}
        if not device:
            raise AxirError(
                f"the forced split before this {self.graph_cleaner_node} leaves nothing for the device",
                op=first,
                notes=("raise graph_cleaner_threshold, so that a later node is the first to exceed it",),
            )
        Rewriter.replace_op(graph, list(cut(graph, {MAIN: device, POSTAMBLE: after}).values()), [])

    def _exceeds(self, op: Operation) -> bool:
        kind = self.graph_cleaner_node
        assert kind is not None
        if not isinstance(op, OPERATORS[kind]) and not (isinstance(op, ax.OnnxOp) and op.kind.data == kind):
            return False
        shapes = [(1,)] if kind == "Clip" else [shape for value in op.operands if (shape := constant_shape(value))]
        weights = max(shapes, key=prod, default=(0,))
        size = prod(weights) if self.graph_cleaner_condition == "maximum_weight_tensor_size" else weights[0]
        return size > self.graph_cleaner_threshold


def constant_shape(value: SSAValue) -> tuple[int, ...] | None:
    """The shape of a constant as the model has it: a vector is imported as a reshaped matrix. None for other values."""
    source = value.owner.input if isinstance(value.owner, ax.ReshapeOp) else value
    return base.shape_of(source) if isinstance(source.owner, ax.ConstantOp) else None
