"""How each operator of the `ax` dialect is said in ONNX, version 17 or later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.ir import Operation

from axir.backends.onnx.emitter import Emitter
from axir.dialects import ax, base
from axir.dialects.epilogue import Step
from axir.passes.fuse_epilogue import step_of

DILATED_AVERAGE_OPSET = 19
"""AveragePool has dilations from this version on."""
REDUCE_INPUT_OPSET = 18
"""ReduceMean takes its axes as an input from this version on."""


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


_STEPS = {
    "relu": "Relu",
    "prelu": "PRelu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "add": "Add",
    "mul": "Mul",
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


def _reduce_mean(e: Emitter, op: ax.ReduceMeanOp, inputs: Sequence[str], output: str) -> None:
    axes, keepdims = list(base.ints_of(op.axes)), int(bool(op.keepdims.value.data))
    if e.opset >= REDUCE_INPUT_OPSET:
        e.node("ReduceMean", [*inputs, e.integers("axes", axes)], output, keepdims=keepdims)
    else:
        e.node("ReduceMean", inputs, output, axes=axes, keepdims=keepdims)


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
    e.node("Pad", [*inputs, pads, value], output)


def _reshape(e: Emitter, op: ax.ReshapeOp, inputs: Sequence[str], output: str) -> None:
    e.node("Reshape", [*inputs, e.integers("shape", base.ints_of(op.shape))], output)


def _transpose(e: Emitter, op: ax.TransposeOp, inputs: Sequence[str], output: str) -> None:
    e.node("Transpose", inputs, output, perm=list(base.ints_of(op.perm)))


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
    ax.ReduceMeanOp: _reduce_mean,
    ax.SubOp: _plain("Sub"),
    ax.DivOp: _plain("Div"),
    ax.SoftmaxOp: _softmax,
    ax.ConcatOp: _concat,
    ax.SliceOp: _slice,
    ax.PadOp: _pad,
    ax.ReshapeOp: _reshape,
    ax.TransposeOp: _transpose,
}
