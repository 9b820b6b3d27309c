"""Padding that repeats or mirrors pixels, and linear enlargement by whole factors, in operators of the device."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.resize import gather
from axir.passes.patterns.values import f32_op, is_f32, replace

MOST_ROWS = 8
"""Rows or columns of padding on one side that are slices of their own; of more, a gather takes them with all others."""
MOST_FACTOR = 8
"""Greatest factor of a linear enlargement: its kernel is twice as large."""


def rows_of(x: SSAValue, axis: int, start: int, count: int = 1) -> ax.SliceOp:
    """`count` rows (axis 2) or columns (axis 3) of NCHW from `start` on."""
    shape = base.shape_of(x)
    bounds: dict[str, Attribute] = {
        "starts": base.ints([start if i == axis else 0 for i in range(4)]),
        "ends": base.ints([start + count if i == axis else size for i, size in enumerate(shape)]),
        "steps": base.ints((1, 1, 1, 1)),
    }
    return base.build(ax.SliceOp, [x], bounds)


def padded(x: SSAValue, axis: int, before: int, after: int, mirrored: bool) -> list[Operation]:
    """The operations that pad rows or columns with the nearest ones, or mirrored; the last one's result is it."""
    import numpy as np

    if max(before, after) > MOST_ROWS:
        places = np.arange(base.shape_of(x)[axis])
        return [gather(x, axis, np.pad(places, (before, after), mode="reflect" if mirrored else "edge"))]
    last = base.shape_of(x)[axis] - 1
    first = [i if mirrored else 0 for i in range(before, 0, -1)]
    end = [last - i if mirrored else last for i in range(1, after + 1)]
    made: dict[int, ax.SliceOp] = {index: rows_of(x, axis, index) for index in dict.fromkeys([*first, *end])}
    parts = [*(made[index].result for index in first), x, *(made[index].result for index in end)]
    return [*made.values(), base.build(ax.ConcatOp, [parts], {"axis": base.integer(axis)})]


class PadWithPixels(RewritePattern):
    """A pad of NCHW that repeats or mirrors rows and columns -> slices of them, and concats; of many, gathers"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.PadOp, rewriter: PatternRewriter):
        pads, shape = base.ints_of(op.pads), base.shape_of(op.input)
        if op.mode.data == ax.PadMode.CONSTANT or len(shape) != 4 or not is_f32(op.result):
            return
        if min(pads) < 0 or not any(pads) or any(pads[axis] for axis in (0, 1, 4, 5)):
            return
        value, made = op.input, list[Operation]()
        for axis in (2, 3):
            if pads[axis] or pads[axis + 4]:
                made += padded(value, axis, pads[axis], pads[axis + 4], op.mode.data == ax.PadMode.REFLECT)
                value = made[-1].results[0]
        for new in made[:-1]:
            new.location = op.location
        replace(rewriter, op, made)


@dataclass(frozen=True)
class LinearResize(RewritePattern):
    """A linear resize of NCHW by whole factors at pixel centres -> edges repeated, depthwise conv_transpose

    Output o of factor f is at (o + 1/2) / f - 1/2: each input is spread over 2 f outputs (2 f - 1 where f is odd), by a
    triangle. One repeated pixel on each side is what clamping at the edge gives; the pads crop its own output.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ResizeOp, rewriter: PatternRewriter):
        import numpy as np

        before, after = base.shape_of(op.input), base.ints_of(op.sizes)
        centred = op.coordinates.data == ax.Coordinates.HALF_PIXEL or (
            op.coordinates.data == ax.Coordinates.PYTORCH_HALF_PIXEL and min(after[2:], default=0) > 1
        )
        if op.mode.data != ax.ResizeMode.LINEAR or not centred or len(before) != 4 or not is_f32(op.result):
            return
        if before[:2] != after[:2] or before == after or any(a % b for a, b in zip(after, before, strict=True)):
            return
        factors = [a // b for a, b in zip(after[2:], before[2:], strict=True)]
        if max(factors) > MOST_FACTOR or [float(f) for f in factors] != list(op.scale_values[2:]):
            return
        value, made = op.input, list[Operation]()
        for axis, factor in zip((2, 3), factors, strict=True):
            if factor > 1:
                made += padded(value, axis, 1, 1, mirrored=False)
                value = made[-1].results[0]
        kernel = np.outer(triangle(factors[0]), triangle(factors[1]))
        channels = before[1]
        weight = f32_op(np.broadcast_to(kernel, (channels, 1, *kernel.shape)), self.store)
        # The first output of the padded input that counts: f of the repeated pixel, and what spreads before it.
        crop = [(3 * f) // 2 if f > 1 else 0 for f in factors]
        size = [f * (b + 2 - 1) + len(triangle(f)) if f > 1 else b for f, b in zip(factors, before[2:], strict=True)]
        ends = [s - c - a for s, c, a in zip(size, crop, after[2:], strict=True)]
        properties: dict[str, Attribute] = {
            "strides": base.ints(factors),
            "pads": base.ints((*crop, *ends)),
            "output_padding": base.ints((0, 0)),
            "dilations": base.ints((1, 1)),
            "group": base.integer(channels),
        }
        up = base.build(ax.ConvTransposeOp, [value, weight, None, []], properties)
        for new in made:
            new.location = op.location
        replace(rewriter, op, [*made, weight, up])


def triangle(factor: int) -> list[float]:
    """The shares that outputs have of one input: 2 f of them for even f, 2 f - 1 for odd f, symmetrical."""
    if factor == 1:
        return [1.0]
    count = 2 * factor - factor % 2
    return [1 - abs((i + 0.5) / factor - count / (2 * factor)) for i in range(count)]
