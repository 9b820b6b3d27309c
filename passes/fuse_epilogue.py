"""`fuse-epilogue`: elementwise work moves into the operator that computes its input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from axir.dialects import ax, base
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.ir.location import rewrite
from axir.passes.graph_parts import device_graphs
from axir.passes.patterns.values import is_constant, replace
from axir.target.isa import MAX_STEPS as MAX_VECTOR_STEPS

MAX_STEPS = 4
"""Steps of one epilogue."""

Producer = ax.ConvOp | ax.ConvTransposeOp | ax.AvgPoolOp | ax.HeadMatMulOp

VECTOR_STEPS = {"clip": 2, "hard_sigmoid": 4, "add": 2, "sub": 2, "mul": 2, "max": 2, "min": 2}
"""Steps of a vector program (axir.target.isa) for a step of an epilogue, where it is not one."""

SIMPLE_STEPS: dict[type[Operation], str] = {
    ax.ReluOp: "relu",
    ax.SigmoidOp: "sigmoid",
    ax.TanhOp: "tanh",
    ax.SiluOp: "silu",
    ax.HardSwishOp: "hard_swish",
    ax.AddOp: "add",
    ax.SubOp: "sub",
    ax.MulOp: "mul",
    ax.MaxOp: "max",
    ax.MinOp: "min",
}


def step_of(op: Operation) -> Step | None:
    """The epilogue step that does what `op` does; None when there is none."""
    match op:
        case ax.ClipOp():
            return Step("clip", (op.minimum.value.data, op.maximum.value.data))
        case ax.LeakyReluOp():
            return Step("leaky_relu", (op.alpha.value.data,))
        case ax.HardSigmoidOp():
            return Step("hard_sigmoid", (op.alpha.value.data, op.beta.value.data))
        case ax.PReluOp() if is_constant(op.slope):
            return Step("prelu")
        case ax.TableOp():
            return op.step
        case ax.UnaryFunctionOp():
            kind = ax.FUNCTION_STEPS.get(op.function.data)
        case _:
            kind = SIMPLE_STEPS.get(type(op))
    return None if kind is None else Step(kind)


def fusible_producer(value: SSAValue, step: Step, result: SSAValue) -> Producer | None:
    """The operator that computes `value`, where it can take `step` as well to compute `result`."""
    op = value.owner
    if not isinstance(op, Producer) or value.type != result.type:
        return None
    fits = fits_vector_unit([*op.epilogue.data, step], vector_room(op))
    return op if value.has_one_use() and len(op.epilogue.data) < MAX_STEPS and fits else None


def vector_room(op: Producer) -> int:
    """How many steps of a vector program are left for an operator's epilogue."""
    return MAX_VECTOR_STEPS - isinstance(op, ax.AvgPoolOp)


def fits_vector_unit(steps: Sequence[Step], room: int) -> bool:
    """Whether one vector program of `room` steps can do it: there is one slope, one table, and two tensor operands."""
    kinds = [step.kind for step in steps]
    tables = {step for step in steps if step.is_table}
    operands = sum(step.takes_tensor for step in steps)
    cost = sum(VECTOR_STEPS.get(kind, 1) for kind in kinds)
    return kinds.count("prelu") <= 1 and len(tables) <= 1 and operands <= 2 and cost <= room


def with_step(op: Producer, step: Step, extras: Sequence[SSAValue]) -> Producer:
    """The operator with one step more, which consumes `extras`."""
    return with_epilogue(op, [*op.epilogue, step], [*op.extras, *extras])


def with_epilogue(op: Producer, steps: Sequence[Step], extras: Sequence[SSAValue]) -> Producer:
    """The operator with other steps, which consume `extras`."""
    properties = {name: value for name, value in op.properties.items() if name != "operandSegmentSizes"}
    properties["epilogue"] = EpilogueAttr(steps)
    if isinstance(op, ax.HeadMatMulOp):
        inputs = [op.input, op.other]
    else:
        inputs = [op.input] if isinstance(op, ax.AvgPoolOp) else [op.input, op.weight, op.bias]
    return base.build(type(op), [*inputs, [*extras]], properties)


class FuseStep(RewritePattern):
    """f(conv(x)) -> conv(x) with the step f, in place of f: there all its operands are defined

    Only where nothing else uses conv(x). Of two operands that both come from a producer, the later one takes the step:
    the other's result is then ready.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter):
        step = step_of(op)
        if step is None:
            return
        candidates = op.operands if isinstance(op, ax.AddOp | ax.MulOp | ax.MaxOp | ax.MinOp) else op.operands[:1]
        found = [(i, p) for i, value in enumerate(candidates) if (p := fusible_producer(value, step, op.results[0]))]
        if not found:
            return
        index, inner = found[0]
        if len(found) == 2 and inner.is_before_in_block(found[1][1]):
            index, inner = found[1]
        extras = [value for i, value in enumerate(op.operands) if i != index]
        replace(rewriter, op, [with_step(inner, step, extras)], inner, op)


@dataclass(frozen=True)
class FuseEpilogue(ModulePass):
    """Moves activations and operators of two tensors into epilogues of the device's convolutions or average pools."""

    name = "fuse-epilogue"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for graph in device_graphs(op):
            rewrite(graph, FuseStep())
