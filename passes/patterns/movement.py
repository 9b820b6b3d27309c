"""Data movement that moves nothing, or that several operators do together."""

from __future__ import annotations

from xdsl.ir import Attribute
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


class SliceChain(RewritePattern):
    """slice(slice(x)) -> one slice"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.SliceOp, rewriter: PatternRewriter):
        inner = producer(op.input, ax.SliceOp)
        if inner is None:
            return
        starts, ends, steps = zip(*map(_composed, _ranges(inner), _ranges(op)), strict=True)
        bounds: dict[str, Attribute] = {
            "starts": base.ints(starts), "ends": base.ints(ends), "steps": base.ints(steps)
        }  # fmt: skip
        replace(rewriter, op, [base.build(ax.SliceOp, [inner.input], bounds)])


def _ranges(op: ax.SliceOp) -> list[range]:
    return [range(*bound) for bound in zip(*map(base.ints_of, (op.starts, op.ends, op.steps)), strict=True)]


def _composed(inner: range, outer: range) -> tuple[int, int, int]:
    """Start, end and step of what `outer` takes of the elements that `inner` takes."""
    taken = inner[outer.start : outer.stop : outer.step]
    return (taken[0], taken[-1] + 1, taken.step) if taken else (0, 0, 1)


class GatherChain(RewritePattern):
    """gather(gather(x)) along one axis -> one gather"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.GatherOp, rewriter: PatternRewriter):
        inner = producer(op.input, ax.GatherOp)
        if inner is not None and inner.axis == op.axis:
            first = base.ints_of(inner.indices)
            indices = base.ints([first[index] for index in base.ints_of(op.indices)])
            replace(rewriter, op, [base.build(ax.GatherOp, [inner.input], {"axis": op.axis, "indices": indices})])


class ExpandOfOperand(RewritePattern):
    """add(expand(x), y) -> add(x, y), where y has the shape to which x is expanded; the same of all such operators"""

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self, op: ax.AddOp | ax.SubOp | ax.MulOp | ax.DivOp | ax.MaxOp | ax.MinOp, rewriter: PatternRewriter
    ):
        for index, other in ((0, 1), (1, 0)):
            inner = producer(op.operands[index], ax.ExpandOp)
            if inner is not None and op.operands[other].type == op.result.type:
                operands = [inner.input if i == index else value for i, value in enumerate(op.operands)]
                replace(rewriter, op, [base.build(type(op), operands)])
                return


class Identity(RewritePattern):
    """A reshape to the same shape, a slice of everything, a pad of nothing, a concat or gather of all -> its input"""

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self, op: ax.ReshapeOp | ax.SliceOp | ax.PadOp | ax.ConcatOp | ax.GatherOp, rewriter: PatternRewriter
    ):
        # Negative pads can cancel positive ones, so that for a pad the shape alone says nothing.
        match op:
            case ax.PadOp():
                nothing = not any(base.ints_of(op.pads))
            case ax.GatherOp():
                nothing = list(base.ints_of(op.indices)) == list(range(len(op.indices)))
            case _:
                nothing = len(op.operands) == 1
        if nothing and op.operands[0].type == op.result.type:
            rewriter.replace(op, [], [op.operands[0]])


PATTERNS = (
    ReshapeChain(),
    TransposeChain(),
    TransposeOfUnitAxes(),
    SliceChain(),
    GatherChain(),
    ExpandOfOperand(),
    Identity(),
)
