"""The reference interpreter of the quantized graph: docs/numerics.md, executed operator by operator with NumPy.

It shares only `axir.numerics` with the simulator, so that their agreement means something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Operation, SSAValue

from axir import numerics
from axir.dialects import axq
from axir.dialects.base import ints_of, shape_of
from axir.dialects.epilogue import Step
from axir.interp.attention import Normalization, centred, head_products
from axir.interp.functions import rearrange
from axir.interp.integer import (
    Convolution,
    Depthwise,
    TransposedConvolution,
    Window,
    accumulator_bound,
    taps_inside,
    weight_rows,
    window_max,
    window_sum,
)
from axir.ir.constants import WeightAttr, constant_array
from axir.ir.diagnostics import AxirError
from axir.ir.location import node_name
from axir.ir.store import WeightStore
from axir.numerics import F32, I8, I32

Kernel = Callable[[Sequence[I8]], I8]
StepKernel = Callable[[F32, Iterator[I8]], F32]
Observer = Callable[[str, I8], None]


def run_graph(graph: axq.GraphOp, inputs: Sequence[I8], store: WeightStore) -> list[I8]:
    """The stored bytes that `graph` returns for stored bytes `inputs` (NCHW), in the order of its outputs."""
    return Interpreter(graph, store).run(inputs)


class Interpreter:
    """A graph made ready to run many frames: weights are read, checked and converted once.

    Raises `AxirError` for operations outside of the dialect and for accumulators that could exceed 32 bits.
    """

    def __init__(self, graph: axq.GraphOp, store: WeightStore):
        block = graph.body.block
        self.arguments = block.args
        self.names = [name.data for name in graph.inputs]
        self.returned = graph.terminator.operands
        ops = [op for op in block.ops if not isinstance(op, axq.ReturnOp)]
        self.kernels = [(op, _kernel(op, store)) for op in ops]
        last = {value: op for op in ops for value in op.operands}
        self.dead = {op: [value for value in dict.fromkeys(op.operands) if last[value] is op] for op in ops}

    def run(self, inputs: Sequence[I8], observe: Observer | None = None) -> list[I8]:
        """Run one frame. `observe(name, bytes)` sees each result as it is made: the ONNX node's name, or `op<index>`.

        Raises `AxirError` when the inputs are not int8 arrays of the graph's shapes.
        """
        self._check(inputs)
        values: dict[SSAValue, I8] = dict(zip(self.arguments, inputs, strict=True))
        kept = set(self.returned)
        for index, (op, kernel) in enumerate(self.kernels):
            result = kernel([values[operand] for operand in op.operands])
            if observe is not None:
                observe(node_name(op) or f"op{index}", result)
            values[op.results[0]] = result
            for value in self.dead[op]:
                if value not in kept:
                    del values[value]
        return [values[value] for value in self.returned]

    def _check(self, inputs: Sequence[I8]) -> None:
        if len(inputs) != len(self.arguments):
            raise AxirError(f"the graph takes {len(self.arguments)} inputs, {len(inputs)} given")
        for name, argument, array in zip(self.names, self.arguments, inputs, strict=True):
            if array.dtype != np.int8 or array.shape != shape_of(argument):
                wanted = list(shape_of(argument))
                raise AxirError(f"input '{name}' must be int8 {wanted}, it is {array.dtype} {list(array.shape)}")


def _kernel(op: Operation, store: WeightStore) -> Kernel:
    match op:
        case axq.ConvOp() | axq.ConvTransposeOp():
            return _weighted(op, store)
        case axq.AvgPoolOp():
            return _avg_pool(op, store)
        case axq.MapOp():
            return _map(op, store)
        case axq.SoftmaxOp():
            return _softmax(op, store)
        case axq.MatMulOp():
            return _matmul(op, store)
        case axq.NormalizeOp():
            return _normalize(op, store)
        case axq.MaxPoolOp():
            window = _window(op, ints_of(op.kernel), ints_of(op.dilations))
            return lambda inputs: np.stack([window_max(frame, window) for frame in inputs[0]])
        case axq.LookupOp():
            table = cast(I8, _constant(op.table, store, op))
            return lambda inputs: table[inputs[0].astype(np.int32) - numerics.INT8_MIN]
        case axq.ConstantOp():
            value = cast(I8, _constant(op.value, store, op))
            return lambda _: value
        case axq.ReshapeOp():
            shape = shape_of(op.result)
            return lambda inputs: inputs[0].reshape(shape)
        case axq.RearrangeOp():
            split, perm, shape = map(ints_of, (op.split, op.perm, op.shape))
            return lambda inputs: rearrange(inputs[0], split, perm, shape)
        case axq.GatherOp():
            along, indices = op.axis.value.data, ints_of(op.indices)
            return lambda inputs: inputs[0].take(indices, axis=along)
        case axq.ConcatOp():
            axis = op.axis.value.data
            return lambda inputs: np.concatenate(inputs, axis=axis)
        case axq.SliceOp():
            bounds = zip(ints_of(op.starts), ints_of(op.ends), ints_of(op.steps), strict=True)
            index = tuple(slice(start, end, step) for start, end, step in bounds)
            return lambda inputs: inputs[0][index]
        case _:
            raise AxirError(f"'{op.name}' is no operator of the quantized graph", op=op)


def _weighted(op: axq.ConvOp | axq.ConvTransposeOp, store: WeightStore) -> Kernel:
    """acc = sum (x - zx) * w + bias; v = f32(acc) * f32(sx * sw)."""
    weight = cast(I8, _constant(op.weight, store, op))
    bias = cast(I32, _constant(op.bias, store, op))
    group = op.group.value.data
    transposed = isinstance(op, axq.ConvTransposeOp)
    if int(accumulator_bound(weight_rows(weight, group, transposed), bias).max()) >= 1 << 31:
        raise AxirError("the accumulator can exceed 32 bits", op=op)
    scale, zero = _parameters(op.input, store, op)
    weight_scale = cast(F32, _constant(op.weight_scale, store, op))
    # A depthwise input may have one scale a channel; its outputs follow each other.
    input_scale = np.repeat(scale.reshape(-1), bias.size // scale.size)
    multiplier = numerics.multiplier(input_scale, weight_scale).reshape(-1, 1, 1)

    window = _window(op, weight.shape[2:], ints_of(op.dilations))
    if transposed:
        padding = ints_of(op.output_padding)
        accumulate = TransposedConvolution(weight, window, group, (padding[0], padding[1]))
    elif weight.shape[1] == 1 and group > 1:
        accumulate = Depthwise(weight, window, group)
    else:
        accumulate = Convolution(weight, window, group)
    finish = _finish(op, store)
    centre = zero.astype(np.float32)
    planes = bias.reshape(-1, 1, 1)

    def run(inputs: Sequence[I8]) -> I8:
        accumulators = np.stack([accumulate(frame.astype(np.float32) - centre) for frame in inputs[0]])
        accumulators += planes
        value = accumulators.astype(np.float32)
        value *= multiplier
        return finish(value, inputs[1:])

    return run


def _avg_pool(op: axq.AvgPoolOp, store: WeightStore) -> Kernel:
    """acc = sum (x - zx); v = f32(acc) * f32(sx / count), or (f32(acc) * f32(sx)) * f32(1 / taps inside)."""
    window = _window(op, ints_of(op.kernel), (1, 1))
    height, width = shape_of(op.input)[2:]
    scale, zero = _parameters(op.input, store, op)
    count = window.kernel[0] * window.kernel[1]
    if count * 255 >= 1 << 31:
        raise AxirError("the accumulator can exceed 32 bits", op=op)
    factors = [(scale.astype(np.float64) / count).astype(np.float32)]
    if any(window.pads) and not op.count_include_pad.value.data:
        factors = [scale, numerics.reciprocal(taps_inside(height, width, window).astype(np.float64))]
    finish = _finish(op, store)

    def run(inputs: Sequence[I8]) -> I8:
        value = np.stack([window_sum(frame.astype(np.int32) - zero, window) for frame in inputs[0]]).astype(np.float32)
        for factor in factors:
            value *= factor
        return finish(value, inputs[1:])

    return run


def _map(op: axq.MapOp, store: WeightStore) -> Kernel:
    scale, zero = _parameters(op.input, store, op)
    finish = _finish(op, store)
    return lambda inputs: finish(numerics.dequantize(inputs[0], scale, zero), inputs[1:])


def _softmax(op: axq.SoftmaxOp, store: WeightStore) -> Kernel:
    """exp(x - m) / sum of exp(x - m), with `neutral` in the lanes behind the last channel."""
    channels = shape_of(op.input)[1]
    padding = ((0, 0), (0, -channels % numerics.LANES), (0, 0), (0, 0))
    scale, zero = _parameters(op.input, store, op)
    out_scale, out_zero = _parameters(op.result, store, op)
    inverse = numerics.reciprocal(out_scale)
    neutral = np.float32(op.neutral.value.data)
    exponential = numerics.exponential()

    def run(inputs: Sequence[I8]) -> I8:
        value = np.pad(numerics.dequantize(inputs[0], scale, zero), padding, constant_values=neutral)
        powers = exponential(value - value.max(axis=1, keepdims=True))
        lanes = reduce(np.add, np.split(powers, powers.shape[1] // numerics.LANES, axis=1))
        while lanes.shape[1] > 1:
            lanes = np.add(*np.split(lanes, 2, axis=1))
        return numerics.quantize(powers[:, :channels] * numerics.reciprocal(lanes), inverse, out_zero)

    return run


def _matmul(op: axq.MatMulOp, store: WeightStore) -> Kernel:
    """acc = sum (x - zx) * y; v = f32(acc) * f32(sx * sy * factor)."""
    heads, transpose = op.heads.value.data, bool(op.transpose.value.data)
    (scale, zero), (other_scale, other_zero) = (_parameters(value, store, op) for value in (op.input, op.other))
    multiplier = numerics.multiplier(scale, other_scale, op.factor.value.data)
    finish = _finish(op, store)

    def run(inputs: Sequence[I8]) -> I8:
        x, other = centred(inputs[0][0], zero), centred(inputs[1][0], other_zero)
        value = head_products(x, other, heads, transpose)[None].astype(np.float32)
        value *= multiplier
        return finish(value, inputs[2:])

    return run


def _normalize(op: axq.NormalizeOp, store: WeightStore) -> Kernel:
    """v = (n * (x - zx) - S) * f32(1 / sqrt(n * Q - S * S + e)); v = v * factor + summand."""
    factor, summand = (cast(F32, _constant(constant, store, op)) for constant in (op.factor, op.summand))
    spatial = bool(op.spatial.value.data)
    normalization = Normalization(factor, summand, op.group.value.data, spatial, np.float32(op.stored_epsilon))
    _, zero = _parameters(op.input, store, op)
    scale, out_zero = _parameters(op.result, store, op)
    inverse = numerics.reciprocal(scale)

    def run(inputs: Sequence[I8]) -> I8:
        values = np.stack([normalization(frame.astype(np.int32) - zero) for frame in inputs[0]])
        return numerics.quantize(values, inverse, out_zero)

    return run


def _finish(op: axq.FusedOp, store: WeightStore) -> Callable[[F32, Sequence[I8]], I8]:
    """The epilogue's steps in order, then the requantization to the result's scale and zero point."""
    extras = iter(op.extras)
    slopes = [] if op.slope is None else [cast(F32, _constant(op.slope, store, op)).reshape(-1, 1, 1)]
    steps = [
        _operand_step(step.kind, *_parameters(next(extras), store, op))
        if step.takes_tensor
        else _step(step, slopes if step.kind == "prelu" else [np.float32(a) for a in step.arguments])
        for step in op.epilogue
    ]
    scale, zero = _parameters(op.result, store, op)
    inverse = numerics.reciprocal(scale)

    def finish(value: F32, tensors: Sequence[I8]) -> I8:
        remaining = iter(tensors)
        for step in steps:
            value = step(value, remaining)
        return numerics.quantize(value, inverse, zero)

    return finish


_COMBINED = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def _operand_step(kind: str, scale: F32, zero: I32) -> StepKernel:
    combine = _COMBINED[kind]
    return lambda value, extras: combine(value, numerics.dequantize(next(extras), scale, zero))


def _step(step: Step, constants: Sequence[F32 | np.float32]) -> StepKernel:
    match step.kind:
        case "scale":
            (factor,) = constants
            return lambda value, _: value * factor
        case "relu":
            return lambda value, _: np.maximum(value, np.float32(0))
        case "clip":
            low, high = constants
            return lambda value, _: np.minimum(np.maximum(value, low), high)
        case "leaky_relu" | "prelu":
            (slope,) = constants
            return lambda value, _: np.where(value < 0, value * slope, value)
        case "hard_sigmoid":
            alpha, beta = constants
            return lambda value, _: np.minimum(np.maximum(value * alpha + beta, np.float32(0)), np.float32(1))
        case _:
            table = numerics.table(step.kind, *step.arguments)
            return lambda value, _: table(value)


def _window(
    op: axq.ConvOp | axq.ConvTransposeOp | axq.MaxPoolOp | axq.AvgPoolOp,
    kernel: Sequence[int],
    dilations: Sequence[int],
) -> Window:
    return Window.of(kernel, ints_of(op.strides), ints_of(op.pads), dilations)


def _parameters(value: SSAValue, store: WeightStore, op: Operation) -> tuple[F32, I32]:
    """Scale and zero point of a tensor, in a shape that broadcasts over NCHW."""
    element = axq.quant_of(value)
    if not element.per_channel:
        scale, zero = element.scalar
        return np.asarray(scale, np.float32), np.asarray(zero, np.int32)
    scales = _constant(cast(axq.Constant, element.scale), store, op)
    zeros = _constant(cast(axq.Constant, element.zero_point), store, op)
    return cast(F32, scales).reshape(-1, 1, 1), cast(I32, zeros).reshape(-1, 1, 1)


def _constant(attribute: WeightAttr | DenseIntOrFPElementsAttr, store: WeightStore, op: Operation) -> NDArray[Any]:
    return constant_array(attribute, store, op)
