"""The quantized graph computed the obvious way, one output at a time, from the text of docs/numerics.md alone.

Python integers for accumulators, one NumPy binary32 scalar operation for every rounding; shares nothing with axir.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from axir.dialects import axq
from axir.dialects.base import ints_of, shape_of
from axir.ir.constants import constant_array

f32 = np.float32


def run(graph: axq.GraphOp, inputs: Sequence[Any], store: Any) -> list[Any]:
    values = dict(zip(graph.body.block.args, inputs, strict=True))
    for op in graph.body.block.ops:
        if isinstance(op, axq.ReturnOp):
            return [values[value] for value in op.operands]
        values[op.results[0]] = _operation(op, [values[value] for value in op.operands], store)
    raise AssertionError


def parameters(value: Any, store: Any, channel: int) -> tuple[np.float32, int]:
    element = axq.quant_of(value)
    if element.per_channel:
        scales, zeros = constant_array(element.scale, store), constant_array(element.zero_point, store)
        return scales[channel], int(zeros[channel])
    return f32(element.scalar[0]), element.scalar[1]


def _operation(op: Any, inputs: list[Any], store: Any) -> Any:
    shape = shape_of(op.result)
    result = np.zeros(shape, np.int8)
    if isinstance(op, axq.ConstantOp):
        return constant_array(op.value, store)
    x = inputs[0]
    if isinstance(op, axq.ReshapeOp):
        for n, c, h, w in np.ndindex(*shape):
            result[n, c, h, w] = x[n, c, (h * shape[3] + w) // x.shape[3], (h * shape[3] + w) % x.shape[3]]
        return result
    if isinstance(op, axq.RearrangeOp):
        split, perm = ints_of(op.split), ints_of(op.perm)
        for number, index in enumerate(product(*(range(split[axis]) for axis in perm))):
            place = 0
            for axis, size in enumerate(split):
                place = place * size + index[perm.index(axis)]
            result.flat[number] = x.flat[place]
        return result
    if isinstance(op, axq.GatherOp):
        for place, index in enumerate(ints_of(op.indices)):
            if op.axis.value.data == 2:
                result[:, :, place, :] = x[:, :, index, :]
            else:
                result[:, :, :, place] = x[:, :, :, index]
        return result
    if isinstance(op, axq.ConcatOp):
        position = 0
        for part in inputs:
            index: list[Any] = [slice(None)] * 4
            index[op.axis.value.data] = slice(position, position + part.shape[op.axis.value.data])
            result[tuple(index)] = part
            position += part.shape[op.axis.value.data]
        return result
    if isinstance(op, axq.SliceOp):
        starts, steps = ints_of(op.starts), ints_of(op.steps)
        for index in np.ndindex(*shape):
            result[index] = x[tuple(s + i * t for s, i, t in zip(starts, index, steps, strict=True))]
        return result
    if isinstance(op, axq.SoftmaxOp):
        for row, column in product(range(shape[2]), range(shape[3])):
            result[0, :, row, column] = _softmax(op, [int(q) for q in x[0, :, row, column]], store)
        return result
    if isinstance(op, axq.NormalizeOp):
        return _normalize(op, x, store)
    for index in np.ndindex(*shape):
        n, channel, row, column = index
        if isinstance(op, axq.MatMulOp):
            result[index] = _finish(op, _matmul(op, inputs, index), index, inputs[2:], store)
            continue
        if isinstance(op, axq.MaxPoolOp):
            taps = _inside(x, channel, row, column, ints_of(op.kernel), op, ints_of(op.dilations))
            result[index] = max(int(x[n, channel, h, w]) for h, w in taps)
            continue
        if isinstance(op, axq.MapOp):
            scale, zero = parameters(op.input, store, channel)
            value = f32(int(x[index]) - zero) * scale
        elif isinstance(op, axq.AvgPoolOp):
            value = _average(op, x, index, store)
        else:
            value = _convolution(op, x, index, store)
        result[index] = _finish(op, value, index, inputs[1:], store)
    return result


def _matmul(op: Any, inputs: list[Any], index: tuple[int, ...]) -> np.float32:
    (_, channel, row, column), (x, y) = index, inputs[:2]
    (sx, zx), (sy, zy) = axq.quant_of(op.input).scalar, axq.quant_of(op.other).scalar
    assert zy == 0
    heads, width, total = op.heads.value.data, y.shape[3], 0
    if op.transpose.value.data:
        depth, (g, h) = x.shape[1] // heads, divmod(row, x.shape[2])
        for k in range(g * depth, (g + 1) * depth):
            total += (int(x[0, k, h, column]) - zx) * int(y[0, k, channel // width, channel % width])
    else:
        g = channel // (y.shape[1] // heads)
        for k in range(x.shape[1]):
            total += (int(x[0, k, g * (x.shape[2] // heads) + row, column]) - zx) * int(
                y[0, channel, k // width, k % width]
            )
    return f32(total) * f32(float(f32(sx)) * float(f32(sy)) * op.factor.value.data)


def _normalize(op: Any, x: Any, store: Any) -> Any:
    (scale, zero), (out_scale, out_zero) = axq.quant_of(op.input).scalar, axq.quant_of(op.result).scalar
    factor, summand = constant_array(op.factor, store), constant_array(op.summand, store)
    group = op.group.value.data
    result = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        n, channel, row, column = index
        members = x[n, channel // group * group :][:group]
        if not op.spatial.value.data:
            members = members[:, row, column]
        values = [int(q) - zero for q in members.reshape(-1)]
        total, square = sum(values), sum(q * q for q in values)
        epsilon = f32(float(len(values)) ** 2 * op.epsilon.value.data / float(f32(scale)) ** 2)
        root = f32(1) / np.sqrt(f32(len(values) * square - total * total) + epsilon)
        value = f32(len(values) * (int(x[index]) - zero) - total) * root
        value = value * factor[channel] + summand[channel]
        stored = round(float(value * f32(1 / float(f32(out_scale))))) + out_zero
        result[index] = max(-128, min(127, stored))
    return result


def _inside(
    x: Any, channel: int, row: int, column: int, kernel: Sequence[int], op: Any, dilations: Sequence[int]
) -> list[tuple[int, int]]:
    strides, pads = ints_of(op.strides), ints_of(op.pads)
    found: list[tuple[int, int]] = []
    for i, j in product(range(kernel[0]), range(kernel[1])):
        h = row * strides[0] - pads[0] + i * dilations[0]
        w = column * strides[1] - pads[1] + j * dilations[1]
        if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
            found.append((h, w))
    return found


def _average(op: Any, x: Any, index: tuple[int, ...], store: Any) -> np.float32:
    n, channel, row, column = index
    kernel = ints_of(op.kernel)
    scale, zero = parameters(op.input, store, channel)
    taps = _inside(x, channel, row, column, kernel, op, (1, 1))
    total = sum(int(x[n, channel, h, w]) - zero for h, w in taps)
    if op.count_include_pad.value.data or not any(ints_of(op.pads)):
        return f32(total) * f32(float(scale) / (kernel[0] * kernel[1]))
    return (f32(total) * scale) * f32(1.0 / len(taps))


def _convolution(op: Any, x: Any, index: tuple[int, ...], store: Any) -> np.float32:
    n, out, row, column = index
    weight = constant_array(op.weight, store)
    weight_scale, bias = constant_array(op.weight_scale, store), constant_array(op.bias, store)
    group = op.group.value.data
    strides, pads, dilations = ints_of(op.strides), ints_of(op.pads), ints_of(op.dilations)
    outputs = shape_of(op.result)[1]
    depth = x.shape[1] // group
    first = out // (outputs // group) * depth
    total = int(bias[out])
    for c, i, j in product(range(depth), range(weight.shape[2]), range(weight.shape[3])):
        if isinstance(op, axq.ConvOp):
            h, w = row * strides[0] - pads[0] + i * dilations[0], column * strides[1] - pads[1] + j * dilations[1]
            tap = int(weight[out, c, i, j])
        else:
            # The input h adds to the rows h * stride - pad + i * dilation: solve for h.
            h, over = divmod(row + pads[0] - i * dilations[0], strides[0])
            w, beside = divmod(column + pads[1] - j * dilations[1], strides[1])
            if over or beside:
                continue
            tap = int(weight[first + c, out % (outputs // group), i, j])
        if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
            _, zero = parameters(op.input, store, first + c)
            total += (int(x[n, first + c, h, w]) - zero) * tap
    scale, _ = parameters(op.input, store, first)
    return f32(total) * f32(float(scale) * float(weight_scale[out]))


def _softmax(op: Any, stored: list[int], store: Any) -> list[int]:
    """One pixel."""
    scale, zero = parameters(op.input, store, 0)
    values = [f32(q - zero) * scale for q in stored]
    while len(values) % 64:
        values.append(f32(op.neutral.value.data))
    powers = [exponential(v - max(values)) for v in values]
    sums = [f32(0)] * 64
    for index, power in enumerate(powers):
        sums[index % 64] = power if index < 64 else sums[index % 64] + power
    for count in (32, 16, 8, 4, 2, 1):
        sums = [sums[lane] + sums[lane + count] for lane in range(count)]
    factor = f32(1 / float(sums[0]))
    scale, zero = parameters(op.result, store, 0)
    inverse = f32(1 / float(scale))
    return [max(-128, min(127, round(float((p * factor) * inverse)) + zero)) for p in powers[: len(stored)]]


def exponential(v: np.float32) -> np.float32:
    """The chord of exp over v's bin of width 1/64, from -16 to 0."""
    index = math.floor((v + f32(16)) * f32(64))
    if not 0 <= index < 1024:
        return f32(index > 0)
    low, high = (math.exp(-16 + (index + side) / 64) for side in (0, 1))
    slope = (high - low) * 64
    return f32(slope) * v + f32(low - slope * (-16 + index / 64))


def _finish(op: Any, value: np.float32, index: tuple[int, ...], extras: list[Any], store: Any) -> int:
    operands = iter(zip(op.extras, extras, strict=True))
    for step in op.epilogue:
        operand = None
        if step.kind in ("add", "mul"):
            tensor, array = next(operands)
            place = tuple(min(i, size - 1) for i, size in zip(index, array.shape, strict=True))
            scale, zero = parameters(tensor, store, place[1])
            operand = f32(int(array[place]) - zero) * scale
        elif step.kind == "prelu":
            operand = constant_array(op.slope, store)[index[1]]
        value = step_value(step.kind, step.arguments, value, operand)
        assert isinstance(value, np.float32)
    scale, zero = parameters(op.result, store, index[1])
    scaled = value * f32(1.0 / float(scale))
    return max(-128, min(127, round(float(scaled)) + zero))


def step_value(kind: str, arguments: Sequence[float], v: np.float32, operand: Any) -> np.float32:
    match kind:
        case "relu":
            return max(v, f32(0))
        case "clip":
            return min(max(v, f32(arguments[0])), f32(arguments[1]))
        case "leaky_relu":
            return v * f32(arguments[0]) if v < 0 else v
        case "prelu":
            return v * operand if v < 0 else v
        case "hard_sigmoid":
            return min(max(v * f32(arguments[0]) + f32(arguments[1]), f32(0)), f32(1))
        case "add":
            return v + operand
        case "mul":
            return v * operand
        case _:
            return table_value(kind, arguments or (1.0, 0.0, 1.0, 0.0), v)


FUNCTIONS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "silu": lambda x: x / (1 + math.exp(-x)),
    "gelu": lambda x: x / 2 * (1 + math.erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x: x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "hard_swish": lambda x: x * min(max(x / 6 + 0.5, 0), 1),
}
ENDS = {
    "sigmoid": (0, 1),
    "tanh": (-1, 1),
    "silu": (0, None),
    "gelu": (0, None),
    "gelu_tanh": (0, None),
    "hard_swish": (0, None),
}


def table_value(kind: str, arguments: Sequence[float], v: np.float32) -> np.float32:
    """The chord of c * f(a * x + b) + d over v's bin, as docs/numerics.md defines it."""
    a, b, c, d = (float(f32(argument)) for argument in arguments)
    start = f32(((-16 if a > 0 else 16) - b) / a)
    per_unit = f32(32 * abs(a))
    position = math.floor(min(max(f32(f32(v - start) * per_unit), f32(-1)), f32(1024)))
    if position in (-1, 1024):
        end = ENDS[kind][(position < 0) == (a < 0)]
        # The function is x there, or a number.
        slope, intercept = (c * a, c * b + d) if end is None else (0.0, c * end + d)
    else:
        edges = [float(start) + (position + side) / float(per_unit) for side in (0, 1)]
        low, high = (c * FUNCTIONS[kind](a * edge + b) + d for edge in edges)
        slope = (high - low) * float(per_unit)
        intercept = low - slope * edges[0]
    return f32(slope) * v + f32(intercept)
