"""Numbers before and after a table function, folded into a table of its own: c * f(a * x + b) + d."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.utils.exceptions import VerifyException

from axir.dialects import ax, base
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.ir.store import WeightStore
from axir.passes.patterns.values import replace, scalar

NEUTRAL = (1.0, 0.0, 1.0, 0.0)

FUNCTIONS: dict[type[Operation], str] = {
    ax.SigmoidOp: "sigmoid",
    ax.TanhOp: "tanh",
    ax.SiluOp: "silu",
    ax.HardSwishOp: "hard_swish",
}
"""The operators that the device computes by a table, beside the functions of `ax.unary` that are a step."""

TableFunction = ax.SigmoidOp | ax.TanhOp | ax.SiluOp | ax.HardSwishOp | ax.UnaryFunctionOp | ax.TableOp


def table_step(op: Operation) -> tuple[str, tuple[float, ...]] | None:
    """The function of a table operator, and its constants a, b, c, d; None for any other operator."""
    match op:
        case ax.TableOp():
            return op.step.kind, op.step.arguments
        case ax.UnaryFunctionOp():
            kind = ax.FUNCTION_STEPS.get(op.function.data)
        case _:
            kind = FUNCTIONS.get(type(op))
    return None if kind is None else (kind, NEUTRAL)


def table_op(x: SSAValue, kind: str, constants: tuple[float, ...]) -> ax.TableOp | None:
    """The table operator; None where its constants are out of range: a is not 0, none is huge."""
    unsigned_zeros = tuple(number + 0.0 for number in constants)
    try:
        return base.build(ax.TableOp, [x], {"function": EpilogueAttr([Step(kind, unsigned_zeros)])})
    except VerifyException:
        return None


@dataclass(frozen=True)
class NumberAfterTable(RewritePattern):
    """f(x) * c -> table function c * f(x); f(x) + d -> table function f(x) + d, unless f(x) is used elsewhere"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp | ax.AddOp, rewriter: PatternRewriter):
        inner, number = op.a.owner, scalar(op.b, self.store)
        if not isinstance(inner, TableFunction) or number is None:
            return
        step = table_step(inner)
        if step is None or not inner.result.has_one_use() or op.result.type != inner.result.type:
            return
        kind, (a, b, c, d) = step
        constants = (a, b, c * number, d * number) if isinstance(op, ax.MulOp) else (a, b, c, d + number)
        new = table_op(inner.input, kind, constants)
        if new is not None:
            replace(rewriter, op, [new], inner, op)


@dataclass(frozen=True)
class NumberBeforeTable(RewritePattern):
    """f(x * a) -> table function f(a * x); f(x + b) -> table function f(x + b), unless f is not the only user"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self,
        op: ax.SigmoidOp | ax.TanhOp | ax.SiluOp | ax.HardSwishOp | ax.UnaryFunctionOp | ax.TableOp,
        rewriter: PatternRewriter,
    ):
        inner, step = op.input.owner, table_step(op)
        if not isinstance(inner, ax.MulOp | ax.AddOp) or not inner.result.has_one_use():
            return
        number = scalar(inner.b, self.store)
        if number is None or step is None or inner.a.type != inner.result.type:
            return
        kind, (a, b, c, d) = step
        constants = (a * number, b, c, d) if isinstance(inner, ax.MulOp) else (a, b + a * number, c, d)
        new = table_op(inner.a, kind, constants)
        if new is not None:
            replace(rewriter, op, [new], inner, op)


def patterns(store: WeightStore) -> tuple[RewritePattern, ...]:
    return NumberBeforeTable(store), NumberAfterTable(store)
