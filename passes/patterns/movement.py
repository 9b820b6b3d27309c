"""Data movement that moves nothing, or that several operators do together."""

from __future__ import annotations

from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.passes.patterns.values import producer, replace


class ReshapeChain(RewritePattern):
    """reshape(reshape(x)) -> reshape(x)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReshapeOp, rewriter: PatternRewriter):
        inner = producer(op.input, ax.ReshapeOp)
        if inner is not None:
            replace(rewriter, op, [base.build(ax.ReshapeOp, [inner.input], {"shape": op.shape})])


class TransposeChain(RewritePattern):
    """transpose(transpose(x)) -> one transpose"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.TransposeOp, rewriter: PatternRewriter):
        inner = producer(op.input, ax.TransposeOp)
        if inner is not None:
            first = base.ints_of(inner.perm)
            perm = base.ints([first[axis] for axis in base.ints_of(op.perm)])
            replace(rewriter, op, [base.build(ax.TransposeOp, [inner.input], {"perm": perm})])


class TransposeOfUnitAxes(RewritePattern):
    """A transpose that keeps the order of all axes longer than 1 -> reshape"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.TransposeOp, rewriter: PatternRewriter):
        shape = base.shape_of(op.input)
        moved = [axis for axis in base.ints_of(op.perm) if shape[axis] != 1]
        if moved == sorted(moved):
            target = base.ints(base.shape_of(op.result))
            replace(rewriter, op, [base.build(ax.ReshapeOp, [op.input], {"shape": target})])


class Identity(RewritePattern):
    """A reshape to the same shape, a slice of everything, a pad of nothing, a concat of one -> its input"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReshapeOp | ax.SliceOp | ax.PadOp | ax.ConcatOp, rewriter: PatternRewriter):
        # Negative pads can cancel positive ones, so that for a pad the shape alone says nothing.
        nothing = not any(base.ints_of(op.pads)) if isinstance(op, ax.PadOp) else len(op.operands) == 1
        if nothing and op.operands[0].type == op.result.type:
            rewriter.replace(op, [], [op.operands[0]])


PATTERNS = (ReshapeChain(), TransposeChain(), TransposeOfUnitAxes(), Identity())
