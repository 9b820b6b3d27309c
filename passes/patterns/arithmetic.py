"""Canonical forms of arithmetic with constants: constants on the right, no subtraction, no division, no identities."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.values import constant_op, f32_constant, is_constant, producer, replace, scalar

F32_MAX = 3.4028234663852886e38
"""The greatest finite binary32 number; exporters write it where a clip has no bound."""


class ConstantLast(RewritePattern):
    """add(c, x) -> add(x, c); the same of mul, max and min"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.AddOp | ax.MulOp | ax.MaxOp | ax.MinOp, rewriter: PatternRewriter):
        if is_constant(op.a) and not is_constant(op.b):
            replace(rewriter, op, [base.build(type(op), [op.b, op.a])])


@dataclass(frozen=True)
class SubtractionOfConstant(RewritePattern):
    """sub(x, c) -> add(x, -c), sub(c, x) -> add(mul(x, -1), c)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.SubOp, rewriter: PatternRewriter):
        import numpy as np

        right = f32_constant(op.b, self.store)
        if right is not None:
            negated = constant_op(-right, self.store)
            replace(rewriter, op, [negated, base.build(ax.AddOp, [op.a, negated])])
        elif f32_constant(op.a, self.store) is not None:
            minus_one = constant_op(np.asarray(-1, np.float32), self.store)
            negative = base.build(ax.MulOp, [op.b, minus_one])
            replace(rewriter, op, [minus_one, negative, base.build(ax.AddOp, [negative, op.a])])


@dataclass(frozen=True)
class DivisionByConstant(RewritePattern):
    """div(x, c) -> mul(x, 1 / c), the reciprocal rounded once to binary32; not where c is zero or subnormal."""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.DivOp, rewriter: PatternRewriter):
        import numpy as np

        divisor = f32_constant(op.b, self.store)
        if divisor is None or not (np.abs(divisor) >= np.finfo(np.float32).tiny).all():
            return
        reciprocal = constant_op((1.0 / divisor.astype(np.float64)).astype(np.float32), self.store)
        replace(rewriter, op, [reciprocal, base.build(ax.MulOp, [op.a, reciprocal])])


@dataclass(frozen=True)
class NeutralConstant(RewritePattern):
    """add(x, 0) -> x, mul(x, 1) -> x, where the constant does not broadcast x."""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.AddOp | ax.MulOp, rewriter: PatternRewriter):
        neutral = 0.0 if isinstance(op, ax.AddOp) else 1.0
        if op.a.type == op.result.type and scalar(op.b, self.store) == neutral:
            rewriter.replace(op, [], [op.a])


@dataclass(frozen=True)
class MergeConstants(RewritePattern):
    """add(add(x, c), d) -> add(x, c + d), mul(mul(x, c), d) -> mul(x, c * d), unless that makes a larger constant"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.AddOp | ax.MulOp, rewriter: PatternRewriter):
        inner = producer(op.a, type(op))
        if inner is None or not inner.result.has_one_use():
            return
        first, second = f32_constant(inner.b, self.store), f32_constant(op.b, self.store)
        if first is None or second is None:
            return
        array = first + second if isinstance(op, ax.AddOp) else first * second
        if array.size <= max(first.size, second.size):
            merged = constant_op(array, self.store)
            replace(rewriter, op, [merged, base.build(type(op), [inner.a, merged])], inner, op)


def bounds(op: ax.ReluOp | ax.ClipOp) -> tuple[float, float]:
    """Least and greatest result; infinite where the operator has no bound, however the exporter wrote that."""
    if isinstance(op, ax.ReluOp):
        return 0.0, float("inf")
    lower, upper = op.minimum.value.data, op.maximum.value.data
    return (float("-inf") if lower <= -F32_MAX else lower), (float("inf") if upper >= F32_MAX else upper)


def _bound(value: float) -> FloatAttr:
    # MLIR's literals have no infinity: a bound that is none stays the greatest number.
    return base.float_(min(max(value, -F32_MAX), F32_MAX))


@dataclass(frozen=True)
class RepeatedConstant(RewritePattern):
    """add(x, c), where c repeats one element along an axis -> add(x, c') with one element there; of all such operators

    Only where c alone does not give the result its shape. Constants that differ between pixels keep their channels, as
    the device takes them.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self, op: ax.AddOp | ax.SubOp | ax.MulOp | ax.DivOp | ax.MaxOp | ax.MinOp, rewriter: PatternRewriter
    ):
        for index, other in ((0, 1), (1, 0)):
            array = f32_constant(op.operands[index], self.store)
            if array is None or op.operands[other].type != op.result.type or array.size < 2:
                continue
            small = array
            for axis in reversed(range(array.ndim)):
                first = small.take([0], axis)
                if axis != 1 or array.ndim != 4 or small.shape[2:] == (1, 1):
                    small = first if (small == first).all() else small
            if small.size < array.size:
                constant = constant_op(small, self.store)
                operands = [constant.result if i == index else value for i, value in enumerate(op.operands)]
                replace(rewriter, op, [constant, base.build(type(op), operands)])
                return


@dataclass(frozen=True)
class ExtremeOfNumber(RewritePattern):
    """max(x, c) -> clip from c on, min(x, c) -> clip to c, where c is one number"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MaxOp | ax.MinOp, rewriter: PatternRewriter):
        number = scalar(op.b, self.store)
        if number is None or op.a.type != op.result.type:
            return
        lower, upper = (number, F32_MAX) if isinstance(op, ax.MaxOp) else (-F32_MAX, number)
        bounds: dict[str, Attribute] = {"minimum": _bound(lower), "maximum": _bound(upper)}
        replace(rewriter, op, [base.build(ax.ClipOp, [op.a], bounds)])


class MergeClips(RewritePattern):
    """clip(clip(x)) and relu in either place -> one clip: max and min are applied in the order given."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReluOp | ax.ClipOp, rewriter: PatternRewriter):
        inner = op.input.owner
        if not isinstance(inner, ax.ReluOp | ax.ClipOp) or not inner.result.has_one_use():
            return
        (lower, upper), (least, greatest) = bounds(op), bounds(inner)
        merged: dict[str, Attribute] = {
            "minimum": _bound(min(max(least, lower), upper)),
            "maximum": _bound(min(max(greatest, lower), upper)),
        }
        replace(rewriter, op, [base.build(ax.ClipOp, [inner.input], merged)], inner, op)


class SimplifyClip(RewritePattern):
    """A clip without bounds -> its input; one from 0 without an upper bound -> relu."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ClipOp, rewriter: PatternRewriter):
        match bounds(op):
            case (lower, upper) if lower == float("-inf") and upper == float("inf"):
                rewriter.replace(op, [], [op.input])
            case (0.0, upper) if upper == float("inf"):
                replace(rewriter, op, [base.build(ax.ReluOp, [op.input])])
            case _:
                pass


def patterns(store: WeightStore, *, merge: bool = True) -> tuple[RewritePattern, ...]:
    """`merge` says whether constants may be merged, which rounds otherwise."""
    return (
        ConstantLast(),
        SubtractionOfConstant(store),
        DivisionByConstant(store),
        NeutralConstant(store),
        RepeatedConstant(store),
        *([MergeConstants(store)] if merge else []),
        ExtremeOfNumber(store),
        MergeClips(),
        SimplifyClip(),
    )
