"""Mish and GELU, which exporters spell out in many ways, recognized again."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose, pi, sqrt

from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.activations import gates, product, shift
from axir.passes.patterns.tables import table_op
from axir.passes.patterns.values import producer, replace


def close(value: float, expected: float) -> bool:
    """Whether a constant is meant to be `expected`: exporters round pi, sqrt(2) and 0.044715 to few digits."""
    return isclose(value, expected, rel_tol=5e-4)


def function_op(value: SSAValue, name: str) -> ax.UnaryFunctionOp | None:
    """The `ax.unary` of a name that computes `value`."""
    op = producer(value, ax.UnaryFunctionOp)
    return op if op is not None and op.function.data.name == name else None


def function(x: SSAValue, name: str, *parameters: float) -> ax.UnaryFunctionOp:
    return base.build(ax.UnaryFunctionOp, [x], {"function": ax.FunctionAttr(ax.Function(name, parameters))})


@dataclass(frozen=True)
class MishOfProduct(RewritePattern):
    """x * tanh(softplus(x)) -> mish(x)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp, rewriter: PatternRewriter):
        for x, gate in gates(op, self.store):
            tanh = producer(gate, ax.TanhOp)
            inner = None if tanh is None else function_op(tanh.input, "softplus")
            if inner is not None and inner.input is x and x.type == op.result.type:
                replace(rewriter, op, [function(x, "mish")])
                return


@dataclass(frozen=True)
class ScaledSiluOfProduct(RewritePattern):
    """x * sigmoid(a * x) -> silu(a * x) / a, a table of its own; GELU is approximated so, with a = 1.702"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp, rewriter: PatternRewriter):
        for x, gate in gates(op, self.store):
            sigmoid = producer(gate, ax.SigmoidOp)
            if sigmoid is None or x.type != op.result.type:
                continue
            a, inner = product(sigmoid.input, self.store)
            if len(inner) == 1 and inner[0] is x and a not in (0.0, 1.0):
                table = table_op(x, "silu", (a, 0.0, 1 / a, 0.0))
                if table is not None:
                    replace(rewriter, op, [table])
                return


@dataclass(frozen=True)
class GeluOfProduct(RewritePattern):
    """x / 2 * (1 + erf(x / sqrt(2))) -> gelu(x), and with a tanh of a cubic polynomial -> gelu_tanh(x)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp, rewriter: PatternRewriter):
        number, factors = product(op.result, self.store)
        if len(factors) != 2 or not close(number, 0.5):
            return
        for x, gate in (factors, factors[::-1]):
            name = None if x.type != op.result.type else self.kind(x, gate)
            if name is not None:
                replace(rewriter, op, [function(x, name)])
                return

    def kind(self, x: SSAValue, gate: SSAValue) -> str | None:
        """`gelu` or `gelu_tanh` when `gate` is 1 + erf(...) or 1 + tanh(...) of x."""
        shifted = shift(gate, self.store)
        if shifted is None or shifted[1] != 1.0:
            return None
        erf, tanh = function_op(shifted[0], "erf"), producer(shifted[0], ax.TanhOp)
        if erf is not None:
            number, factors = product(erf.input, self.store)
            return "gelu" if len(factors) == 1 and factors[0] is x and close(number, sqrt(0.5)) else None
        return "gelu_tanh" if tanh is not None and self.is_cubic(x, tanh.input) else None

    def is_cubic(self, x: SSAValue, value: SSAValue) -> bool:
        """Whether `value` is sqrt(2 / pi) * (x + 0.044715 * x**3), or with x drawn out of the sum."""
        number, factors = product(value, self.store)
        if not close(number, sqrt(2 / pi)):
            return False
        if len(factors) == 1:
            return self.is_sum(factors[0], x, [x, x, x])
        return any(a is x and self.is_sum(b, None, [x, x]) for a, b in (factors, factors[::-1]) if len(factors) == 2)

    def is_sum(self, value: SSAValue, first: SSAValue | None, powers: list[SSAValue]) -> bool:
        """Whether `value` is first + 0.044715 * powers; a `first` of None is the number 1."""
        if first is None:
            shifted = shift(value, self.store)
            return shifted is not None and shifted[1] == 1.0 and self.is_power(shifted[0], powers)
        op = producer(value, ax.AddOp)
        return op is not None and any(a is first and self.is_power(b, powers) for a, b in ((op.a, op.b), (op.b, op.a)))

    def is_power(self, value: SSAValue, powers: list[SSAValue]) -> bool:
        number, factors = product(value, self.store)
        if not close(number, 0.044715):
            return False
        expanded: list[SSAValue] = []
        for factor in factors:
            cube, square = function_op(factor, "pow"), producer(factor, ax.MulOp)
            if cube is not None and cube.function.data.parameters == (3.0,):
                expanded += [cube.input] * 3
            elif square is not None and square.a is square.b:  # a square with other users
                expanded += [square.a] * 2
            else:
                expanded.append(factor)
        return len(expanded) == len(powers) and all(factor is powers[0] for factor in expanded)


def patterns(store: WeightStore, *, tables: bool = True) -> tuple[RewritePattern, ...]:
    """`tables` says whether a function may become a table of its own."""
    return (MishOfProduct(store), GeluOfProduct(store), *([ScaledSiluOfProduct(store)] if tables else []))
