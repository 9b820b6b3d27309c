"""What depends on what in a graph, and how much work it is: the questions of whoever cuts a network in parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from xdsl.ir import Operation, SSAValue

from axir.dialects import ax, base

Ops = dict[Operation, None]
"""An ordered set."""


def operators(graph: ax.GraphOp) -> list[Operation]:
    """The operations of a graph, in order, but constants and the return."""
    return [op for op in graph.body.block.ops if not isinstance(op, ax.ConstantOp | ax.ReturnOp)]


def operands(ops: Iterable[Operation]) -> list[SSAValue]:
    return [value for op in ops for value in op.operands]


def results(ops: Iterable[Operation]) -> dict[SSAValue, None]:
    return dict.fromkeys(value for op in ops for value in op.results)


def users(value: SSAValue) -> list[Operation]:
    return [use.operation for use in value.uses]


def dependents(op: Operation, ops: Sequence[Operation]) -> Ops:
    """`op` and everything that depends on it."""
    found: Ops = {}
    for other in ops:
        if other is op or any(value.owner in found for value in other.operands):
            found[other] = None
    return found


def ancestors(op: Operation, ops: Sequence[Operation]) -> Ops:
    """`op` and everything it depends on."""
    found: Ops = {}
    for other in reversed(ops):
        if other is op or any(user in found for value in other.results for user in users(value)):
            found[other] = None
    return found


def connected(ops: Sequence[Operation]) -> list[Ops]:
    """Groups of operators that values flow between."""
    groups: list[Ops] = []
    for op in ops:
        producers = [value.owner for value in op.operands]
        met = [group for group in groups if any(producer in group for producer in producers)]
        groups = [group for group in groups if group not in met]
        groups.append({member: None for group in met for member in group} | {op: None})
    return groups


def macs(op: Operation) -> int:
    """Multiply-accumulates of a convolution or matrix product; 0 for anything else."""
    match op:
        case ax.ConvOp():
            return prod(base.shape_of(op.result)) * prod(base.shape_of(op.weight)[1:])
        case ax.ConvTransposeOp():
            return prod(base.shape_of(op.input)) * prod(base.shape_of(op.weight)[1:])
        case ax.GemmOp():
            return prod(base.shape_of(op.a)) * base.shape_of(op.result)[1]
        case ax.MatMulOp():
            return prod(base.shape_of(op.result)) * base.shape_of(op.a)[-1]
        case ax.HeadMatMulOp():
            channels = base.shape_of(op.input)[1]
            depth = channels // op.heads.value.data if op.transpose.value.data else channels
            return prod(base.shape_of(op.result)) * depth
        case _:
            return 0


def total_macs(ops: Iterable[Operation]) -> int:
    return sum(map(macs, ops))


def operator_name(op: Operation) -> str:
    """What errors call an operator: the ONNX type of one that `ax` does not have."""
    return op.kind.data if isinstance(op, ax.OnnxOp) else op.name
