"""`global-to-window-pool`: pooling over all of the height and width as pooling with a window of that size."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import BoolAttr, ModuleOp
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax
from axir.ir.location import rewrite
from axir.passes.patterns import movement
from axir.passes.patterns.values import is_f32, replace


def avg_pool(x: SSAValue, kernel: tuple[int, int]) -> ax.AvgPoolOp:
    """The mean of windows that do not overlap; there are no pads, so none is counted."""
    return ax.build(
        ax.AvgPoolOp,
        [x, []],
        {
            "kernel": ax.ints(kernel),
            "strides": ax.ints((1, 1)),
            "pads": ax.ints((0, 0, 0, 0)),
            "dilations": ax.ints((1, 1)),
            "count_include_pad": BoolAttr.from_bool(False),
        },
    )


class GlobalAvgPool(RewritePattern):
    """global_avg_pool on NCHW -> avg_pool with the whole window"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.GlobalAvgPoolOp, rewriter: PatternRewriter):
        match ax.shape_of(op.input):
            case (_, _, height, width):
                replace(rewriter, op, [avg_pool(op.input, (height, width))])
            case _:
                pass


class GlobalMaxPool(RewritePattern):
    """global_max_pool on NCHW -> max_pool with the whole window"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.GlobalMaxPoolOp, rewriter: PatternRewriter):
        shape = ax.shape_of(op.input)
        if len(shape) != 4:
            return
        window: dict[str, Attribute] = {
            "kernel": ax.ints(shape[2:]),
            "strides": ax.ints((1, 1)),
            "pads": ax.ints((0, 0, 0, 0)),
            "dilations": ax.ints((1, 1)),
        }
        replace(rewriter, op, [ax.build(ax.MaxPoolOp, [op.input], window)])


class SpatialMean(RewritePattern):
    """reduce_mean over height, width or both -> avg_pool, and a reshape where it drops the axes"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReduceMeanOp, rewriter: PatternRewriter):
        shape, axes = ax.shape_of(op.input), ax.ints_of(op.axes)
        if len(shape) != 4 or not is_f32(op.input) or not axes or not {*axes} <= {2, 3}:
            return
        pool = avg_pool(op.input, (shape[2] if 2 in axes else 1, shape[3] if 3 in axes else 1))
        dropped = ax.build(ax.ReshapeOp, [pool], {"shape": ax.ints(ax.shape_of(op.result))})
        replace(rewriter, op, [pool] if op.keepdims.value.data else [pool, dropped])


@dataclass(frozen=True)
class GlobalToWindowPool(ModulePass):
    """Global pools, and means over height and width, become pools with that window: the device knows only windows."""

    name = "global-to-window-pool"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite(op, GlobalAvgPool(), GlobalMaxPool(), SpatialMean(), *movement.PATTERNS)
