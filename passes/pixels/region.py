"""Which operators are looked at as work on pixels: those around products of two tensors, and tokens of channels."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.ir import Operation, SSAValue

from axir.dialects import ax, base
from axir.passes.graph_flow import Ops, operators
from axir.passes.patterns.values import is_constant

ELEMENTWISE = (
    ax.ReluOp, ax.SigmoidOp, ax.TanhOp, ax.SiluOp, ax.HardSwishOp, ax.TableOp, ax.UnaryFunctionOp, ax.HardSigmoidOp,
    ax.LeakyReluOp, ax.ClipOp,
)  # fmt: skip
"""Of one operand."""

BINARY = (ax.AddOp, ax.SubOp, ax.MulOp, ax.DivOp, ax.MaxOp, ax.MinOp)

MOVEMENT = (ax.ReshapeOp, ax.TransposeOp, ax.SliceOp, ax.GatherOp, ax.ConcatOp)

TRANSPARENT = (*ELEMENTWISE, *BINARY, *MOVEMENT, ax.MatMulOp, ax.GemmOp, ax.SoftmaxOp, ax.NormalizeOp, ax.ReduceOp)
"""What can be done on pixels of channels, whatever the rank."""


def is_seed(op: Operation, *, dense: bool) -> bool:
    """Whether an operator needs pixels: a product of two tensors, or work on the last axis of several tokens.

    Products with a constant matrix are such work only with `dense`.
    """
    match op:
        case ax.MatMulOp():
            if is_constant(op.a):
                return False
            return not is_constant(op.b) or (dense and _tokens(op.a))
        case ax.GemmOp():
            return dense and not is_constant(op.a) and is_constant(op.b) and _tokens(op.a)
        case ax.NormalizeOp():
            return base.ints_of(op.axes) == (len(base.shape_of(op.input)) - 1,)
        case _:
            return False


def _tokens(value: SSAValue) -> bool:
    """Whether there is more than one vector along the last axis."""
    return any(size > 1 for size in base.shape_of(value)[:-1])


def region(graph: ax.GraphOp, *, dense: bool) -> Ops:
    """The operators that are connected with a seed by others that can be done on pixels, in program order."""
    ops = operators(graph)
    return around(ops, [op for op in ops if isinstance(op, TRANSPARENT) and is_seed(op, dense=dense)])


def around(ops: Iterable[Operation], seeds: Iterable[Operation]) -> Ops:
    """Those of `ops`, in their order, that are connected with `seeds` by others that can be done on pixels."""
    inside = {op: None for op in ops if isinstance(op, TRANSPARENT)}
    found: Ops = {}
    todo = list(seeds)
    while todo:
        op = todo.pop()
        if op in found:
            continue
        found[op] = None
        for value in (*op.operands, *op.results):
            if is_constant(value):
                continue
            near = [use.operation for use in value.uses]
            if isinstance(value.owner, Operation):
                near.append(value.owner)
            todo += [other for other in near if other in inside and other not in found]
    return {op: None for op in inside if op in found}
