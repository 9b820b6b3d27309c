"""What the device can run, operator by operator.

Every operator has a list of constraints. A constraint's docstring is what users read; it returns None where the
operator meets it, else the reason why not.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation, SSAValue

from axir.dialects import ax, base
from axir.dialects.axq import LARGEST_PRODUCT, MAX_NORMALIZED
from axir.passes.patterns.values import is_constant, is_f32
from axir.target.isa import DMA_COUNTERS

IMPORT_REASON = "reason"
"""The attribute in which the front end says why it could not give an ONNX node an operator of `ax`."""

MAX_COPIES = 256
"""How many copies a rearrangement may take."""

NORMALIZED_AXES = ((1,), (2, 3), (1, 2, 3))

Constraint = Callable[[Any], str | None]


def unsupported(op: Operation) -> str | None:
    """Why the device cannot run `op`; None when it can."""
    constraints = CONSTRAINTS.get(type(op))
    if constraints is None:
        known = op.attributes.get(IMPORT_REASON)
        return known.data if isinstance(known, StringAttr) else UNAVAILABLE.get(type(op), "it has no such operator")
    return next((reason for constraint in (*GENERAL, *constraints) if (reason := constraint(op))), None)


def documentation() -> dict[str, list[str]]:
    """The constraints as text: of all operators under `*`, then of each operator under its name."""

    def describe(constraints: tuple[Constraint, ...]) -> list[str]:
        return [(constraint.__doc__ or "").strip() for constraint in constraints]

    return {"*": describe(GENERAL)} | {kind.name: describe(rules) for kind, rules in CONSTRAINTS.items()}


def _data(op: Operation) -> list[SSAValue]:
    """The tensors that an operator works on and makes, without its weights, bias or slope."""
    weighted = isinstance(op, ax.ConvOp | ax.ConvTransposeOp | ax.PReluOp | ax.NormalizeOp)
    operands = [op.input] if weighted else op.operands
    return [*operands, *op.results]


def constraint_float(op: Operation) -> str | None:
    """All tensors are float32 before quantization."""
    wrong = next((value for value in (*op.operands, *op.results) if not is_f32(value)), None)
    return None if wrong is None else f"it has a tensor of element type {base.tensor_of(wrong).element_type}, not f32"


def constraint_rank(op: Operation) -> str | None:
    """All tensors but weights have four dimensions: batch, channels, height, width."""
    rank = next((len(base.shape_of(value)) for value in _data(op) if len(base.shape_of(value)) != 4), None)
    return None if rank is None else f"it has a tensor of rank {rank}, not 4 (NCHW)"


def constraint_static(op: Operation) -> str | None:
    """All dimensions are known, and none is 0."""
    wrong = next((value for value in _data(op) if min(base.shape_of(value)) < 1), None)
    return None if wrong is None else f"it has a tensor of type {wrong.type}"


def constraint_batch(op: Operation) -> str | None:
    """The batch size is 1; the device runs batches as independent inferences."""
    batch = next((base.shape_of(value)[0] for value in _data(op) if base.shape_of(value)[0] != 1), None)
    return None if batch is None else f"it has a batch of {batch}; only a batch of 1 is supported"


def constraint_data_is_computed(op: Operation) -> str | None:
    """Data comes from the network's inputs or from other operators; constants are weights, or one number a channel."""
    return "it works on a constant that no convolution could absorb" if any(map(is_constant, op.operands)) else None


def constraint_weights(op: ax.ConvOp | ax.ConvTransposeOp) -> str | None:
    """Weights and bias are constants, the input is not."""
    if is_constant(op.input):
        return "its input is a constant"
    parameters = (("weight", op.weight), ("bias", op.bias))
    computed = next((name for name, value in parameters if value is not None and not is_constant(value)), None)
    return None if computed is None else f"its {computed} is computed, not constant"


def constraint_transposed_groups(op: ax.ConvTransposeOp) -> str | None:
    """A transposed convolution has one group, or is depthwise: one input and one output channel a group."""
    group, channels = op.group.value.data, base.shape_of(op.input)[1]
    depthwise = group == channels and base.shape_of(op.weight)[1] == 1
    return None if group == 1 or depthwise else f"it has {group} groups of {channels // group} input channels"


def constraint_no_dilation(op: ax.AvgPoolOp) -> str | None:
    """An average pool has no dilations."""
    dilations = base.ints_of(op.dilations)
    return None if set(dilations) == {1} else f"its window has dilations {list(dilations)}"


def constraint_some_computed(op: Operation) -> str | None:
    """Not all tensors that it takes are constants."""
    return "it works on constants alone" if all(map(is_constant, op.operands)) else None


def constraint_reshape(op: ax.ReshapeOp) -> str | None:
    """A reshape puts pixels into rows of another length; channels stay."""
    before, after = base.shape_of(op.input), base.shape_of(op.result)
    if is_constant(op.input):
        return "it works on a constant"
    return None if before[1] == after[1] else f"it makes {after[1]} of {before[1]} channels"


def constraint_broadcast(op: ax.BinaryOp) -> str | None:
    """Operands have the same channels; rows and columns broadcast."""
    a, b = base.shape_of(op.a)[1], base.shape_of(op.b)[1]
    return None if a == b else f"its operands have {a} and {b} channels, and no convolution could repeat one"


def constraint_slope(op: ax.PReluOp) -> str | None:
    """The slope is a constant, one number a channel."""
    slope = base.shape_of(op.slope)
    padded = (1,) * (4 - len(slope)) + slope
    if not is_constant(op.slope):
        return "its slope is computed, not constant"
    return None if padded[2:] == (1, 1) else f"its slope of shape {list(slope)} differs between positions"


def constraint_function(op: ax.UnaryFunctionOp) -> str | None:
    """A function of one number has a table: not `exp`, `log`, `reciprocal`, `sqrt`, nor powers outside 1 to 4."""
    function = op.function.data
    power = function.name == "pow" and 1 <= function.parameters[0] <= STEEPEST_POWER
    if function in ax.FUNCTION_STEPS or function.name in LOOKUPS or power:
        return None
    why = NO_TABLE.get(function.name)
    return f"it has no table for {function}" + ("" if why is None else f": {why}")


def constraint_softmax_axis(op: ax.SoftmaxOp) -> str | None:
    """A softmax is along the channels."""
    axis = op.axis.value.data
    return None if axis == 1 else f"it is along axis {axis}, not the channels (axis 1)"


def constraint_product(op: ax.HeadMatMulOp) -> str | None:
    """A product of two tensors adds up to 2**31 / (255 * 128) products, which 32 bits hold."""
    channels = base.shape_of(op.input)[1]
    depth = channels // op.heads.value.data if op.transpose.value.data else channels
    limit = ((1 << 31) - 1) // LARGEST_PRODUCT
    return None if depth <= limit else f"it adds up {depth} products, at most {limit} fit 32 bits"


def constraint_normalize_axes(op: ax.NormalizeOp) -> str | None:
    """A normalization is over the channels of each pixel, over all pixels of each channel, or over both."""
    axes = base.ints_of(op.axes)
    return None if axes in NORMALIZED_AXES else f"it is along the axes {list(axes)}"


def constraint_normalize_size(op: ax.NormalizeOp) -> str | None:
    """A normalization takes its statistics over at most 2**20 values."""
    shape = base.shape_of(op.input)
    count = prod(shape[axis] for axis in base.ints_of(op.axes))
    return None if count <= MAX_NORMALIZED else f"it takes statistics of {count} values"


def constraint_normalize_parameters(op: ax.NormalizeOp) -> str | None:
    """Scale and bias of a normalization are constants, one number a channel; its epsilon is greater than 0."""
    channels = base.shape_of(op.input)[1]
    if is_constant(op.input):
        return "its input is a constant"
    for name, value in (("scale", op.scale), ("bias", op.bias)):
        if value is None:
            continue
        if not is_constant(value):
            return f"its {name} is computed, not constant"
        shape = base.shape_of(value)
        if (1,) * (4 - len(shape)) + shape not in ((1, channels, 1, 1), (1, 1, 1, 1)):
            return f"its {name} of shape {list(shape)} differs between positions"
    return None if op.epsilon.value.data > 0 else "its epsilon is 0"


def constraint_concat_axis(op: ax.ConcatOp) -> str | None:
    """Concatenation is along channels, height or width."""
    return None if op.axis.value.data > 0 else "it concatenates along the batch"


def constraint_gather_axis(op: ax.GatherOp) -> str | None:
    """A gather takes rows or columns; of channels it becomes slices or a convolution."""
    return None if op.axis.value.data in (2, 3) else f"it takes elements along axis {op.axis.value.data}"


def constraint_copies(op: ax.RearrangeOp) -> str | None:
    """A rearrangement takes at most 256 copies, each of three nested loops around rows of bytes."""
    split = sorted(base.ints_of(op.split), reverse=True)
    copies = prod(split[DMA_COUNTERS:])
    return None if copies <= MAX_COPIES else f"it takes up to {copies} copies"


def constraint_slice_steps(op: ax.SliceOp) -> str | None:
    """A slice takes every row and column of a range (step 1); channels may have any step."""
    steps = base.ints_of(op.steps)[2:]
    return None if steps == (1, 1) else f"its steps over height and width are {list(steps)}"


LOOKUPS = ("cos", "sin", "softsign", "thresholded_relu")
"""Functions that become a byte for every byte. On the host they would get and give bytes as well, between segments."""
STEEPEST_POWER = 4
"""Greatest exponent of a power that does: half a step of its input is then at most 4 half steps of the result."""

_STEEP = "where it is steep, 8 bits of its input are too few"

NO_TABLE = {
    "exp": "8 bits of its result are too few",
    "log": _STEEP,
    "pow": _STEEP,
    "reciprocal": _STEEP,
    "sqrt": _STEEP,
}
"""Why functions stay on the host, though a byte for every byte could be any: what follows them there gets floats."""

GENERAL: tuple[Constraint, ...] = (constraint_float, constraint_rank, constraint_static, constraint_batch)

CONSTRAINTS: dict[type[Operation], tuple[Constraint, ...]] = {
    ax.ConvOp: (constraint_weights,),
    ax.ConvTransposeOp: (constraint_weights, constraint_transposed_groups),
    ax.MaxPoolOp: (constraint_data_is_computed,),
    ax.AvgPoolOp: (constraint_data_is_computed, constraint_no_dilation),
    ax.AddOp: (constraint_some_computed, constraint_broadcast),
    ax.SubOp: (constraint_some_computed, constraint_broadcast),
    ax.MulOp: (constraint_some_computed, constraint_broadcast),
    ax.MaxOp: (constraint_some_computed, constraint_broadcast),
    ax.MinOp: (constraint_some_computed, constraint_broadcast),
    ax.ReluOp: (constraint_data_is_computed,),
    ax.ClipOp: (constraint_data_is_computed,),
    ax.LeakyReluOp: (constraint_data_is_computed,),
    ax.PReluOp: (constraint_slope,),
    ax.HardSigmoidOp: (constraint_data_is_computed,),
    ax.HardSwishOp: (constraint_data_is_computed,),
    ax.TableOp: (constraint_data_is_computed,),
    ax.SigmoidOp: (constraint_data_is_computed,),
    ax.SiluOp: (constraint_data_is_computed,),
    ax.TanhOp: (constraint_data_is_computed,),
    ax.UnaryFunctionOp: (constraint_data_is_computed, constraint_function),
    ax.SoftmaxOp: (constraint_data_is_computed, constraint_softmax_axis),
    ax.HeadMatMulOp: (constraint_data_is_computed, constraint_product),
    ax.NormalizeOp: (constraint_normalize_axes, constraint_normalize_size, constraint_normalize_parameters),
    ax.ConcatOp: (constraint_some_computed, constraint_concat_axis),
    ax.ReshapeOp: (constraint_reshape,),
    ax.RearrangeOp: (constraint_data_is_computed, constraint_copies),
    ax.GatherOp: (constraint_data_is_computed, constraint_gather_axis),
    ax.SliceOp: (constraint_data_is_computed, constraint_slice_steps),
}
"""The operators of the device, each with its constraints beyond the general ones."""

UNAVAILABLE: dict[type[Operation], str] = {
    ax.GemmOp: "only products of one row and a constant matrix run there, as convolutions (rewrite_dense_to_conv2d)",
    ax.MatMulOp: "only products of one row and a constant matrix run there, as convolutions (rewrite_dense_to_conv2d)",
    ax.BatchNormOp: "its parameters are computed, not constant",
    ax.DivOp: "only division by a constant runs there, as a multiplication",
    ax.PadOp: "only channels, height and width are padded there, by a number or repeated or mirrored pixels",
    ax.ReduceOp: "of [1, C, H, W] means and sums, extremes over height and width, inner maxima over channels run there",
    ax.ExpandOp: "only [1, C, H, W] is expanded there, by additions that broadcast",
    ax.DepthToSpaceOp: "it does not move channels to pixels",
    ax.SpaceToDepthOp: "it does not move pixels to channels",
    ax.ResizeOp: "it resizes height and width between convolutions, and elsewhere enlarges them by whole factors",
    ax.GlobalAvgPoolOp: "only pools over height and width of [1, C, H, W] run there",
    ax.GlobalMaxPoolOp: "only pools over height and width of [1, C, H, W] run there",
    ax.TransposeOp: "it reorders elements only between convolutions, where that takes less time than the host",
}
"""Reasons for operators that are not in the table; earlier passes turn some forms of them into ones that are."""
