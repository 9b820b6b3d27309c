"""Rewrites one graph: each `ax` operation becomes the `axq` operation that does the same on bytes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import BoolAttr, FloatAttr, f64
from xdsl.ir import Attribute, Operation, SSAValue

from axir import numerics
from axir.dialects import ax, axq, base
from axir.dialects.axq import Constant, QuantType
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.interp.integer import MAX_INPUT
from axir.ir.constants import constant_array, constant_attr
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.passes.device_support import NORMALIZED_AXES
from axir.passes.fuse_epilogue import step_of
from axir.passes.quantization.graph import ARGUMENT_STATS, STATS
from axir.passes.quantization.weights import ACCUMULATOR_LIMIT, quantize_weights

F32 = NDArray[np.float32]
Properties = dict[str, Attribute]


def lower_graph(
    graph: ax.GraphOp,
    types: dict[SSAValue, QuantType],
    means: dict[SSAValue, F32],
    store: WeightStore,
    softmax_neutral_value: float,
    *,
    clip_weights: bool = False,
) -> axq.GraphOp:
    """The quantized form of `graph`, whose tensors get the given types.

    `means` are those of every channel, of the tensors where they are known: they correct biases of convolutions.
    `softmax_neutral_value` is what every softmax gets behind its last channel. `clip_weights` clips the weights of each
    output channel where that lowers their squared error.
    Raises `AxirError` for operations without a quantized form and for constants where a tensor is needed.
    """
    lowering = _Lowering(types, means, store, softmax_neutral_value, clip_weights)
    block = graph.body.block
    inputs = [
        (name.data, axq.quantized(base.shape_of(argument), types[argument]))
        for name, argument in zip(graph.inputs, block.args, strict=True)
    ]
    new = axq.GraphOp(graph.sym_name.data, inputs, [name.data for name in graph.outputs])
    new.attributes = {name: value for name, value in graph.attributes.items() if name != ARGUMENT_STATS}
    new.location = graph.location
    for old, argument in zip(block.args, new.body.block.args, strict=True):
        argument.name_hint = old.name_hint
        lowering.values[old] = argument
    for op in block.ops:
        if not isinstance(op, ax.ConstantOp | ax.ReturnOp):
            lowered = lowering.lower(op)
            new.body.block.add_ops([*lowering.constants(), lowered])
    terminator = axq.ReturnOp([lowering.tensor(value, graph.terminator) for value in graph.terminator.operands])
    new.body.block.add_ops(lowering.constants())
    terminator.location = graph.terminator.location
    new.body.block.add_op(terminator)
    return new


class _Lowering:
    def __init__(
        self,
        types: dict[SSAValue, QuantType],
        means: dict[SSAValue, F32],
        store: WeightStore,
        softmax_neutral_value: float,
        clip_weights: bool,
    ):
        self.softmax_neutral_value = softmax_neutral_value
        self.clip_weights = clip_weights
        self.types = types
        self.means = means
        self.store = store
        self.values: dict[SSAValue, SSAValue] = {}
        self.pending: list[axq.ConstantOp] = []

    def constants(self) -> list[axq.ConstantOp]:
        """The constants that the operations since the last call need before them."""
        made, self.pending = self.pending, []
        return made

    def lower(self, op: Operation) -> axq.QuantOp:
        """The operation in place of `op`, with its location, its name hint and its attributes but the statistics."""
        if not isinstance(op, base.TypedOp):
            raise self._unsupported(op)
        new = self._lower(op)
        new.location = op.location
        new.attributes = {name: value for name, value in op.attributes.items() if name != STATS}
        new.result.name_hint = op.result.name_hint
        self.values[op.result] = new.result
        return new

    def _lower(self, op: base.TypedOp) -> axq.QuantOp:
        match op:
            case ax.ConvOp():
                return self._weighted(op, axq.ConvOp, ("strides", "pads", "dilations", "group"))
            case ax.ConvTransposeOp():
                names = ("strides", "pads", "output_padding", "dilations", "group")
                return self._weighted(op, axq.ConvTransposeOp, names)
            case ax.AvgPoolOp():
                if base.ints_of(op.dilations) != (1, 1):
                    raise AxirError("average pooling with dilation cannot be quantized", op=op)
                if prod(base.ints_of(op.kernel)) * MAX_INPUT >= ACCUMULATOR_LIMIT:
                    raise AxirError("the sum over a window can exceed 32 bits", op=op)
                properties = _copied(op, ("kernel", "strides", "pads", "count_include_pad"))
                return self._fused(op, axq.AvgPoolOp, op.input, properties, list(op.epilogue), op.extras)
            case ax.MaxPoolOp():
                properties = _copied(op, ("kernel", "strides", "pads", "dilations"))
                return self._build(op, axq.MaxPoolOp, [self.tensor(op.input, op)], properties)
            case ax.SoftmaxOp() if op.axis.value.data == axq.CHANNELS:
                properties = _copied(op, ("axis",)) | {"neutral": FloatAttr(self.softmax_neutral_value, f64)}
                return self._build(op, axq.SoftmaxOp, [self.tensor(op.input, op)], properties)
            case ax.HeadMatMulOp():
                properties = _copied(op, ("heads", "transpose", "factor"))
                return self._fused(op, axq.MatMulOp, op.input, properties, list(op.epilogue), op.extras, op.other)
            case ax.NormalizeOp():
                return self._normalize(op)
            case ax.ReshapeOp():
                return self._build(op, axq.ReshapeOp, [self.tensor(op.input, op)], _copied(op, ("shape",)))
            case ax.RearrangeOp():
                properties = _copied(op, ("split", "perm", "shape"))
                return self._build(op, axq.RearrangeOp, [self.tensor(op.input, op)], properties)
            case ax.GatherOp():
                return self._build(op, axq.GatherOp, [self.tensor(op.input, op)], _copied(op, ("axis", "indices")))
            case ax.ConcatOp():
                inputs = [self.tensor(value, op) for value in op.inputs]
                return self._build(op, axq.ConcatOp, [inputs], _copied(op, ("axis",)))
            case ax.SliceOp():
                properties = _copied(op, ("starts", "ends", "steps"))
                return self._build(op, axq.SliceOp, [self.tensor(op.input, op)], properties)
            case _:
                return self._map(op)

    def _weighted(
        self, op: ax.ConvOp | ax.ConvTransposeOp, kind: type[axq.WeightedOp], names: Sequence[str]
    ) -> axq.QuantOp:
        weight = self.constant(op.weight, "the weight", op)
        channels = base.shape_of(op.result)[1]
        bias = np.zeros(channels, np.float32) if op.bias is None else self.constant(op.bias, "the bias", op)
        scale = self._input_scale(op.input, channels, op)
        transposed = isinstance(op, ax.ConvTransposeOp)
        means = None if transposed else self.means.get(op.input)
        try:
            group = op.group.value.data
            quantized = quantize_weights(weight, bias, scale, group, transposed, means, clip=self.clip_weights)
        except ValueError as error:
            raise AxirError(str(error), op=op) from None
        properties = _copied(op, names) | {
            "weight": constant_attr(quantized.weight, self.store),
            "weight_scale": constant_attr(quantized.scale, self.store),
            "bias": constant_attr(quantized.bias, self.store),
        }
        return self._fused(op, kind, op.input, properties, list(op.epilogue), op.extras)

    def _input_scale(self, value: SSAValue, channels: int, op: Operation) -> F32:
        """One scale, or for an input quantized per channel one for each of `channels` depthwise outputs."""
        element = axq.quant_of(self.tensor(value, op))
        if not element.per_channel:
            return np.array([element.scalar[0]], np.float32)
        scales = cast(F32, constant_array(cast(Constant, element.scale), self.store, op))
        return np.repeat(scales, channels // scales.size)

    def _map(self, op: base.TypedOp) -> axq.QuantOp:
        """An elementwise operation on its own: the operand of the result's shape goes through one step."""
        step = step_of(op)
        if step is None:
            raise self._unsupported(op)
        if isinstance(op, ax.PReluOp):
            return self._fused(op, axq.MapOp, op.input, {}, [step], [op.slope])
        shape = base.shape_of(op.result)
        large = [index for index, value in enumerate(op.operands) if base.shape_of(value) == shape]
        if not large:
            raise AxirError("both operands broadcast: no operand has the result's shape", op=op)
        others = [value for index, value in enumerate(op.operands) if index != large[0]]
        return self._fused(op, axq.MapOp, op.operands[large[0]], {}, [step], others)

    def _fused(
        self,
        op: base.TypedOp,
        kind: type[axq.FusedOp],
        value: SSAValue,
        properties: Properties,
        steps: Sequence[Step],
        extras: Sequence[SSAValue],
        other: SSAValue | None = None,
    ) -> axq.QuantOp:
        remaining = iter(extras)
        tensors: list[SSAValue] = []
        for step in steps:
            if step.kind == "prelu":
                if "slope" in properties:
                    raise AxirError("an epilogue can hold one prelu only", op=op)
                properties["slope"] = self._slope(next(remaining), op)
            elif step.takes_operand:
                tensors.append(self.tensor(next(remaining), op))
        if steps:
            properties["epilogue"] = EpilogueAttr(steps)
        operands = [value] if other is None else [value, other]
        return self._build(op, kind, [*(self.tensor(operand, op) for operand in operands), tensors], properties)

    def _normalize(self, op: ax.NormalizeOp) -> axq.QuantOp:
        axes, channels = base.ints_of(op.axes), base.shape_of(op.input)[1]
        if axes not in NORMALIZED_AXES:
            raise self._unsupported(op)
        vectors = [np.ones(channels, np.float32), np.zeros(channels, np.float32)]
        for number, (what, value) in enumerate((("the scale", op.scale), ("the bias", op.bias))):
            if value is not None:
                vectors[number] = self._channel_vector(self.constant(value, what, op), what, op)
        properties = _copied(op, ("epsilon",)) | {
            "factor": constant_attr(np.ascontiguousarray(vectors[0]), self.store),
            "summand": constant_attr(np.ascontiguousarray(vectors[1]), self.store),
            "group": base.integer(channels if 1 in axes else 1),
            "spatial": BoolAttr.from_bool(2 in axes),
        }
        return self._build(op, axq.NormalizeOp, [self.tensor(op.input, op)], properties)

    def _slope(self, value: SSAValue, op: base.TypedOp) -> Attribute:
        """The slope of a prelu as one number a channel."""
        slope = self._channel_vector(self.constant(value, "the slope", op), "a slope", op)
        return constant_attr(slope.astype(np.float32), self.store)

    @staticmethod
    def _channel_vector(array: F32, what: str, op: base.TypedOp) -> F32:
        """A constant as one number a channel of the result."""
        channels = base.shape_of(op.result)[1]
        if array.size not in (1, channels) or (array.size > 1 and (array.ndim < 3 or array.shape[-3] != channels)):
            raise AxirError(f"{what} of shape {list(array.shape)} is not one number a channel", op=op)
        return np.broadcast_to(array.reshape(-1), (channels,))

    def _build(
        self,
        op: base.TypedOp,
        kind: type[axq.QuantOp],
        operands: Sequence[SSAValue | Sequence[SSAValue]],
        properties: Properties,
    ) -> axq.QuantOp:
        type_ = axq.quantized(base.shape_of(op.result), self.types[op.result])
        return kind.build(operands=operands, properties=properties, result_types=[type_])

    def tensor(self, value: SSAValue, op: Operation) -> SSAValue:
        """The quantized form of a tensor that `op` reads."""
        if value not in self.values and value in self.types and isinstance(value.owner, ax.ConstantOp):
            self.values[value] = self._constant(value.owner)
        if value not in self.values:
            raise AxirError(
                f"'{op.name}' takes a constant where the device needs a tensor",
                op=op,
                notes=("run 'canonicalize-graph': it folds constants that are one number a channel",),
            )
        return self.values[value]

    def _constant(self, op: ax.ConstantOp) -> SSAValue:
        array, element = constant_array(op.value, self.store, op), self.types[op.result]
        scale, zero_point = element.scalar
        stored = numerics.quantize(
            array.astype(np.float32), numerics.reciprocal(scale), np.asarray(zero_point, np.int32)
        )  # fmt: skip
        new = axq.ConstantOp.build(
            properties={"value": constant_attr(stored, self.store)},
            result_types=[axq.quantized(array.shape, element)],
        )
        new.location = op.location
        new.result.name_hint = op.result.name_hint
        self.pending.append(new)
        return new.result

    def constant(self, value: SSAValue, what: str, op: Operation) -> F32:
        """The float values of a constant operand."""
        owner = value.owner
        if not isinstance(owner, ax.ConstantOp):
            raise AxirError(f"{what} must be a constant", op=op)
        array: NDArray[Any] = constant_array(owner.value, self.store, op)
        if array.dtype != np.float32:
            raise AxirError(f"{what} must be float32, it is {array.dtype}", op=op)
        return array

    def _unsupported(self, op: Operation) -> AxirError:
        return AxirError(
            f"'{op.name}' has no quantized form",
            op=op,
            notes=("run 'split-host' and 'fuse-epilogue' first: they leave only what the device can do in @main",),
        )


def _copied(op: base.TypedOp, names: Sequence[str]) -> Properties:
    return {name: op.properties[name] for name in names}
