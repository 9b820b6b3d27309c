"""Activation functions that exporters spell out, recognized again.

A product is looked at as a whole, in whatever order its factors are multiplied: a number and the other factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose

from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.arithmetic import bounds
from axir.passes.patterns.values import producer, replace, scalar


def close(value: float, expected: float) -> bool:
    """Whether a constant is meant to be `expected`: 0.1666 is meant to be 1/6. Far below an int8 step (1/255)."""
    return isclose(value, expected, rel_tol=5e-4)


def product(value: SSAValue, store: WeightStore, inner: bool = False) -> tuple[float, list[SSAValue]]:
    """The number and the other factors of a product, through multiplications that nothing else uses."""
    number = scalar(value, store)
    if number is not None:
        return number, []
    op = producer(value, ax.MulOp)
    if op is None or (inner and not value.has_one_use()):
        return 1.0, [value]
    (left, some), (right, others) = (product(operand, store, True) for operand in (op.a, op.b))
    return left * right, some + others


def shift(value: SSAValue, store: WeightStore) -> tuple[SSAValue, float] | None:
    """(x, b) when `value` is x + b with a number b."""
    op = producer(value, ax.AddOp)
    number = scalar(op.b, store) if op is not None else None
    return None if op is None or number is None else (op.a, number)


def clipped_shift(value: SSAValue, store: WeightStore) -> tuple[SSAValue, float, float] | None:
    """(x, b, h) when `value` is clip(x + b, 0, h) with 0 < h < inf."""
    op = producer(value, ax.ClipOp)
    if op is None:
        return None
    lower, upper = bounds(op)
    shifted = shift(op.input, store)
    if shifted is None or lower != 0.0 or not 0.0 < upper < float("inf"):
        return None
    return (*shifted, upper)


def hard_sigmoid(x: SSAValue, alpha: float, beta: float) -> ax.HardSigmoidOp:
    return base.build(ax.HardSigmoidOp, [x], {"alpha": base.float_(alpha), "beta": base.float_(beta)})


@dataclass(frozen=True)
class HardSigmoidOfClip(RewritePattern):
    """clip(x + b, 0, h) / h -> hard_sigmoid(x, 1 / h, b / h)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp, rewriter: PatternRewriter):
        number, factors = product(op.result, self.store)
        if len(factors) != 1:
            return
        match clipped_shift(factors[0], self.store):
            case (x, b, h) if close(number * h, 1.0) and x.type == op.result.type:
                replace(rewriter, op, [hard_sigmoid(x, 1 / h, b / h)])
            case _:
                pass


@dataclass(frozen=True)
class HardSigmoidOfAffine(RewritePattern):
    """clip(a * x + b, 0, 1) -> hard_sigmoid(x, a, b)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ClipOp, rewriter: PatternRewriter):
        match clipped_shift(op.result, self.store):
            case (scaled, b, 1.0) if producer(scaled, ax.MulOp) is not None:
                number, factors = product(scaled, self.store)
                if len(factors) == 1 and factors[0].type == op.result.type:
                    replace(rewriter, op, [hard_sigmoid(factors[0], number, b)])
            case _:
                pass


def gates(op: ax.MulOp, store: WeightStore) -> list[tuple[SSAValue, SSAValue]]:
    """(x, gate) both ways round, where a product is that of two tensors and of no number."""
    number, factors = product(op.result, store)
    return [(factors[0], factors[1]), (factors[1], factors[0])] if len(factors) == 2 and number == 1.0 else []


@dataclass(frozen=True)
class SiluOfProduct(RewritePattern):
    """x * sigmoid(x) -> silu(x)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp, rewriter: PatternRewriter):
        for x, gate in gates(op, self.store):
            sigmoid = producer(gate, ax.SigmoidOp)
            if sigmoid is not None and sigmoid.input is x and x.type == op.result.type:
                replace(rewriter, op, [base.build(ax.SiluOp, [x])])
                return


@dataclass(frozen=True)
class HardSwishOfProduct(RewritePattern):
    """x * clip(x + 3, 0, 6) / 6, or x * hard_sigmoid(x, 1 / 6, 1 / 2) -> hard_swish(x)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp, rewriter: PatternRewriter):
        number, factors = product(op.result, self.store)
        if len(factors) != 2:
            return
        for x, gate in (factors, factors[::-1]):
            if x.type == op.result.type and self.is_gate(x, gate, number):
                replace(rewriter, op, [base.build(ax.HardSwishOp, [x])])
                return

    def is_gate(self, x: SSAValue, gate: SSAValue, number: float) -> bool:
        hard = producer(gate, ax.HardSigmoidOp)
        if hard is not None:
            meant = close(hard.alpha.value.data, 1 / 6) and close(hard.beta.value.data, 0.5)
            return hard.input is x and meant and close(number, 1.0)
        match clipped_shift(gate, self.store):
            case (shifted, b, h):
                return shifted is x and close(b, 3.0) and close(h, 6.0) and close(number, 1 / 6)
            case _:
                return False


@dataclass(frozen=True)
class LeakyReluOfPRelu(RewritePattern):
    """prelu with one number as its slope -> leaky_relu"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.PReluOp, rewriter: PatternRewriter):
        slope = scalar(op.slope, self.store)
        if slope is not None:
            replace(rewriter, op, [base.build(ax.LeakyReluOp, [op.input], {"alpha": base.float_(slope)})])


def patterns(store: WeightStore) -> tuple[RewritePattern, ...]:
    return (
        SiluOfProduct(store),
        HardSwishOfProduct(store),
        HardSigmoidOfClip(store),
        HardSigmoidOfAffine(store),
        LeakyReluOfPRelu(store),
    )
