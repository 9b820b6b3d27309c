"""Operands that broadcast, as the vector unit streams them: it repeats rows and columns, and takes every channel."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.affine import conv
from axir.passes.patterns.values import channel_vector, f32_constant, f32_op, is_constant, is_f32, replace


@dataclass(frozen=True)
class ConstantOfPositions(RewritePattern):
    """x + c, x * c, max or min with c [H, W], [1, H, 1] or the like -> the same with c [1, C, H or 1, W or 1]

    Not a sum or product where c is one number a channel, which weights or a convolution of 1x1 take.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.AddOp | ax.MulOp | ax.MaxOp | ax.MinOp, rewriter: PatternRewriter):
        import numpy as np

        shape, array = base.shape_of(op.result), f32_constant(op.b, self.store)
        if array is None or len(shape) != 4 or is_constant(op.a) or array.shape[:-3] not in ((), (1,)):
            return
        weighs = isinstance(op, ax.AddOp | ax.MulOp) and op.a.type == op.result.type
        if weighs and channel_vector(op.b, shape, self.store) is not None:
            return
        rows, columns = (1, 1, *array.shape)[-2:]
        wanted = (1, shape[1], rows, columns)
        if array.shape != wanted:
            constant = f32_op(np.broadcast_to(array, wanted), self.store)
            replace(rewriter, op, [constant, base.build(type(op), [op.a, constant])])


@dataclass(frozen=True)
class BroadcastOfOneChannel(RewritePattern):
    """x + m, x - m, x * m, max or min, where m has one channel of C -> the same, a convolution of 1x1 repeating m"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.AddOp | ax.SubOp | ax.MulOp | ax.MaxOp | ax.MinOp, rewriter: PatternRewriter):
        import numpy as np

        shape = base.shape_of(op.result)
        if len(shape) != 4 or shape[1] == 1 or not is_f32(op.result):
            return
        computed = [value for value in (op.a, op.b) if not is_constant(value)]
        narrow = next((value for value in computed if base.shape_of(value)[1:2] == (1,)), None)
        if narrow is None or len(base.shape_of(narrow)) != 4:
            return
        ones = f32_op(np.ones((shape[1], 1, 1, 1)), self.store)
        wide = conv(narrow, ones, None)
        wide.location = op.location
        operands = [wide.result if value is narrow else value for value in (op.a, op.b)]
        replace(rewriter, op, [ones, wide, base.build(type(op), operands)])


@dataclass(frozen=True)
class ExpandToAdd(RewritePattern):
    """expand(x) on [1, C, H, W] -> x plus zeros of a column, plus zeros of a row: the sums broadcast it"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ExpandOp, rewriter: PatternRewriter):
        import numpy as np

        before, after = base.shape_of(op.input), base.shape_of(op.result)
        if len(before) != 4 or after[0] != 1 or not is_f32(op.result) or before == after:
            return
        channels = after[1]
        zeros = [np.zeros((1, channels, *after[2:]), np.float32)[:, :, :, :1]] if after[2] != before[2] else []
        zeros += [np.zeros((1, channels, 1, after[3]), np.float32)] if after[3] != before[3] else []
        value, new = op.input, list[Operation]()
        for array in zeros or [np.zeros((1, channels, 1, 1), np.float32)]:
            constant = f32_op(array, self.store)
            total = base.build(ax.AddOp, [value, constant])
            total.location = op.location
            new += [constant, total]
            value = total.result
        replace(rewriter, op, new)


def patterns(store: WeightStore) -> tuple[RewritePattern, ...]:
    return ConstantOfPositions(store), BroadcastOfOneChannel(store), ExpandToAdd(store)
