"""Reorderings of channels that are written as reshapes, transposes and slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from xdsl.ir import Attribute, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.affine import conv
from axir.passes.patterns.values import f32_op, is_f32, replace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Order = NDArray[Any]

MAX_SLICES = 4
"""Slices that are cheaper than a convolution."""

Movement = ax.ReshapeOp | ax.TransposeOp | ax.SliceOp | ax.GatherOp


def source_of(value: SSAValue, *, picked: bool = False) -> tuple[SSAValue, Order]:
    """The farthest tensor [1, C, H, W] of which `value` is only reshaped, transposed (and `picked`), and the order.

    Slices and gathers pick.

    Element i of `value` is element order[i] of the source, both counted in row-major order.
    """
    import numpy as np

    chain: list[Movement] = []
    source, length, current = value, 0, value
    while isinstance(current.owner, ax.ReshapeOp | ax.TransposeOp) or (
        picked and isinstance(current.owner, ax.SliceOp | ax.GatherOp)
    ):
        chain.append(current.owner)
        current = current.owner.input
        shape = base.shape_of(current)
        if len(shape) == 4 and shape[0] == 1:
            source, length = current, len(chain)
    order = np.arange(prod(base.shape_of(source)), dtype=np.int32).reshape(base.shape_of(source))
    for op in reversed(chain[:length]):
        order = _moved(op, order)
    return source, order.reshape(-1)


def _moved(op: Movement, array: Order) -> Order:
    match op:
        case ax.ReshapeOp():
            return array.reshape(base.ints_of(op.shape))
        case ax.TransposeOp():
            return array.transpose(base.ints_of(op.perm))
        case ax.SliceOp():
            bounds = zip(base.ints_of(op.starts), base.ints_of(op.ends), base.ints_of(op.steps), strict=True)
            return array[tuple(slice(*bound) for bound in bounds)]
        case ax.GatherOp():
            return array.take(base.ints_of(op.indices), op.axis.value.data)


@dataclass(frozen=True)
class ChannelShuffle(RewritePattern):
    """A chain of reshapes, transposes, slices and gathers that picks whole channels -> slices, and a concat of several

    Where that takes many, a convolution of 1x1 with one weight of 1 for each channel picked.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReshapeOp | ax.GatherOp, rewriter: PatternRewriter):
        import numpy as np

        shape = base.shape_of(op.result)
        if len(shape) != 4 or shape[0] != 1 or not is_f32(op.result):
            return
        source, order = source_of(op.result, picked=True)
        whole = base.shape_of(source)
        if whole[2:] != shape[2:] or source is op.result or (source is op.input and isinstance(op, ax.ReshapeOp)):
            return
        pixels = shape[2] * shape[3]
        picked = order[::pixels] // pixels
        if not np.array_equal(order.reshape(-1, pixels), picked[:, None] * pixels + np.arange(pixels)):
            return
        ranges = equally_spaced([int(channel) for channel in picked])
        if len(ranges) <= MAX_SLICES:
            slices = [channel_slice(source, channels) for channels in ranges]
            joined = base.build(ax.ConcatOp, [[part.result for part in slices]], {"axis": base.integer(1)})
            replace(rewriter, op, [*slices, joined])
        else:
            weight = np.zeros((shape[1], whole[1], 1, 1), np.float32)
            weight[np.arange(shape[1]), picked] = 1.0
            constant = f32_op(weight, self.store)
            replace(rewriter, op, [constant, conv(source, constant, None)])


def equally_spaced(picked: Sequence[int]) -> list[range]:
    """Ascending ranges that, one after the other, give `picked`; each as long as it can be."""
    ranges: list[range] = []
    for channel in picked:
        last = ranges[-1] if ranges else range(0)
        if len(last) == 1 and channel > last.start:
            ranges[-1] = range(last.start, channel + 1, channel - last.start)
        elif len(last) > 1 and channel == last[-1] + last.step:
            ranges[-1] = range(last.start, channel + 1, last.step)
        else:
            ranges.append(range(channel, channel + 1))
    return ranges


def channel_slice(x: SSAValue, channels: range) -> ax.SliceOp:
    _, _, height, width = base.shape_of(x)
    bounds: dict[str, Attribute] = {
        "starts": base.ints((0, channels.start, 0, 0)),
        "ends": base.ints((1, channels.stop, height, width)),
        "steps": base.ints((1, channels.step, 1, 1)),
    }
    return base.build(ax.SliceOp, [x], bounds)
