"""What does not depend on where elements are is done before they move: there it can join what computes them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.values import replace, scalar

Movement = ax.ReshapeOp | ax.TransposeOp


def movement(value: SSAValue) -> Movement | None:
    """The reshape or transpose of something computed that gives `value`, if nothing else uses it."""
    op = value.owner
    if not isinstance(op, Movement) or not value.has_one_use() or not isinstance(op.input.owner, Operation):
        return None
    return None if isinstance(op.input.owner, ax.ConstantOp) else op


def moved_after(op: base.TypedOp, inner: Movement, rewriter: PatternRewriter, new: base.TypedOp) -> None:
    """Replace `op`, on the result of `inner`, by `new`, on its input, and `inner` after that."""
    new.location = op.location
    replace(rewriter, op, [new, base.build(type(inner), [new], dict(inner.properties))], inner)


@dataclass(frozen=True)
class FunctionBeforeMovement(RewritePattern):
    """f(reshape(x)) -> reshape(f(x)), and of a transpose, for a function of one number, or one with one number"""

    store: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter):
        match op:
            case ax.SoftmaxOp():
                return
            case ax.UnaryOp():
                value, others = op.input, []
            case ax.AddOp() | ax.SubOp() | ax.MulOp() | ax.DivOp() if scalar(op.b, self.store) is not None:
                value, others = op.a, [op.b]
            case _:
                return
        inner = movement(value)
        if inner is None or op.result.type != value.type:
            return
        if any(len(base.shape_of(other)) > len(base.shape_of(inner.input)) for other in others):
            return
        moved_after(op, inner, rewriter, base.build(type(op), [inner.input, *others], dict(op.properties)))


class SoftmaxBeforeMovement(RewritePattern):
    """softmax(reshape(x)) -> reshape(softmax(x)) where its axis is one of x as well; of a transpose always"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.SoftmaxOp, rewriter: PatternRewriter):
        inner, axis = movement(op.input), op.axis.value.data
        if inner is None:
            return
        before, after = base.shape_of(inner.input), base.shape_of(op.input)
        if isinstance(inner, ax.TransposeOp):
            axis = base.ints_of(inner.perm)[axis]
        else:
            outer = prod(after[:axis])
            places = [place for place, size in enumerate(before) if size == after[axis] > 1]
            axis = next((place for place in places if prod(before[:place]) == outer), -1)
            if axis < 0:
                return
        moved_after(op, inner, rewriter, base.build(ax.SoftmaxOp, [inner.input], {"axis": base.integer(axis)}))
