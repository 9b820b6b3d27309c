"""Nearest-neighbour enlargement by whole factors as a depthwise transposed convolution."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Attribute
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.values import f32_op, is_f32, replace


@dataclass(frozen=True)
class NearestResize(RewritePattern):
    """resize that repeats every pixel h x w times -> depthwise conv_transpose, kernel and strides [h, w]

    All weights are 1 and windows do not overlap, so that each result is one input, exactly.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ResizeOp, rewriter: PatternRewriter):
        import numpy as np

        factors = enlargement(op)
        if factors is None:
            return
        channels = base.shape_of(op.input)[1]
        ones = f32_op(np.ones((channels, 1, *factors)), self.store)
        window: dict[str, Attribute] = {
            "strides": base.ints(factors),
            "pads": base.ints((0, 0, 0, 0)),
            "output_padding": base.ints((0, 0)),
            "dilations": base.ints((1, 1)),
            "group": base.integer(channels),
        }
        replace(rewriter, op, [ones, base.build(ax.ConvTransposeOp, [op.input, ones, None, []], window)])


def enlargement(op: ax.ResizeOp) -> tuple[int, int] | None:
    """The factors by which a nearest resize repeats rows and columns of NCHW; None for anything else."""
    import numpy as np

    before, after = base.shape_of(op.input), base.ints_of(op.sizes)
    if op.mode.data != ax.ResizeMode.NEAREST or not is_f32(op.result) or len(before) != 4 or before[:2] != after[:2]:
        return None
    if before == after or after[2] % before[2] or after[3] % before[3]:
        return None
    factors = (after[2] // before[2], after[3] // before[3])
    for axis, factor in zip((2, 3), factors, strict=True):
        if not np.array_equal(op.nearest_index(axis), np.arange(before[axis]).repeat(factor)):
            return None
    return factors
