"""Functions of one number with parameters, as tables and steps that the vector unit has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.arithmetic import F32_MAX
from axir.passes.patterns.spelled_out import function, function_op
from axir.passes.patterns.tables import table_op
from axir.passes.patterns.values import channel_vector, is_constant, is_f32, producer, replace, scalar


def below_zero(x: SSAValue | Operation, slope: float) -> ax.LeakyReluOp:
    """x where it is not negative, slope * x where it is."""
    return base.build(ax.LeakyReluOp, [x], {"alpha": base.float_(slope)})


def steps_of(x: SSAValue, name: str, parameters: Sequence[float]) -> list[Operation | None]:
    """The operations that compute a function of x, the last one its result; empty, or with a None, where none do.

    elu(x) is negative exactly where x is: a slope below zero turns it into one of another alpha.
    """
    match name, parameters:
        case "abs", ():
            return [below_zero(x, -1.0)]
        case "elu", (alpha,) if alpha != 1.0:
            elu = function(x, "elu", 1.0)
            return [elu, below_zero(elu, alpha)]
        case "selu", (alpha, gamma) if gamma > 0.0:
            elu = table_op(x, "elu", (1.0, 0.0, gamma, 0.0))
            return [elu, None if elu is None else below_zero(elu, alpha)]
        case "celu", (alpha,) if alpha > 0.0:
            return [table_op(x, "elu", (1 / alpha, 0.0, alpha, 0.0))]
        case "thresholded_relu", (0.0,):
            return [base.build(ax.ReluOp, [x])]
        case _:
            return []


class FunctionToSteps(RewritePattern):
    """abs -> leaky_relu(-1); elu, selu, celu with parameters -> the table of elu, then leaky_relu"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.UnaryFunctionOp, rewriter: PatternRewriter):
        made = steps_of(op.input, op.function.data.name, op.function.data.parameters)
        new = [step for step in made if step is not None]
        if not new or len(new) < len(made):
            return
        for step in new[:-1]:
            step.location = op.location
        replace(rewriter, op, new)


@dataclass(frozen=True)
class PReluOfPositions(RewritePattern):
    """prelu(x) on NCHW with a slope that is not one constant a channel -> relu(x) + clip(x, , 0) * slope"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.PReluOp, rewriter: PatternRewriter):
        shape = base.shape_of(op.result)
        if len(shape) != 4 or not is_f32(op.result) or channel_vector(op.slope, shape, self.store) is not None:
            return
        if is_constant(op.input):
            return
        bounds: dict[str, Attribute] = {"minimum": base.float_(-F32_MAX), "maximum": base.float_(0.0)}
        below = base.build(ax.ClipOp, [op.input], bounds)
        scaled = base.build(ax.MulOp, [below, op.slope])
        above = base.build(ax.ReluOp, [op.input])
        for step in (below, scaled, above):
            step.location = op.location
        replace(rewriter, op, [below, scaled, above, base.build(ax.AddOp, [above, scaled])])


@dataclass(frozen=True)
class SoftplusOfLog(RewritePattern):
    """log(exp(x) + 1) -> softplus(x)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.UnaryFunctionOp, rewriter: PatternRewriter):
        total = producer(op.input, ax.AddOp)
        if op.function.data.name != "log" or total is None or scalar(total.b, self.store) != 1.0:
            return
        power = function_op(total.a, "exp")
        if power is not None and power.input.type == op.result.type:
            replace(rewriter, op, [function(power.input, "softplus")])
