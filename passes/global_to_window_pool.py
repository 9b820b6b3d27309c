"""`global-to-window-pool`: pooling over all of the height and width as pooling with a window of that size."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.location import rewrite
from axir.passes.patterns import movement
from axir.passes.patterns.values import is_f32, replace
from axir.passes.patterns.windows import avg_pool, max_pool


class GlobalAvgPool(RewritePattern):
    """global_avg_pool on NCHW -> avg_pool with the whole window"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.GlobalAvgPoolOp, rewriter: PatternRewriter):
        match base.shape_of(op.input):
            case (_, _, height, width):
                replace(rewriter, op, [avg_pool(op.input, (height, width))])
            case _:
                pass


class GlobalMaxPool(RewritePattern):
    """global_max_pool on NCHW -> max_pool with the whole window"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.GlobalMaxPoolOp, rewriter: PatternRewriter):
        shape = base.shape_of(op.input)
        if len(shape) == 4:
            replace(rewriter, op, [max_pool(op.input, shape[2:])])


class SpatialReduction(RewritePattern):
    """reduce mean or max over height, width or both -> avg_pool or max_pool, and a reshape where it drops the axes"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReduceOp, rewriter: PatternRewriter):
        shape, axes = base.shape_of(op.input), base.ints_of(op.axes)
        make = {ax.ReduceKind.MEAN: avg_pool, ax.ReduceKind.MAX: max_pool}.get(op.kind.data)
        if make is None or len(shape) != 4 or not is_f32(op.input) or not axes or not {*axes} <= {2, 3}:
            return
        pool = make(op.input, (shape[2] if 2 in axes else 1, shape[3] if 3 in axes else 1))
        dropped = base.build(ax.ReshapeOp, [pool], {"shape": base.ints(base.shape_of(op.result))})
        replace(rewriter, op, [pool] if op.keepdims.value.data else [pool, dropped])


@dataclass(frozen=True)
class GlobalToWindowPool(ModulePass):
    """Global pools, means and maxima over height and width become pools: the device knows only windows."""

    name = "global-to-window-pool"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite(op, GlobalAvgPool(), GlobalMaxPool(), SpatialReduction(), *movement.PATTERNS)
