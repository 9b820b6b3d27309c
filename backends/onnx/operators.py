"""How each operator of the `ax` dialect is said in ONNX, version 17 or later."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation

from axir.backends.onnx.emitter import Emitter
from axir.dialects import ax, base
from axir.dialects.epilogue import Step
from axir.passes.fuse_epilogue import step_of

DILATED_AVERAGE_OPSET = 19
"""AveragePool has dilations from this version on."""
REDUCE_INPUT_OPSET = 18
"""ReduceMean and its kin take their axes as an input from this version on."""
REDUCE_SUM_INPUT_OPSET = 13
"""ReduceSum does from this version on."""


def emit(e: Emitter, op: Operation, inputs: Sequence[str], output: str) -> None:
    """Append the nodes of `op`, a `TypedOp`; `inputs` are its operands' names in their order."""
    if isinstance(op, ax.EpilogueOp):
        _emit_with_epilogue(e, op, inputs, output)
    elif isinstance(op, ax.PReluOp):
        e.node("PRelu", inputs, output)
    elif (step := step_of(op)) is not None:
        emit_step(e, step, inputs, output)
    else:
        _OPERATORS[type(op)](e, op, inputs, output)


def _emit_with_epilogue(e: Emitter, op: ax.EpilogueOp, inputs: Sequence[str], output: str) -> None:
    steps = list(op.epilogue)
    split = len(inputs) - len(op.extras)
    operands, extras = inputs[:split], iter(inputs[split:])
    emit_raw = _OPERATORS[type(op)]
    if not steps:
        emit_raw(e, op, operands, output)
        return
    value = e.tensor(f"{e.base}/accumulated")
    emit_raw(e, op, operands, value)
    for number, step in enumerate(steps, 1):
        target = output if number == len(steps) else e.tensor(f"{e.base}/{step.kind}")
        emit_step(e, step, [value, next(extras)] if step.takes_operand else [value], target)
        value = target


def emit_step(e: Emitter, step: Step, inputs: Sequence[str], output: str) -> None:
    """Append the nodes of an epilogue step, or of the elementwise operator that does the same."""
    match step.kind, step.arguments:
        case "scale", (factor,):
            e.node("Mul", [*inputs, e.number("factor", factor)], output)
        case "clip", (lower, upper):
            e.node("Clip", [*inputs, e.number("min", lower), e.number("max", upper)], output)
        case "leaky_relu", (alpha,):
            e.node("LeakyRelu", inputs, output, alpha=alpha)
        case "hard_sigmoid", (alpha, beta):
            e.node("HardSigmoid", inputs, output, alpha=alpha, beta=beta)
        case "silu", ():
            e.node("Mul", [*inputs, e.node("Sigmoid", inputs)], output)
        case "hard_swish", ():
            e.node("Mul", [*inputs, e.node("HardSigmoid", inputs, alpha=1 / 6, beta=0.5)], output)
        case kind, () if kind in FUNCTIONS_OF_TABLES:
            _emit_function(e, FUNCTIONS_OF_TABLES[kind], inputs[0], output)
        case kind, (a, b, c, d):
            _emit_composed(e, Step(kind), (a, b, c, d), inputs[0], output)
        case kind, _:
            e.node(_STEPS[kind], inputs, output)


def _emit_composed(e: Emitter, function: Step, constants: Sequence[float], value: str, output: str) -> None:
    """c * f(a * x + b) + d."""
    a, b, c, d = constants
    inner = _affine(e, value, a, b)
    plain = (c, d) == (1.0, 0.0)
    applied = output if plain else e.tensor(f"{e.base}/{function.kind}")
    emit_step(e, function, [inner], applied)
    _affine(e, applied, c, d, output)


def _affine(e: Emitter, value: str, factor: float, offset: float, output: str | None = None) -> str:
    """value * factor + offset, without what is neutral; into `output` where anything is left."""
    nodes = [("Mul", factor)] if factor != 1.0 else []
    nodes += [("Add", offset)] if offset != 0.0 else []
    for index, (kind, number) in enumerate(nodes, 1):
        value = e.node(kind, [value, e.number("constant", number)], output if index == len(nodes) else None)
    return value


FUNCTIONS_OF_TABLES = {name: function for function, name in ax.FUNCTION_STEPS.items()}

_STEPS = {
    "relu": "Relu",
    "prelu": "PRelu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "add": "Add",
    "sub": "Sub",
    "mul": "Mul",
    "max": "Max",
    "min": "Min",
}


def _window(op: ax.ConvOp | ax.ConvTransposeOp | ax.MaxPoolOp | ax.AvgPoolOp) -> dict[str, list[int]]:
    kernel = base.shape_of(op.weight)[2:] if isinstance(op, ax.ConvOp | ax.ConvTransposeOp) else base.ints_of(op.kernel)
    window = {
        "kernel_shape": list(kernel),
        "strides": list(base.ints_of(op.strides)),
        "pads": list(base.ints_of(op.pads)),
    }
    dilations = list(base.ints_of(op.dilations))
    return window | {"dilations": dilations} if dilations != [1, 1] else window


def _conv(e: Emitter, op: ax.ConvOp, inputs: Sequence[str], output: str) -> None:
    e.node("Conv", inputs, output, group=op.group.value.data, **_window(op))


def _conv_transpose(e: Emitter, op: ax.ConvTransposeOp, inputs: Sequence[str], output: str) -> None:
    padding = list(base.ints_of(op.output_padding))
    e.node("ConvTranspose", inputs, output, group=op.group.value.data, output_padding=padding, **_window(op))


def _gemm(e: Emitter, op: ax.GemmOp, inputs: Sequence[str], output: str) -> None:
    trans_a, trans_b = int(bool(op.trans_a.value.data)), int(bool(op.trans_b.value.data))
    alpha, beta = op.alpha.value.data, op.beta.value.data
    e.node("Gemm", inputs, output, alpha=alpha, beta=beta, transA=trans_a, transB=trans_b)


def _batch_norm(e: Emitter, op: ax.BatchNormOp, inputs: Sequence[str], output: str) -> None:
    e.node("BatchNormalization", inputs, output, epsilon=op.epsilon.value.data)


def _max_pool(e: Emitter, op: ax.MaxPoolOp, inputs: Sequence[str], output: str) -> None:
    e.node("MaxPool", inputs, output, **_window(op))


def _avg_pool(e: Emitter, op: ax.AvgPoolOp, inputs: Sequence[str], output: str) -> None:
    e.node("AveragePool", inputs, output, count_include_pad=int(bool(op.count_include_pad.value.data)), **_window(op))


def _reduce(e: Emitter, op: ax.ReduceOp, inputs: Sequence[str], output: str) -> None:
    axes, keepdims = list(base.ints_of(op.axes)), int(bool(op.keepdims.value.data))
    kind = f"Reduce{op.kind.data.capitalize()}"
    if e.opset >= (REDUCE_SUM_INPUT_OPSET if op.kind.data == ax.ReduceKind.SUM else REDUCE_INPUT_OPSET):
        e.node(kind, [*inputs, e.integers("axes", axes)], output, keepdims=keepdims)
    else:
        e.node(kind, inputs, output, axes=axes, keepdims=keepdims)


def _softmax(e: Emitter, op: ax.SoftmaxOp, inputs: Sequence[str], output: str) -> None:
    e.node("Softmax", inputs, output, axis=op.axis.value.data)


def _concat(e: Emitter, op: ax.ConcatOp, inputs: Sequence[str], output: str) -> None:
    e.node("Concat", inputs, output, axis=op.axis.value.data)


def _slice(e: Emitter, op: ax.SliceOp, inputs: Sequence[str], output: str) -> None:
    starts, ends, steps = (base.ints_of(values) for values in (op.starts, op.ends, op.steps))
    axes = range(len(starts))
    bounds = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
    e.node("Slice", [*inputs, *(e.integers(name, values) for name, values in bounds.items())], output)


def _pad(e: Emitter, op: ax.PadOp, inputs: Sequence[str], output: str) -> None:
    pads, value = e.integers("pads", base.ints_of(op.pads)), e.number("value", op.value.value.data)
    e.node("Pad", [*inputs, pads, value], output, mode=str(op.mode.data))


def _reshape(e: Emitter, op: ax.ReshapeOp, inputs: Sequence[str], output: str) -> None:
    e.node("Reshape", [*inputs, e.integers("shape", base.ints_of(op.shape))], output)


def _transpose(e: Emitter, op: ax.TransposeOp, inputs: Sequence[str], output: str) -> None:
    e.node("Transpose", inputs, output, perm=list(base.ints_of(op.perm)))


def _rearrange(e: Emitter, op: ax.RearrangeOp, inputs: Sequence[str], output: str) -> None:
    split = e.node("Reshape", [*inputs, e.integers("split", base.ints_of(op.split))])
    moved = e.node("Transpose", [split], perm=list(base.ints_of(op.perm)))
    e.node("Reshape", [moved, e.integers("shape", base.ints_of(op.shape))], output)


def _gather(e: Emitter, op: ax.GatherOp, inputs: Sequence[str], output: str) -> None:
    e.node("Gather", [*inputs, e.integers("indices", base.ints_of(op.indices))], output, axis=op.axis.value.data)


def _expand(e: Emitter, op: ax.ExpandOp, inputs: Sequence[str], output: str) -> None:
    e.node("Expand", [*inputs, e.integers("shape", base.ints_of(op.shape))], output)


def _depth_to_space(e: Emitter, op: ax.DepthToSpaceOp, inputs: Sequence[str], output: str) -> None:
    e.node("DepthToSpace", inputs, output, blocksize=op.block.value.data, mode=op.order.data.upper())


def _space_to_depth(e: Emitter, op: ax.SpaceToDepthOp, inputs: Sequence[str], output: str) -> None:
    b, (n, channels, height, width) = op.block.value.data, base.shape_of(op.result)
    if op.order.data == ax.BlockOrder.DCR:
        e.node("SpaceToDepth", inputs, output, blocksize=b)
        return
    # ONNX has one order only: the channels are counted anew.
    deep = e.node("SpaceToDepth", inputs, blocksize=b)
    split = e.node("Reshape", [deep, e.integers("split", (n, b, b, channels // (b * b), height, width))])
    moved = e.node("Transpose", [split], perm=[0, 3, 1, 2, 4, 5])
    e.node("Reshape", [moved, e.integers("shape", (n, channels, height, width))], output)


def _resize(e: Emitter, op: ax.ResizeOp, inputs: Sequence[str], output: str) -> None:
    before, after = base.shape_of(op.input), base.ints_of(op.sizes)
    scales = np.asarray(op.scale_values, np.float32)
    changed = [axis for axis in range(len(before)) if before[axis] != after[axis] or scales[axis] != 1]
    if op.mode.data == ax.ResizeMode.NEAREST or (len(before) == 4 and {*changed} <= {2, 3}):
        _emit_resize(e, op, inputs[0], before, after, scales, output)
        return
    # ONNX Runtime interpolates height and width of four dimensions only: one axis after the other becomes the height.
    value, shape = inputs[0], list(before)
    for axis in changed:
        flat = (1, math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :]))
        shape[axis] = after[axis]
        value = e.node("Reshape", [value, e.integers("rows", flat)])
        target = (*flat[:2], after[axis], flat[3])
        factors = np.asarray((1, 1, scales[axis], 1), np.float32)
        value = _emit_resize(e, op, value, flat, target, factors)
    e.node("Reshape", [value, e.integers("shape", shape)], output)


def _emit_resize(
    e: Emitter,
    op: ax.ResizeOp,
    value: str,
    before: Sequence[int],
    after: Sequence[int],
    scales: NDArray[np.float32],
    output: str | None = None,
) -> str:
    # Sizes imply their ratios as scales; scales imply sizes rounded down. ONNX takes either.
    ratios = np.asarray(after, np.float32) / np.asarray(before, np.float32)
    if np.array_equal(scales, ratios):
        given = ["", "", e.integers("sizes", after)]
    else:
        given = ["", e.initializer("scales", scales)]
    attributes = {} if op.rounding is None else {"nearest_mode": str(op.rounding.data)}
    coordinates = str(op.coordinates.data)
    return e.node(
        "Resize", [value, *given], output,
        mode=str(op.mode.data), coordinate_transformation_mode=coordinates, **attributes,
    )  # fmt: skip


def _head_matmul(e: Emitter, op: ax.HeadMatMulOp, inputs: Sequence[str], output: str) -> None:
    """Heads as a batch, pixels as columns."""
    _, channels, rows, columns = base.shape_of(op.input)
    other, heads = base.shape_of(op.other), op.heads.value.data

    def reshaped(value: str, *shape: int) -> str:
        return e.node("Reshape", [value, e.integers("shape", shape)])

    held = reshaped(inputs[1], heads, other[1] // heads, other[2] * other[3])
    if op.transpose.value.data:
        streamed = reshaped(inputs[0], heads, channels // heads, rows * columns)
        product = e.node("MatMul", [e.node("Transpose", [held], perm=[0, 2, 1]), streamed])
        product = e.node("Transpose", [product], perm=[1, 0, 2])
    else:
        streamed = e.node("Transpose", [reshaped(inputs[0], channels, heads, rows * columns // heads)], perm=[1, 0, 2])
        product = e.node("MatMul", [held, streamed])
    value = reshaped(product, *base.shape_of(op.result))
    e.node("Mul", [value, e.number("factor", op.factor.value.data)], output)


def _normalize(e: Emitter, op: ax.NormalizeOp, inputs: Sequence[str], output: str) -> None:
    axes = sorted(base.ints_of(op.axes))
    x, parameters = inputs[0], iter(inputs[1:])
    mean = _mean(e, x, axes)
    centred = e.node("Sub", [x, mean])
    variance = _mean(e, e.node("Mul", [centred, centred]), axes)
    deviation = e.node("Sqrt", [e.node("Add", [variance, e.number("epsilon", op.epsilon.value.data)])])
    last = op.bias or op.scale
    value = e.node("Div", [centred, deviation], None if last is not None else output)
    if op.scale is not None:
        value = e.node("Mul", [value, next(parameters)], None if op.bias is not None else output)
    if op.bias is not None:
        e.node("Add", [value, next(parameters)], output)


def _mean(e: Emitter, value: str, axes: Sequence[int]) -> str:
    if e.opset >= REDUCE_INPUT_OPSET:
        return e.node("ReduceMean", [value, e.integers("axes", axes)], keepdims=1)
    return e.node("ReduceMean", [value], axes=axes, keepdims=1)


_UNARY: dict[str, tuple[str, tuple[str, ...]]] = {
    "abs": ("Abs", ()),
    "celu": ("Celu", ("alpha",)),
    "cos": ("Cos", ()),
    "elu": ("Elu", ("alpha",)),
    "erf": ("Erf", ()),
    "exp": ("Exp", ()),
    "log": ("Log", ()),
    "reciprocal": ("Reciprocal", ()),
    "selu": ("Selu", ("alpha", "gamma")),
    "sin": ("Sin", ()),
    "softplus": ("Softplus", ()),
    "softsign": ("Softsign", ()),
    "sqrt": ("Sqrt", ()),
    "thresholded_relu": ("ThresholdedRelu", ("alpha",)),
}
"""Functions that ONNX has, and the attributes that are their parameters."""


def _unary(e: Emitter, op: ax.UnaryFunctionOp, inputs: Sequence[str], output: str) -> None:
    _emit_function(e, op.function.data, inputs[0], output)


def _emit_function(e: Emitter, function: ax.Function, x: str, output: str) -> None:
    match function.name:
        case "pow":
            e.node("Pow", [x, e.number("exponent", function.parameters[0])], output)
        case "mish":
            e.node("Mul", [x, e.node("Tanh", [e.node("Softplus", [x])])], output)
        case "gelu":
            _emit_gelu(e, x, e.node("Erf", [e.node("Mul", [x, e.number("sqrt_half", math.sqrt(0.5))])]), output)
        case "gelu_tanh":
            cube = e.node("Mul", [e.node("Mul", [x, x]), x])
            inner = e.node("Add", [x, e.node("Mul", [cube, e.number("cubic", 0.044715)])])
            scaled = e.node("Mul", [inner, e.number("sqrt_2_over_pi", math.sqrt(2 / math.pi))])
            _emit_gelu(e, x, e.node("Tanh", [scaled]), output)
        case name:
            kind, names = _UNARY[name]
            e.node(kind, [x], output, **dict(zip(names, function.parameters, strict=True)))


def _emit_gelu(e: Emitter, x: str, sigmoidal: str, output: str) -> None:
    """x / 2 * (1 + sigmoidal)"""
    half = e.node("Mul", [x, e.number("half", 0.5)])
    e.node("Mul", [half, e.node("Add", [sigmoidal, e.number("one", 1.0)])], output)


def _plain(kind: str) -> Callable[[Emitter, Any, Sequence[str], str], None]:
    def emit_plain(e: Emitter, _: Operation, inputs: Sequence[str], output: str) -> None:
        e.node(kind, inputs, output)

    return emit_plain


_OPERATORS: dict[type[Operation], Callable[[Emitter, Any, Sequence[str], str], None]] = {
    ax.ConvOp: _conv,
    ax.ConvTransposeOp: _conv_transpose,
    ax.GemmOp: _gemm,
    ax.MatMulOp: _plain("MatMul"),
    ax.BatchNormOp: _batch_norm,
    ax.MaxPoolOp: _max_pool,
    ax.AvgPoolOp: _avg_pool,
    ax.GlobalAvgPoolOp: _plain("GlobalAveragePool"),
    ax.GlobalMaxPoolOp: _plain("GlobalMaxPool"),
    ax.ReduceOp: _reduce,
    ax.NormalizeOp: _normalize,
    ax.HeadMatMulOp: _head_matmul,
    ax.UnaryFunctionOp: _unary,
    ax.DivOp: _plain("Div"),
    ax.SoftmaxOp: _softmax,
    ax.ConcatOp: _concat,
    ax.SliceOp: _slice,
    ax.PadOp: _pad,
    ax.ReshapeOp: _reshape,
    ax.RearrangeOp: _rearrange,
    ax.TransposeOp: _transpose,
    ax.GatherOp: _gather,
    ax.ExpandOp: _expand,
    ax.DepthToSpaceOp: _depth_to_space,
    ax.SpaceToDepthOp: _space_to_depth,
    ax.ResizeOp: _resize,
}
