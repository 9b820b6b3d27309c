"""Padding by a number: folded into the window that reads it, else a depthwise convolution or concats with constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from xdsl.dialects.builtin import BoolAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.affine import conv
from axir.passes.patterns.arithmetic import F32_MAX, bounds
from axir.passes.patterns.values import f32_op, is_f32, producer, replace

Window = TypeVar("Window", ax.ConvOp, ax.AvgPoolOp, ax.MaxPoolOp)

LARGEST_VALUE = 65504.0
"""The greatest binary16 number: exporters write it or a greater one where they mean infinity, which no byte holds."""


def spatial_pads(op: ax.PadOp) -> tuple[int, ...] | None:
    """(top, left, bottom, right) when an f32 NCHW tensor is padded by a number in height and width only."""
    pads = base.ints_of(op.pads)
    if (
        op.mode.data != ax.PadMode.CONSTANT
        or len(pads) != 8
        or not is_f32(op.input)
        or min(pads) < 0
        or any(pads[axis] for axis in (0, 1, 4, 5))
    ):
        return None
    return (*pads[2:4], *pads[6:8])


def _padded_input(op: ax.ConvOp | ax.AvgPoolOp | ax.MaxPoolOp) -> tuple[ax.PadOp, tuple[int, ...]] | None:
    """The pad before a window, and the window's pads with those of the pad added."""
    inner = producer(op.input, ax.PadOp)
    pads = None if inner is None else spatial_pads(inner)
    if inner is None or pads is None:
        return None
    return inner, tuple(a + b for a, b in zip(pads, base.ints_of(op.pads), strict=True))


def _fits(op: ax.AvgPoolOp | ax.MaxPoolOp, pads: tuple[int, ...]) -> bool:
    """Whether every window keeps a tap inside the input; dilated taps could step over a small one."""
    smaller = all(pad < size for pad, size in zip(pads, base.ints_of(op.kernel) * 2, strict=True))
    return smaller and base.ints_of(op.dilations) == (1, 1)


def _moved(op: Window, pad: ax.PadOp, pads: tuple[int, ...]) -> Window:
    """The window applied to what is before the pad."""
    new = op.clone()
    new.operands[0] = pad.input
    new.properties["pads"] = base.ints(pads)
    return new


class FoldIntoConv(RewritePattern):
    """conv(pad(x, 0)) -> conv with larger pads"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ConvOp, rewriter: PatternRewriter):
        match _padded_input(op):
            case (inner, pads) if inner.value.value.data == 0.0:
                replace(rewriter, op, [_moved(op, inner, pads)], op, inner)
            case _:
                pass


class FoldIntoAvgPool(RewritePattern):
    """avg_pool(pad(x, 0)) -> avg_pool that counts its larger pads, unless it has pads that it does not count"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.AvgPoolOp, rewriter: PatternRewriter):
        counted = op.count_include_pad.value.data or not any(base.ints_of(op.pads))
        match _padded_input(op):
            case (inner, pads) if inner.value.value.data == 0.0 and counted and _fits(op, pads):
                new = _moved(op, inner, pads)
                new.properties["count_include_pad"] = BoolAttr.from_bool(True)
                replace(rewriter, op, [new], op, inner)
            case _:
                pass


class FoldIntoMaxPool(RewritePattern):
    """max_pool(pad(x, v)) -> max_pool with larger pads, where v can never be greater than x"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MaxPoolOp, rewriter: PatternRewriter):
        match _padded_input(op):
            case (inner, pads) if inner.value.value.data <= lower_bound(inner.input) and _fits(op, pads):
                replace(rewriter, op, [_moved(op, inner, pads)], op, inner)
            case _:
                pass


def lower_bound(value: SSAValue) -> float:
    """A number that no element of `value` is below; the least binary32 number when nothing better is known."""
    match value.owner:
        case ax.ReluOp() | ax.ClipOp() as op:
            return max(bounds(op)[0], -F32_MAX)
        case ax.SigmoidOp() | ax.HardSigmoidOp():
            return 0.0
        case ax.ConcatOp() as op:
            return min(map(lower_bound, op.inputs))
        case ax.MaxPoolOp() as op:
            return lower_bound(op.input)
        case _:
            return -F32_MAX


@dataclass(frozen=True)
class PadToDepthwise(RewritePattern):
    """pad(x, 0) -> depthwise convolution with a kernel of 1x1, weight 1, and these pads"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.PadOp, rewriter: PatternRewriter):
        import numpy as np

        pads = spatial_pads(op)
        if pads is None or op.value.value.data != 0.0:
            return
        channels = base.shape_of(op.input)[1]
        one = f32_op(np.ones((channels, 1, 1, 1)), self.store)
        replace(rewriter, op, [one, conv(op.input, one, None, pads=pads, group=channels)])


class CropOfPad(RewritePattern):
    """A pad with negative numbers -> slice, and a pad of the rest"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.PadOp, rewriter: PatternRewriter):
        shape, pads = base.shape_of(op.input), base.ints_of(op.pads)
        rank = len(shape)
        starts = [max(0, -pad) for pad in pads[:rank]]
        ends = [size - max(0, -pad) for size, pad in zip(shape, pads[rank:], strict=True)]
        if min(pads, default=0) >= 0 or any(start >= end for start, end in zip(starts, ends, strict=True)):
            return
        bounds: dict[str, Attribute] = {
            "starts": base.ints(starts), "ends": base.ints(ends), "steps": base.ints([1] * rank)
        }  # fmt: skip
        kept = base.build(ax.SliceOp, [op.input], bounds)
        kept.location = op.location
        properties = op.properties | {"pads": base.ints([max(0, pad) for pad in pads])}
        replace(rewriter, op, [kept, base.build(ax.PadOp, [kept], properties)])


@dataclass(frozen=True)
class PadToConcat(RewritePattern):
    """pad(x, v) of channels, or of height and width with a v that is not 0 -> concats with constants"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.PadOp, rewriter: PatternRewriter):
        pads, number = list(base.ints_of(op.pads)), op.value.value.data
        if (
            op.mode.data != ax.PadMode.CONSTANT
            or len(pads) != 8
            or not is_f32(op.input)
            or base.shape_of(op.input)[0] != 1
        ):
            return
        axes = [axis for axis in ((1,) if number == 0.0 else (1, 2, 3)) if pads[axis] or pads[axis + 4]]
        if not axes or min(pads) < 0 or pads[0] or pads[4] or abs(number) >= LARGEST_VALUE:
            return
        value, new = op.input, list[Operation]()
        for axis in axes:
            before, after = (self.filled(value, axis, pads[place], number) for place in (axis, axis + 4))
            parts = [part for part in (before, value, after) if part is not None]
            constants = [part for part in (before, after) if part is not None]
            joined = base.build(ax.ConcatOp, [[SSAValue.get(part) for part in parts]], {"axis": base.integer(axis)})
            new += [*constants, joined]
            value = joined.result
            pads[axis] = pads[axis + 4] = 0
        if any(pads):
            new.append(base.build(ax.PadOp, [value], op.properties | {"pads": base.ints(pads)}))
        for made in new[:-1]:
            made.location = op.location
        replace(rewriter, op, new)

    def filled(self, x: SSAValue, axis: int, count: int, number: float) -> ax.ConstantOp | None:
        """A constant as large as `x`, but `count` along an axis; None for a count of 0."""
        import numpy as np

        shape = [count if i == axis else size for i, size in enumerate(base.shape_of(x))]
        return f32_op(np.full(shape, number), self.store) if count else None
