"""Resizing: enlargement by whole factors as a depthwise transposed convolution, any other as rows and columns taken."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.values import f32_op, is_f32, replace
from axir.passes.patterns.windows import avg_pool


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


@dataclass(frozen=True)
class ResizeByGather(RewritePattern):
    """resize of height and width -> gathers of rows and columns; linear: of both neighbours, times constant weights

    One axis after the other, first the one that makes the tensor smaller. Only operators `inside` are looked at.
    """

    store: WeightStore
    inside: Container[Operation]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ResizeOp, rewriter: PatternRewriter):
        before, after = base.shape_of(op.input), base.ints_of(op.sizes)
        if op not in self.inside or len(before) != 4 or before[:2] != after[:2] or before[0] != 1:
            return
        if (
            not is_f32(op.result)
            or isinstance(op.input.owner, ax.ConstantOp)
            or any(_moves(op, axis) for axis in (0, 1))
        ):
            return
        value, made = op.input, list[Operation]()
        for axis in sorted((2, 3), key=lambda axis: after[axis] / before[axis]):
            if _moves(op, axis):
                made += self.resized(op, value, axis)
                value = made[-1].results[0]
        if not made:
            return rewriter.replace(op, [], [op.input])
        for new in made:
            new.location = op.location
        replace(rewriter, op, made)

    def resized(self, op: ax.ResizeOp, value: SSAValue, axis: int) -> list[Operation]:
        """The operations that resize one axis of `value`; the last one's result is it."""
        import numpy as np

        if op.mode.data == ax.ResizeMode.NEAREST:
            return [gather(value, axis, op.nearest_index(axis))]
        low, high, share = op.linear_taps(axis)
        near = gather(value, axis, low)
        if not share.any():
            return [near]
        far = gather(value, axis, high)
        # Product and sum are the epilogue of a pool of 1x1: of the roundings only that of the other product is left.
        pool = avg_pool(near.result, (1, 1))
        made: list[Operation] = [near, far, pool]
        along = [-1 if place == axis else 1 for place in range(4)]
        wide = (1, base.shape_of(value)[1], 1, 1)
        products: list[SSAValue] = []
        for taken, weights in ((pool, np.float32(1) - share), (far, share)):
            constant = f32_op(np.ones(wide, np.float32) * weights.reshape(along), self.store)
            product = base.build(ax.MulOp, [taken.result, constant])
            made += [constant, product]
            products.append(product.result)
        return [*made, base.build(ax.AddOp, products)]


def gather(value: SSAValue, axis: int, indices: Iterable[int]) -> ax.GatherOp:
    picked = base.ints([int(index) for index in indices])
    return base.build(ax.GatherOp, [value], {"axis": base.integer(axis), "indices": picked})


def _moves(op: ax.ResizeOp, axis: int) -> bool:
    """Whether a resize changes anything along an axis."""
    import numpy as np

    same = np.arange(base.shape_of(op.input)[axis])
    if op.mode.data == ax.ResizeMode.NEAREST:
        return not np.array_equal(op.nearest_index(axis), same)
    low, _, share = op.linear_taps(axis)
    return not np.array_equal(low, same) or bool(share.any())


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
