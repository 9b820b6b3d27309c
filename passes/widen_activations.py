"""`widen-activations`: chosen layers give 16 bits, as two tensors of bytes: the result, and what rounding took from it.

A layer's result T is stored in steps of its scale S. T.low is the layer once more, less T: 0 in float, and in the
quantized graph what rounding took away, from -S/2 to S/2, in steps of S/255. Whoever takes the sum of both takes 16
bits. A convolution adds the product of T.low with its weights, another tensor of bytes, before its epilogue; where T
is added, T.low is added too. All of it are operators that the device has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from axir.dialects import ax, base
from axir.dialects.ax import StatsAttr
from axir.dialects.epilogue import Step
from axir.interp.integer import weight_rows
from axir.ir.constants import constant_attr
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.location import layer_name, name_loc
from axir.ir.store import WeightStore
from axir.passes.fuse_epilogue import Producer, fits_vector_unit, vector_room, with_epilogue
from axir.passes.graph_flow import operators, users
from axir.passes.graph_parts import device_graphs
from axir.passes.patterns.values import f32_constant
from axir.passes.quantization.clipping import RangeRule
from axir.passes.quantization.graph import STATS
from axir.passes.quantization.tensor_types import rule_of, scale_of
from axir.passes.quantize import Clipping, Scheme

F64 = NDArray[np.float64]

LESS_RESULT = (Step("scale", (-1.0,)), Step("add"), Step("scale", (-1.0,)))
"""Steps that subtract a tensor: -(-v + T)."""

REACH = 4.0
"""Standard deviations of a product with a low part that its histogram spans; one value in 16 000 is outside."""
BINS = 2048
COUNT = 1 << 20
"""Values that the histogram of such a product stands for."""


@dataclass(frozen=True)
class WidenActivations(ModulePass):
    """Gives chosen layers results of 16 bits, for what convolves, averages or adds them; in float nothing changes."""

    name = "widen-activations"

    widened_layers: tuple[str, ...] = field(
        default=(), metadata={"help": "names of layers; none: the pass does nothing"}
    )
    scheme: Scheme = field(
        default="per_tensor_histogram", metadata={"help": "as in 'quantize', which comes next: it decides the steps"}
    )
    activation_clipping: Clipping = field(default="balanced", metadata={"help": "as in 'quantize'"})

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store, rule = AxContext.of(ctx).store, rule_of(self.scheme, self.activation_clipping)
        layers = {layer: layer_name(layer) for graph in device_graphs(op) for layer in operators(graph)}
        for name in self.widened_layers:
            if name not in layers.values():
                near = get_close_matches(name, layers.values(), n=1)
                note = f"did you mean '{near[0]}'?" if near else "axc --sensitivity lists the layers"
                raise AxirError(f"widened_layers: the device has no layer '{name}'", notes=(note,))
        for graph in device_graphs(op):
            chosen = [layer for layer in operators(graph) if layers[layer] in self.widened_layers]
            _Widening(graph, store, rule, chosen).run()


class Plan(NamedTuple):
    """Where an operator takes a low part: as a product added to that of its input, after additions of the tensor."""

    product: bool
    sum: bool


class _Widening:
    """Widens the `chosen` layers of a graph, in their order. A layer that changes takes its own place in the list."""

    def __init__(self, graph: ax.GraphOp, store: WeightStore, rule: RangeRule | None, chosen: list[Operation]):
        self.graph, self.store, self.rule, self.chosen = graph, store, rule, chosen

    def run(self) -> None:
        for index in range(len(self.chosen)):
            self._widen(self.chosen[index])

    def _widen(self, op: Operation) -> None:
        reason = refusal(op, self.chosen)
        if reason is not None:
            raise AxirError(
                f"'{op.name}' cannot give 16 bits: {reason}",
                op=op,
                notes=("leave it, or the layers that read it, out of widened_layers",),
            )
        assert isinstance(op, Producer)
        if any(_is_low_part(user, op.result) for user in users(op.result)):
            return
        plans = _plans(op, self.chosen)
        scale = scale_of(op.result, self.graph, self.store, self.rule)
        low = with_epilogue(op, [*op.epilogue, *LESS_RESULT], [*op.extras, op.result])
        low.location = name_loc(f"{layer_name(op)}.low")
        low.attributes[STATS] = rounding_stats(scale, base.shape_of(op.result)[1], self.store)
        Rewriter.insert_op(low, InsertPoint.after(op))
        for reader, plan in plans.items():
            self._take(reader, plan, op.result, low.result, scale)

    def _take(self, op: Operation, plan: Plan, value: SSAValue, low: SSAValue, scale: float) -> None:
        assert isinstance(op, Producer)
        steps = _steps(op, value, plan)
        assert steps is not None
        extras = _extras(op, value, low) if plan.sum else list(op.extras)
        if plan.product:
            extras.insert(0, self._product(op, low, scale))
        self._replace(op, with_epilogue(op, steps, extras))

    def _product(self, op: Producer, low: SSAValue, scale: float) -> SSAValue:
        """What `op` makes of a low part, before its epilogue."""
        properties = {
            name: value for name, value in op.properties.items() if name not in ("operandSegmentSizes", "epilogue")
        }
        if isinstance(op, ax.AvgPoolOp):
            shares = np.full((base.shape_of(low)[1], 1), math.prod(base.ints_of(op.kernel)) ** -0.5)
            new = base.build(ax.AvgPoolOp, [low, []], properties)
        else:
            assert isinstance(op, ax.ConvOp | ax.ConvTransposeOp)
            weight = f32_constant(op.weight, self.store)
            if weight is None:
                raise AxirError("the weight must be a constant", op=op)
            rows = weight_rows(weight, op.group.value.data, isinstance(op, ax.ConvTransposeOp))
            shares = rows.astype(np.float64)
            new = base.build(type(op), [low, op.weight, None, []], properties)
        new.location = name_loc(f"{layer_name(op)}.low_input")
        new.attributes[STATS] = product_stats(scale, shares, self.store)
        Rewriter.insert_op(new, InsertPoint.before(op))
        return new.result

    def _replace(self, op: Producer, new: Producer) -> None:
        new.location, new.attributes = op.location, dict(op.attributes)
        new.result.name_hint = op.result.name_hint
        Rewriter.insert_op(new, InsertPoint.before(op))
        op.result.replace_all_uses_with(new.result)
        self.chosen = [new if layer is op else layer for layer in self.chosen]
        op.detach()
        op.erase()


def refusal(op: Operation, chosen: Sequence[Operation] = ()) -> str | None:
    """Why a layer cannot give 16 bits, beside others that do; None when it can."""
    if not isinstance(op, Producer):
        return "only convolutions, average pools and products of tensors with their epilogues can"
    if any(_is_low_part(user, op.result) for user in users(op.result)):
        return None
    if not fits_vector_unit([*op.epilogue, *LESS_RESULT], vector_room(op)):
        return "its epilogue leaves the vector unit no room for what rounding takes away"
    return None if _plans(op, chosen) else "nothing that reads it can take 16 bits"


def _plans(op: Producer, chosen: Sequence[Operation]) -> dict[Operation, Plan]:
    """How those who read a layer take its low part, as far as they can."""
    found = {reader: _plan(reader, op.result, reader in chosen) for reader in users(op.result)}
    return {reader: plan for reader, plan in found.items() if plan is not None}


def _plan(op: Operation, value: SSAValue, widened: bool) -> Plan | None:
    """How `op`, which reads `value`, can take its low part: in its input, in its additions, or both."""
    if not isinstance(op, Producer):
        return None
    later = LESS_RESULT if widened else ()
    for plan in (Plan(True, True), Plan(True, False), Plan(False, True)):
        steps = _steps(op, value, plan)
        if steps is not None and fits_vector_unit([*steps, *later], vector_room(op)):
            return plan
    return None


def _is_low_part(op: Operation, value: SSAValue) -> bool:
    return isinstance(op, Producer) and op.epilogue.data[-len(LESS_RESULT) :] == LESS_RESULT and op.extras[-1] is value


def _steps(op: Producer, value: SSAValue, plan: Plan) -> list[Step] | None:
    """The steps of `op` once it takes a low part of `value`; None where it does not read `value` so."""
    if plan.product and (op.input is not value or isinstance(op, ax.HeadMatMulOp)):
        return None
    added = [step.kind == "add" and extra is value for step, extra in _with_extras(op)]
    if plan.sum and not any(added):
        return None
    steps = [Step("add")] if plan.product else []
    for step, twice in zip(op.epilogue, added, strict=True):
        steps += [step, step] if plan.sum and twice else [step]
    return steps


def _extras(op: Producer, value: SSAValue, low: SSAValue) -> list[SSAValue]:
    """The tensors of the steps, each addition of `value` followed by one of `low`."""
    extras: list[SSAValue] = []
    for step, extra in _with_extras(op):
        if extra is not None:
            extras += [extra, low] if step.kind == "add" and extra is value else [extra]
    return extras


def _with_extras(op: Producer) -> list[tuple[Step, SSAValue | None]]:
    remaining = iter(op.extras)
    return [(step, next(remaining) if step.takes_operand else None) for step in op.epilogue]


def rounding_stats(scale: float, channels: int, store: WeightStore) -> StatsAttr:
    """Of what rounding to a step of `scale` takes away: any value from -scale / 2 to scale / 2 as often as another."""
    half = scale / 2
    ends = np.repeat(np.array([[-half], [half]], np.float32), channels, axis=1)
    return StatsAttr(-half, half, constant_attr(np.ones(BINS, np.int64), store), constant_attr(ends, store))


def product_stats(scale: float, weights: F64, store: WeightStore) -> StatsAttr:
    """Of sums of such values times weights [O, N]: normally distributed, each channel with its own deviation.

    The roundings are independent and have the variance scale**2 / 12 each, so a sum has that times sum of w**2.
    """
    deviations = scale / math.sqrt(12) * np.sqrt(np.square(weights).sum(axis=1))
    reach = REACH * float(deviations.max())
    centres = (np.arange(BINS) + 0.5) / BINS * 2 - 1
    counts = np.zeros(BINS)
    for deviation in np.unique(deviations[deviations > 0]):
        share = np.exp(-np.square(centres * reach / deviation) / 2) * (deviations == deviation).sum()
        counts += share / share.sum()
    ends = (REACH * np.stack([-deviations, deviations])).astype(np.float32)
    histogram = np.rint(counts * (COUNT / max(1.0, counts.sum()))).astype(np.int64)
    return StatsAttr(-reach, reach, constant_attr(histogram, store), constant_attr(ends, store))
