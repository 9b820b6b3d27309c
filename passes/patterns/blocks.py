"""Pixels to channels and back: spelled out by exporters, and as convolutions that move one number each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.ir import Attribute, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.channels import source_of
from axir.passes.patterns.values import f32_constant, f32_op, is_f32, replace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def block_op(
    kind: type[ax.DepthToSpaceOp | ax.SpaceToDepthOp], x: SSAValue, block: int, order: ax.BlockOrder
) -> ax.DepthToSpaceOp | ax.SpaceToDepthOp:
    return base.build(kind, [x], {"block": base.integer(block), "order": ax.BlockOrderAttr(order)})


@dataclass(frozen=True)
class BlocksOfReshapes(RewritePattern):
    """reshape(transpose(reshape(x))) that moves blocks of channels to pixels, or back -> one operator"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReshapeOp, rewriter: PatternRewriter):
        import numpy as np

        from axir.interp.ax import run_op

        after = base.shape_of(op.result)
        if len(after) != 4 or after[0] != 1 or not is_f32(op.result):
            return
        source, order = source_of(op.result)
        before = base.shape_of(source)
        if source is op.result or source is op.input or before[2] == after[2] or order.size >= 1 << 24:
            return
        kind, large, small = (
            (ax.DepthToSpaceOp, after, before) if after[2] > before[2] else (ax.SpaceToDepthOp, before, after)
        )
        block = large[2] // small[2]
        if (large[2], large[3], small[1]) != (small[2] * block, small[3] * block, large[1] * block * block):
            return
        numbers = np.arange(order.size, dtype=np.float32).reshape(before)
        for counted in ax.BlockOrder:
            new = block_op(kind, source, block, counted)
            if np.array_equal(run_op(new, [numbers], self.store)[0].reshape(-1), order):
                replace(rewriter, op, [new])
                return


class BlocksOfSlices(RewritePattern):
    """concat of the b x b slices of x with steps of b -> space_to_depth, its channels in the order of the slices"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ConcatOp, rewriter: PatternRewriter):
        block = round(len(op.inputs) ** 0.5)
        parts = [value.owner for value in op.inputs]
        if block < 2 or block * block != len(parts) or op.axis.value.data != 1:
            return
        first = parts[0]
        if not isinstance(first, ax.SliceOp) or len(base.shape_of(first.input)) != 4:
            return
        shape = base.shape_of(first.input)
        if shape[2] % block or shape[3] % block:
            return
        offsets: list[int] = []
        for part in parts:
            if not isinstance(part, ax.SliceOp) or part.input is not first.input:
                return
            starts, ends = base.ints_of(part.starts), base.ints_of(part.ends)
            if base.ints_of(part.steps) != (1, 1, block, block) or starts[:2] != (0, 0) or ends[:2] != shape[:2]:
                return
            if base.shape_of(part.result)[2:] != (shape[2] // block, shape[3] // block):
                return
            offsets.append(starts[2] * block + starts[3])
        if sorted(offsets) != list(range(block * block)):
            return
        deep = block_op(ax.SpaceToDepthOp, first.input, block, ax.BlockOrder.DCR)
        if offsets == sorted(offsets):
            replace(rewriter, op, [deep])
            return
        channels = [offset * shape[1] + channel for offset in offsets for channel in range(shape[1])]
        picked = base.build(ax.GatherOp, [deep], {"axis": base.integer(1), "indices": base.ints(channels)})
        replace(rewriter, op, [deep, picked])


def block_channels(op: ax.DepthToSpaceOp | ax.SpaceToDepthOp) -> tuple[int, list[tuple[int, int, int]]]:
    """The channels of pixels, and of each deep channel: row and column in the block, and the channel of pixels."""
    block = op.block.value.data
    deep = base.shape_of(op.input if isinstance(op, ax.DepthToSpaceOp) else op.result)[1]
    channels = deep // (block * block)
    rows = range(block)
    if op.order.data == ax.BlockOrder.DCR:
        return channels, [(i, j, c) for i in rows for j in rows for c in range(channels)]
    return channels, [(i, j, c) for c in range(channels) for i in rows for j in rows]


def moving_weight(op: ax.DepthToSpaceOp | ax.SpaceToDepthOp) -> NDArray[np.float32]:
    """[deep channels, channels, block, block]: one 1 for each deep channel, at its place in the block."""
    import numpy as np

    block = op.block.value.data
    channels, places = block_channels(op)
    rows, columns, channel = np.array(places).T
    weight = np.zeros((len(places), channels, block, block), np.float32)
    weight[np.arange(len(places)), channel, rows, columns] = 1.0
    return weight


def strided(block: int, **more: Attribute) -> dict[str, Attribute]:
    """The properties of a convolution over blocks that do not overlap."""
    return {
        "strides": base.ints((block, block)),
        "pads": base.ints((0, 0, 0, 0)),
        "dilations": base.ints((1, 1)),
        "group": base.integer(1),
        **more,
    }


@dataclass(frozen=True)
class ConvOfSpaceToDepth(RewritePattern):
    """conv(space_to_depth(x)) -> conv(x) with a kernel, strides and pads b times as large; the same products"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ConvOp, rewriter: PatternRewriter):
        import numpy as np

        inner, weight = op.input.owner, f32_constant(op.weight, self.store)
        if not isinstance(inner, ax.SpaceToDepthOp) or weight is None or op.epilogue.data:
            return
        if op.group.value.data != 1 or base.ints_of(op.dilations) != (1, 1):
            return
        block = inner.block.value.data
        channels, places = block_channels(inner)
        outputs, _, rows, columns = weight.shape
        wide = np.zeros((outputs, channels, rows * block, columns * block), np.float32)
        for deep, (i, j, channel) in enumerate(places):
            wide[:, channel, i::block, j::block] = weight[:, deep]
        properties = {name: value for name, value in op.properties.items() if name != "operandSegmentSizes"}
        for name, values in (("strides", op.strides), ("pads", op.pads)):
            properties[name] = base.ints([value * block for value in base.ints_of(values)])
        constant = f32_op(wide, self.store)
        replace(rewriter, op, [constant, base.build(ax.ConvOp, [inner.input, constant, op.bias, []], properties)])


@dataclass(frozen=True)
class ConvOfGather(RewritePattern):
    """conv(channels of x in another order) -> conv(x) with its weights in that order"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ConvOp, rewriter: PatternRewriter):
        import numpy as np

        inner, weight = op.input.owner, f32_constant(op.weight, self.store)
        if not isinstance(inner, ax.GatherOp) or inner.axis.value.data != 1 or weight is None or op.epilogue.data:
            return
        indices = base.ints_of(inner.indices)
        if op.group.value.data != 1 or len(set(indices)) != len(indices):
            return
        moved = np.zeros((len(weight), base.shape_of(inner.input)[1], *weight.shape[2:]), np.float32)
        moved[:, indices] = weight
        properties = {name: value for name, value in op.properties.items() if name != "operandSegmentSizes"}
        constant = f32_op(moved, self.store)
        replace(rewriter, op, [constant, base.build(ax.ConvOp, [inner.input, constant, op.bias, []], properties)])


@dataclass(frozen=True)
class GatherOfConv(RewritePattern):
    """Channels of conv(x) in another order -> conv(x) with its outputs in that order, where nothing else uses it"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.GatherOp, rewriter: PatternRewriter):
        inner = op.input.owner
        if not isinstance(inner, ax.ConvOp) or op.axis.value.data != 1 or not op.input.has_one_use():
            return
        weight, bias = f32_constant(inner.weight, self.store), f32_constant(inner.bias, self.store)
        if weight is None or (inner.bias is not None and bias is None) or inner.epilogue.data:
            return
        if inner.group.value.data != 1:
            return
        picked = list(base.ints_of(op.indices))
        properties = {name: value for name, value in inner.properties.items() if name != "operandSegmentSizes"}
        parameters = [f32_op(array[picked], self.store) for array in (weight, bias) if array is not None]
        new_bias = None if bias is None else parameters[1]
        new = base.build(ax.ConvOp, [inner.input, parameters[0], new_bias, []], properties)
        replace(rewriter, op, [*parameters, new], inner, op)


@dataclass(frozen=True)
class SpaceToDepthToConv(RewritePattern):
    """space_to_depth(x) -> conv with kernel and strides [b, b] and one weight of 1 for each output channel"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.SpaceToDepthOp, rewriter: PatternRewriter):
        if not is_f32(op.result):
            return
        block = op.block.value.data
        constant = f32_op(moving_weight(op), self.store)
        replace(rewriter, op, [constant, base.build(ax.ConvOp, [op.input, constant, None, []], strided(block))])


@dataclass(frozen=True)
class DepthToSpaceToConv(RewritePattern):
    """depth_to_space(x) -> conv_transpose with kernel and strides [b, b] and one weight of 1 for each input channel"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.DepthToSpaceOp, rewriter: PatternRewriter):
        if not is_f32(op.result):
            return
        block = op.block.value.data
        constant = f32_op(moving_weight(op), self.store)
        properties = strided(block, output_padding=base.ints((0, 0)))
        replace(rewriter, op, [constant, base.build(ax.ConvTransposeOp, [op.input, constant, None, []], properties)])
