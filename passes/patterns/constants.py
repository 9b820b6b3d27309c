"""Operators on constants, computed at compile time."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from axir.dialects import base
from axir.ir.store import WeightStore
from axir.passes.patterns.values import constant, constant_op, replace

GROWTH_LIMIT = 1 << 16
"""Elements a folded constant may have beyond those of its operands: nobody wants a large constant for a small one."""


@dataclass(frozen=True)
class FoldConstants(RewritePattern):
    """op(constants) -> constant, computed by the reference interpreter; `ax.onnx` is folded at import already"""

    store: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter):
        if not isinstance(op, base.TypedOp) or not op.operands:
            return
        arrays = [constant(value, self.store) for value in op.operands]
        operands = [array for array in arrays if array is not None]
        if len(operands) < len(arrays):
            return
        if prod(base.shape_of(op.result)) > sum(array.size for array in operands) + GROWTH_LIMIT:
            return
        from axir.interp.ax import run_op

        replace(rewriter, op, [constant_op(run_op(op, operands, self.store)[0], self.store)])
