"""The meaning of the `ax` dialect: every operator as a NumPy function over binary32 arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from axir.dialects import ax, base
from axir.interp import functions, windows
from axir.interp.functions import apply_epilogue
from axir.ir.constants import constant_array, numpy_dtype
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore

Array = NDArray[Any]
Observer = Callable[[SSAValue, Array], None]


def run_graph(
    graph: ax.GraphOp, inputs: Sequence[Array], store: WeightStore, observe: Observer | None = None
) -> list[Array]:
    """The outputs of a graph for arrays of the types of its inputs.

    `observe` is called with every value that an operation produces. Raises `AxirError` for inputs of other types, and
    for an `ax.onnx` that cannot be run.
    """
    arguments = graph.body.block.args
    if len(inputs) != len(arguments):
        raise AxirError(f"the graph takes {len(arguments)} inputs, {len(inputs)} given", op=graph)
    values: dict[SSAValue, Array] = {}
    for name, argument, array in zip(graph.inputs, arguments, inputs, strict=True):
        if not _has_type(array, argument):
            raise AxirError(f"input '{name.data}' is {array.dtype}{list(array.shape)}, not {argument.type}", op=graph)
        values[argument] = array
    last_use = {operand: op for op in graph.body.block.ops for operand in op.operands}
    for op in graph.body.block.ops:
        operands = [values[operand] for operand in op.operands]
        if isinstance(op, ax.ReturnOp):
            return operands
        for result, array in zip(op.results, run_op(op, operands, store), strict=True):
            if not _has_type(array, result):
                raise AxirError(f"computes {array.dtype}{list(array.shape)}, not {result.type}", op=op)
            values[result] = array
            if observe is not None:
                observe(result, array)
        for operand in op.operands:
            if last_use[operand] is op:
                values.pop(operand, None)
    raise AxirError("the graph has no return", op=graph)


def run_op(op: Operation, operands: Sequence[Array], store: WeightStore) -> list[Array]:
    """The results of one operation. Raises `AxirError` for one that is not of the `ax` dialect."""
    if isinstance(op, ax.OnnxOp):
        from axir.interp.onnx_node import run_onnx  # loads ONNX Runtime

        return run_onnx(op, operands, store)
    if isinstance(op, ax.ConstantOp):
        return [constant_array(op.value, store, op)]
    function = FUNCTIONS.get(type(op))
    if function is None:
        raise AxirError(f"'{op.name}' has no reference implementation", op=op)
    # Overflow to infinity is IEEE arithmetic, not an error.
    try:
        with np.errstate(all="ignore"):
            return [np.asarray(function(op, _Operands(op, operands)))]
    except MemoryError:
        raise AxirError("computing it needs more memory than there is", op=op) from None


def _has_type(array: Array, value: SSAValue) -> bool:
    type_ = base.tensor_of(value)
    return array.shape == type_.get_shape() and array.dtype == numpy_dtype(type_.element_type)


class _Operands:
    """The arrays of an operation's operands, found by the SSA value that its named accessors return."""

    def __init__(self, op: Operation, arrays: Sequence[Array]):
        self._arrays = dict(zip(op.operands, arrays, strict=True))

    def __getitem__(self, value: SSAValue) -> Array:
        return self._arrays[value]

    def many(self, values: Sequence[SSAValue]) -> list[Array]:
        return [self._arrays[value] for value in values]


# Operators


def _conv(op: ax.ConvOp, x: _Operands) -> Array:
    result = windows.conv(
        x[op.input], x[op.weight], base.ints_of(op.strides), base.ints_of(op.pads), base.ints_of(op.dilations),
        op.group.value.data,
    )  # fmt: skip
    return _finished(op, result, x)


def _conv_transpose(op: ax.ConvTransposeOp, x: _Operands) -> Array:
    result = windows.conv_transpose(
        x[op.input], x[op.weight], base.ints_of(op.strides), base.ints_of(op.pads), base.ints_of(op.output_padding),
        base.ints_of(op.dilations), op.group.value.data,
    )  # fmt: skip
    return _finished(op, result, x)


def _finished(op: ax.ConvOp | ax.ConvTransposeOp, result: Array, x: _Operands) -> Array:
    if op.bias is not None:
        result = result + x[op.bias][:, None, None]
    return apply_epilogue(op.epilogue, result, x.many(op.extras))


def _gemm(op: ax.GemmOp, x: _Operands) -> Array:
    a, b = x[op.a], x[op.b]
    product = np.matmul(a.T if op.trans_a.value.data else a, b.T if op.trans_b.value.data else b)
    product = product * np.float32(op.alpha.value.data)
    return product if op.c is None else product + x[op.c] * np.float32(op.beta.value.data)


def _batch_norm(op: ax.BatchNormOp, x: _Operands) -> Array:
    value = x[op.input]
    column = (-1, *(1 for _ in value.shape[2:]))
    scale, bias, mean, variance = (
        x[parameter].reshape(column) for parameter in (op.scale, op.bias, op.mean, op.variance)
    )
    return (value - mean) / np.sqrt(variance + np.float32(op.epsilon.value.data)) * scale + bias


def _max_pool(op: ax.MaxPoolOp, x: _Operands) -> Array:
    return windows.max_pool(
        x[op.input],
        base.ints_of(op.kernel),
        base.ints_of(op.strides),
        base.ints_of(op.pads),
        base.ints_of(op.dilations),
    )


def _avg_pool(op: ax.AvgPoolOp, x: _Operands) -> Array:
    result = windows.avg_pool(
        x[op.input],
        base.ints_of(op.kernel),
        base.ints_of(op.strides),
        base.ints_of(op.pads),
        base.ints_of(op.dilations),
        bool(op.count_include_pad.value.data),
    )
    return apply_epilogue(op.epilogue, result, x.many(op.extras))


def _spatial(value: Array) -> tuple[int, ...]:
    return tuple(range(2, value.ndim))


def _softmax(op: ax.SoftmaxOp, x: _Operands) -> Array:
    value, axis = x[op.input], op.axis.value.data
    powers = np.exp(value - value.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _slice(op: ax.SliceOp, x: _Operands) -> Array:
    bounds = zip(base.ints_of(op.starts), base.ints_of(op.ends), base.ints_of(op.steps), strict=True)
    return x[op.input][tuple(slice(*bound) for bound in bounds)]


def _pad(op: ax.PadOp, x: _Operands) -> Array:
    value, pads = x[op.input], base.ints_of(op.pads)
    sides = [(pads[axis], pads[axis + value.ndim]) for axis in range(value.ndim)]
    # Negative pads crop.
    kept = tuple(slice(max(-a, 0), size - max(-b, 0)) for (a, b), size in zip(sides, value.shape, strict=True))
    added = [(max(a, 0), max(b, 0)) for a, b in sides]
    if op.mode.data == ax.PadMode.CONSTANT:
        return np.pad(value[kept], added, constant_values=np.float32(op.value.value.data))
    return np.pad(value[kept], added, mode="edge" if op.mode.data == ax.PadMode.EDGE else "reflect")


def _head_matmul(op: ax.HeadMatMulOp, x: _Operands) -> Array:
    (_, channels, rows, columns), other = x[op.input].shape, x[op.other]
    heads, pixels = op.heads.value.data, other.shape[2] * other.shape[3]
    held = other.reshape(heads, -1, pixels)
    if op.transpose.value.data:
        product = held.transpose(0, 2, 1) @ x[op.input].reshape(heads, channels // heads, rows * columns)
        product = product.transpose(1, 0, 2)
    else:
        product = held @ x[op.input].reshape(pixels, heads, -1).transpose(1, 0, 2)
    value = product.reshape(base.shape_of(op.result)) * np.float32(op.factor.value.data)
    return apply_epilogue(op.epilogue, value, [x[extra] for extra in op.extras])


def _normalize(op: ax.NormalizeOp, x: _Operands) -> Array:
    value, axes = x[op.input], base.ints_of(op.axes)
    centred = value - value.mean(axis=axes, keepdims=True)
    variance = np.square(centred).mean(axis=axes, keepdims=True)
    result = centred / np.sqrt(variance + np.float32(op.epsilon.value.data))
    if op.scale is not None:
        result = result * x[op.scale]
    return result if op.bias is None else result + x[op.bias]


_REDUCTIONS: dict[ax.ReduceKind, Callable[..., Array]] = {
    ax.ReduceKind.MEAN: np.mean,
    ax.ReduceKind.SUM: np.sum,
    ax.ReduceKind.MAX: np.max,
    ax.ReduceKind.MIN: np.min,
}


def _reduce(op: ax.ReduceOp, x: _Operands) -> Array:
    return _REDUCTIONS[op.kind.data](x[op.input], axis=base.ints_of(op.axes), keepdims=bool(op.keepdims.value.data))


def _depth_to_space(op: ax.DepthToSpaceOp, x: _Operands) -> Array:
    n, channels, height, width = x[op.input].shape
    b = op.block.value.data
    if op.order.data == ax.BlockOrder.DCR:
        blocks = x[op.input].reshape(n, b, b, channels // (b * b), height, width).transpose(0, 3, 4, 1, 5, 2)
    else:
        blocks = x[op.input].reshape(n, channels // (b * b), b, b, height, width).transpose(0, 1, 4, 2, 5, 3)
    return blocks.reshape(base.shape_of(op.result))


def _space_to_depth(op: ax.SpaceToDepthOp, x: _Operands) -> Array:
    n, channels, height, width = x[op.input].shape
    b = op.block.value.data
    blocks = x[op.input].reshape(n, channels, height // b, b, width // b, b)
    order = (0, 3, 5, 1, 2, 4) if op.order.data == ax.BlockOrder.DCR else (0, 1, 3, 5, 2, 4)
    return blocks.transpose(order).reshape(base.shape_of(op.result))


def _resize(op: ax.ResizeOp, x: _Operands) -> Array:
    value = x[op.input]
    for axis in range(value.ndim):
        if op.mode.data == ax.ResizeMode.NEAREST:
            value = value.take(op.nearest_index(axis), axis)
        else:
            low, high, share = op.linear_taps(axis)
            share = share.reshape(-1, *(1 for _ in value.shape[axis + 1 :]))
            value = value.take(low, axis) * (np.float32(1) - share) + value.take(high, axis) * share
    return value


_Function = Callable[[Any, _Operands], Array]


def _unary(function: Callable[[Array], Array]) -> _Function:
    return lambda op, x: function(x[op.input])


def _binary(function: Callable[[Array, Array], Array]) -> _Function:
    return lambda op, x: function(x[op.a], x[op.b])


FUNCTIONS: dict[type[Operation], _Function] = {
    ax.ConvOp: _conv,
    ax.ConvTransposeOp: _conv_transpose,
    ax.GemmOp: _gemm,
    ax.MatMulOp: _binary(np.matmul),
    ax.BatchNormOp: _batch_norm,
    ax.NormalizeOp: _normalize,
    ax.HeadMatMulOp: _head_matmul,
    ax.MaxPoolOp: _max_pool,
    ax.AvgPoolOp: _avg_pool,
    ax.GlobalAvgPoolOp: lambda op, x: x[op.input].mean(axis=_spatial(x[op.input]), keepdims=True),
    ax.GlobalMaxPoolOp: lambda op, x: x[op.input].max(axis=_spatial(x[op.input]), keepdims=True),
    ax.ReduceOp: _reduce,
    ax.AddOp: _binary(np.add),
    ax.SubOp: _binary(np.subtract),
    ax.MulOp: _binary(np.multiply),
    ax.DivOp: _binary(np.divide),
    ax.MaxOp: _binary(np.maximum),
    ax.MinOp: _binary(np.minimum),
    ax.ReluOp: _unary(functions.relu),
    ax.SigmoidOp: _unary(functions.sigmoid),
    ax.TanhOp: _unary(np.tanh),
    ax.SiluOp: _unary(functions.silu),
    ax.HardSwishOp: _unary(functions.hard_swish),
    ax.TableOp: lambda op, x: apply_epilogue(op.function, x[op.input], ()),
    ax.UnaryFunctionOp: lambda op, x: functions.apply_function(op.function.data, x[op.input]),
    ax.HardSigmoidOp: lambda op, x: functions.hard_sigmoid(x[op.input], op.alpha.value.data, op.beta.value.data),
    ax.LeakyReluOp: lambda op, x: functions.leaky_relu(x[op.input], op.alpha.value.data),
    ax.ClipOp: lambda op, x: functions.clip(x[op.input], op.minimum.value.data, op.maximum.value.data),
    ax.PReluOp: lambda op, x: functions.prelu(x[op.input], x[op.slope]),
    ax.SoftmaxOp: _softmax,
    ax.ConcatOp: lambda op, x: np.concatenate(x.many(op.inputs), axis=op.axis.value.data),
    ax.SliceOp: _slice,
    ax.PadOp: _pad,
    ax.ReshapeOp: lambda op, x: x[op.input].reshape(base.ints_of(op.shape)),
    ax.TransposeOp: lambda op, x: x[op.input].transpose(base.ints_of(op.perm)),
    ax.RearrangeOp: lambda op, x: functions.rearrange(x[op.input], *map(base.ints_of, (op.split, op.perm, op.shape))),
    ax.GatherOp: lambda op, x: x[op.input].take(base.ints_of(op.indices), axis=op.axis.value.data),
    ax.ExpandOp: lambda op, x: np.broadcast_to(x[op.input], base.ints_of(op.shape)),
    ax.DepthToSpaceOp: _depth_to_space,
    ax.SpaceToDepthOp: _space_to_depth,
    ax.ResizeOp: _resize,
}
"""The reference implementation of every operator with one result; `run_op` does the others."""
