"""Exports an `axq` graph as an ONNX model in QDQ form: float operators between QuantizeLinear and DequantizeLinear.

The model takes and gives float, or stored bytes where it is told so. Every tensor that the device stores is quantized
in the same place with the same scale and zero point, so any ONNX runtime shows what the device computes, within one
step of the output scale: the device's accumulators are exact and its activations are tables
(docs/numerics.md).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from xdsl.ir import Operation, SSAValue

from axir import __version__, numerics
from axir.backends.qdq import attention
from axir.dialects import axq
from axir.dialects.base import ints_of, shape_of
from axir.dialects.epilogue import Step
from axir.ir.constants import constant_array
from axir.ir.diagnostics import AxirError
from axir.ir.location import layer_name
from axir.ir.store import WeightStore

OPSET = 17
IR_VERSION = 8
"""The IR version that came with opset 17."""

SIMPLE_STEPS = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "hard_swish": "HardSwish",
    "add": "Add",
    "mul": "Mul",
}


def export_qdq(
    graph: axq.GraphOp, store: WeightStore, stored: Collection[str] = (), *, every_tensor: bool = False
) -> onnx.ModelProto:
    """The ONNX model of `graph`, opset 17, with the graph's input and output names.

    Inputs and outputs whose names are in `stored` are int8, without QuantizeLinear and DequantizeLinear at that edge.
    With `every_tensor` the dequantized result of every operation is a further output, in program order. Raises
    `AxirError` for operations outside of the dialect.
    """
    return _Export(graph, store, stored).model(every_tensor)


class _Export:
    """Appends nodes in program order; `bytes` and `floats` name the stored and the dequantized form of every tensor."""

    def __init__(self, graph: axq.GraphOp, store: WeightStore, stored: Collection[str]):
        self.graph = graph
        self.store = store
        self.stored = stored
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.bytes: dict[SSAValue, str] = {}
        self.floats: dict[SSAValue, str] = {}
        self.inputs = [name.data for name in graph.inputs]
        self.outputs = [name.data for name in graph.outputs]
        self.taken = {*self.inputs, *self.outputs}

    def model(self, every_tensor: bool) -> onnx.ModelProto:
        block = self.graph.body.block
        for name, argument in zip(self.inputs, block.args, strict=True):
            self.requantize(name, argument, name, quantized=name in self.stored)
        ops = [op for op in block.ops if not isinstance(op, axq.ReturnOp)]
        for op in ops:
            base = layer_name(op)
            self.requantize(self.export(op, base), op.results[0], base)
        returned = self.graph.terminator.operands
        for name, value in zip(self.outputs, returned, strict=True):
            source = (self.bytes if name in self.stored else self.floats)[value]
            self.nodes.append(helper.make_node("Identity", [source], [name], name=self.unique(name)))
        results = [op.results[0] for op in ops] if every_tensor else []
        graph = helper.make_graph(
            self.nodes,
            self.graph.sym_name.data,
            [self.info(name, value) for name, value in zip(self.inputs, block.args, strict=True)],
            [
                *(self.info(name, value) for name, value in zip(self.outputs, returned, strict=True)),
                *(self.info(self.floats[value], value) for value in results),
            ],
            self.initializers,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="axir", producer_version=__version__
        )

    def export(self, op: Operation, base: str) -> str:
        """Append the float nodes of `op`; returns the name of its float result."""
        inputs = [self.floats[value] for value in op.operands]
        match op:
            case axq.ConvOp():
                value = self.conv(op, "Conv", base, inputs[0], {})
            case axq.ConvTransposeOp():
                value = self.conv(
                    op, "ConvTranspose", base, inputs[0], {"output_padding": list(ints_of(op.output_padding))}
                )
            case axq.AvgPoolOp():
                value = self.node(
                    "AveragePool", base, inputs[:1], kernel_shape=list(ints_of(op.kernel)), **_window(op),
                    count_include_pad=int(bool(op.count_include_pad.value.data)),
                )  # fmt: skip
            case axq.MapOp():
                value = inputs[0]
            case axq.MatMulOp():
                value, inputs = attention.matmul(self, op, base, inputs), inputs[1:]
            case axq.NormalizeOp():
                return attention.normalize(self, op, base, inputs[0], self.store)
            case axq.SoftmaxOp():
                return self.softmax(op, base, inputs[0])
            case axq.MaxPoolOp():
                return self.node(
                    "MaxPool", base, inputs, kernel_shape=list(ints_of(op.kernel)), **_window(op),
                    dilations=list(ints_of(op.dilations)),
                )  # fmt: skip
            case axq.ConstantOp():
                stored = constant_array(op.value, self.store, op)
                return self.constant(base, numerics.dequantize(stored, *self.constant_parameters(op)))
            case axq.ReshapeOp():
                shape = self.constant(f"{base}.shape", np.array(shape_of(op.result), np.int64))
                return self.node("Reshape", base, [*inputs, shape])
            case axq.RearrangeOp():
                split = self.constant(f"{base}.split", np.array(ints_of(op.split), np.int64))
                value = self.node("Reshape", f"{base}.parts", [*inputs, split])
                value = self.node("Transpose", f"{base}.moved", [value], perm=list(ints_of(op.perm)))
                shape = self.constant(f"{base}.shape", np.array(shape_of(op.result), np.int64))
                return self.node("Reshape", base, [value, shape])
            case axq.GatherOp():
                indices = self.constant(f"{base}.indices", np.array(ints_of(op.indices), np.int64))
                return self.node("Gather", base, [*inputs, indices], axis=op.axis.value.data)
            case axq.ConcatOp():
                return self.node("Concat", base, inputs, axis=op.axis.value.data)
            case axq.SliceOp():
                axes = range(len(shape_of(op.input)))
                bounds = (ints_of(op.starts), ints_of(op.ends), axes, ints_of(op.steps))
                parts = ("starts", "ends", "axes", "steps")
                constants = [
                    self.constant(f"{base}.{part}", np.array(numbers, np.int64))
                    for part, numbers in zip(parts, bounds, strict=True)
                ]
                return self.node("Slice", base, [*inputs, *constants])
            case _:
                raise AxirError(f"'{op.name}' is no operator of the quantized graph", op=op)
        extras = iter(inputs[1:])
        for index, step in enumerate(op.epilogue):
            value = self.step(op, step, f"{base}.{index}.{step.kind}", value, extras)
        return value

    def constant_parameters(self, op: axq.ConstantOp) -> tuple[NDArray[Any], NDArray[Any]]:
        """Scale and zero point of a constant, in shapes that broadcast over NCHW."""
        scale, zero_point = self.parameters(op.result, op)
        shape = (-1, 1, 1) if axq.quant_of(op.result).per_channel else ()
        return scale.reshape(shape), zero_point.astype(np.int32).reshape(shape)

    def conv(
        self, op: axq.ConvOp | axq.ConvTransposeOp, kind: str, base: str, value: str, attributes: dict[str, Any]
    ) -> str:
        weight, scale, bias = (constant_array(c, self.store, op) for c in (op.weight, op.weight_scale, op.bias))
        group = op.group.value.data
        if kind == "Conv":
            weights = self.dequantize(f"{base}.weight", self.constant(f"{base}.weight_q", weight), scale, axis=0)
        else:
            weights = self.transposed_weight(base, weight, scale, group)
        bias_scale = numerics.multiplier(self.input_scale(op, len(bias)), scale)
        biases = self.dequantize(f"{base}.bias", self.constant(f"{base}.bias_q", bias), bias_scale, axis=0)
        return self.node(
            kind, base, [value, weights, biases], kernel_shape=list(weight.shape[2:]), **_window(op),
            dilations=list(ints_of(op.dilations)), group=group, **attributes,
        )  # fmt: skip

    def softmax(self, op: axq.SoftmaxOp, base: str, value: str) -> str:
        """Softmax; between Pad and Slice where the lanes behind the last channel can contribute to the sum."""
        channels, neutral = shape_of(op.input)[1], op.neutral.value.data
        scale, zero_point = axq.quant_of(op.input).scalar
        padding = -channels % numerics.LANES
        # The greatest input is at least this; what is further below it than the table reaches counts as zero.
        least = (numerics.INT8_MIN - zero_point) * scale
        if not padding or neutral < least + numerics.exponential().start:
            return self.node("Softmax", base, [value], axis=axq.CHANNELS)
        pads = self.constant(f"{base}.pads", np.array([0, 0, 0, 0, 0, padding, 0, 0], np.int64))
        constant = self.constant(f"{base}.neutral", np.array(neutral, np.float32))
        padded = self.node("Pad", f"{base}.padded", [value, pads, constant])
        everywhere = self.node("Softmax", f"{base}.everywhere", [padded], axis=axq.CHANNELS)
        bounds = (("starts", 0), ("ends", channels), ("axes", axq.CHANNELS))
        constants = [self.constant(f"{base}.{part}", np.array([number], np.int64)) for part, number in bounds]
        return self.node("Slice", base, [everywhere, *constants])

    def transposed_weight(self, base: str, weight: NDArray[Any], scale: NDArray[Any], group: int) -> str:
        """[C, O/group, KH, KW] has no axis of output channels where there are groups: dequantize [O, ...], permute."""
        name = f"{base}.weight"
        if group == 1:
            return self.dequantize(name, self.constant(f"{base}.weight_q", weight), scale, axis=1)
        inputs, outputs, *kernel = weight.shape
        grouped = weight.reshape(group, inputs // group, outputs, *kernel).transpose(0, 2, 1, 3, 4)
        by_output = self.constant(f"{base}.weight_q", grouped.reshape(group * outputs, inputs // group, *kernel))
        value = self.dequantize(f"{name}.by_output", by_output, scale, axis=0)
        split = self.constant(f"{name}.split", np.array([group, outputs, inputs // group, *kernel], np.int64))
        value = self.node("Reshape", f"{name}.grouped", [value, split])
        value = self.node("Transpose", f"{name}.permuted", [value], perm=[0, 2, 1, 3, 4])
        return self.node("Reshape", name, [value, self.constant(f"{name}.shape", np.array(weight.shape, np.int64))])

    def input_scale(self, op: axq.WeightedOp, outputs: int) -> NDArray[np.float32]:
        scale, _ = self.parameters(op.input, op)
        return np.repeat(scale.reshape(-1), outputs // scale.size)

    def step(self, op: axq.FusedOp, step: Step, base: str, value: str, extras: Iterator[str]) -> str:
        if step.is_table and step.arguments:
            a, b, c, d = step.arguments
            inner = self.affine(f"{base}.in", value, a, b)
            return self.affine(f"{base}.out", self.step(op, Step(step.kind), base, inner, extras), c, d)
        match step.kind:
            case "clip":
                bounds = zip(("min", "max"), step.arguments, strict=True)
                constants = [self.constant(f"{base}.{bound}", np.array(number, np.float32)) for bound, number in bounds]
                return self.node("Clip", base, [value, *constants])
            case "leaky_relu":
                return self.node("LeakyRelu", base, [value], alpha=step.arguments[0])
            case "hard_sigmoid":
                return self.node("HardSigmoid", base, [value], alpha=step.arguments[0], beta=step.arguments[1])
            case "prelu":
                slope = constant_array(cast(axq.Constant, op.slope), self.store, op).reshape(-1, 1, 1)
                return self.node("PRelu", base, [value, self.constant(f"{base}.slope", slope)])
            case "gelu":
                argument = self.affine(f"{base}.argument", value, math.sqrt(0.5), 0.0)
                return self.gelu(base, value, self.node("Erf", f"{base}.erf", [argument]))
            case "gelu_tanh":
                cube = self.node("Mul", f"{base}.cube", [self.node("Mul", f"{base}.square", [value, value]), value])
                inner = self.node("Add", f"{base}.inner", [value, self.affine(f"{base}.cubic", cube, 0.044715, 0.0)])
                argument = self.affine(f"{base}.argument", inner, math.sqrt(2 / math.pi), 0.0)
                return self.gelu(base, value, self.node("Tanh", f"{base}.tanh", [argument]))
            case "silu":
                gate = self.node("Sigmoid", f"{base}.sigmoid", [value])
                return self.node("Mul", base, [value, gate])
            case kind:
                return self.node(SIMPLE_STEPS[kind], base, [value, next(extras)] if step.takes_operand else [value])

    def gelu(self, base: str, value: str, sigmoidal: str) -> str:
        """value / 2 * (1 + sigmoidal)"""
        gate = self.affine(f"{base}.gate", sigmoidal, 1.0, 1.0)
        return self.node("Mul", base, [self.affine(f"{base}.half", value, 0.5, 0.0), gate])

    def affine(self, base: str, value: str, factor: float, offset: float) -> str:
        """value * factor + offset, without what is neutral."""
        for kind, number, neutral in (("Mul", factor, 1.0), ("Add", offset, 0.0)):
            if number != neutral:
                constant = self.constant(f"{base}.{kind.lower()}.constant", np.array(number, np.float32))
                value = self.node(kind, f"{base}.{kind.lower()}", [value, constant])
        return value

    def info(self, name: str, value: SSAValue) -> onnx.ValueInfoProto:
        kind = TensorProto.INT8 if name in self.stored else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, list(shape_of(value)))

    def is_read(self, tensor: SSAValue) -> bool:
        """Whether anything reads the dequantized form of a tensor: an operator, or an output that is float."""
        given = zip(self.outputs, self.graph.terminator.operands, strict=True)
        as_float = any(value is tensor and name not in self.stored for name, value in given)
        return as_float or any(not isinstance(use.operation, axq.ReturnOp) for use in tensor.uses)

    def requantize(self, value: str, tensor: SSAValue, base: str, quantized: bool = False) -> None:
        """Quantize the float `value` as `tensor` is stored (or take it, `quantized`), and name its dequantized form."""
        scale, zero_point = self.parameters(tensor, tensor.owner if isinstance(tensor.owner, Operation) else self.graph)
        parameters = [
            self.constant(f"{base}.scale", scale),
            self.constant(f"{base}.zero_point", zero_point.astype(np.int8)),
        ]
        stored = value if quantized else self.node("QuantizeLinear", f"{base}.q", [value, *parameters], axis=1)
        self.bytes[tensor] = stored
        if not self.stored or self.is_read(tensor):
            self.floats[tensor] = self.node("DequantizeLinear", f"{base}.dq", [stored, *parameters], axis=1)

    def dequantize(self, base: str, stored: str, scale: NDArray[Any], axis: int) -> str:
        return self.node("DequantizeLinear", base, [stored, self.constant(f"{base}.scale", scale)], axis=axis)

    def parameters(self, value: SSAValue, op: Operation) -> tuple[NDArray[np.float32], NDArray[Any]]:
        element = axq.quant_of(value)
        if not element.per_channel:
            scale, zero_point = element.scalar
            return np.array(scale, np.float32), np.array(zero_point)
        scales = constant_array(cast(axq.Constant, element.scale), self.store, op)
        return scales, constant_array(cast(axq.Constant, element.zero_point), self.store, op)

    def node(self, kind: str, base: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = self.unique(base)
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, base: str, array: NDArray[Any]) -> str:
        name = self.unique(base)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        return name

    def unique(self, base: str) -> str:
        """`base`, or `base` with a number where a tensor of that name exists."""
        name, count = base, 1
        while name in self.taken:
            count += 1
            name = f"{base}_{count}"
        self.taken.add(name)
        return name


def _window(op: axq.ConvOp | axq.ConvTransposeOp | axq.AvgPoolOp | axq.MaxPoolOp) -> dict[str, list[int]]:
    return {"strides": list(ints_of(op.strides)), "pads": list(ints_of(op.pads))}
