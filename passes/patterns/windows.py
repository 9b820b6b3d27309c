"""Reductions, strided slices, groups and dilated means as windows that the device has."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from math import prod

from xdsl.dialects.builtin import BoolAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.values import f32_constant, f32_op, is_f32, replace

SPATIAL = {2, 3}


def avg_pool(x: SSAValue, kernel: tuple[int, int]) -> ax.AvgPoolOp:
    """The mean of windows that do not overlap; there are no pads, so none is counted."""
    return base.build(
        ax.AvgPoolOp,
        [x, []],
        {
            "kernel": base.ints(kernel),
            "strides": base.ints((1, 1)),
            "pads": base.ints((0, 0, 0, 0)),
            "dilations": base.ints((1, 1)),
            "count_include_pad": BoolAttr.from_bool(False),
        },
    )


def max_pool(x: SSAValue, kernel: tuple[int, ...]) -> ax.MaxPoolOp:
    """The greatest value of windows without pads."""
    window: dict[str, Attribute] = {
        "kernel": base.ints(kernel),
        "strides": base.ints((1, 1)),
        "pads": base.ints((0, 0, 0, 0)),
        "dilations": base.ints((1, 1)),
    }
    return base.build(ax.MaxPoolOp, [x], window)


def _is_image(value: SSAValue) -> bool:
    """Whether a tensor is binary32 [1, C, H, W], what the device works on."""
    shape = base.shape_of(value)
    return is_f32(value) and len(shape) == 4 and shape[0] == 1


class StridedSlice(RewritePattern):
    """slice of every n-th row and column -> slice of all of them, max_pool with a window of one pixel and strides n

    A window of one pixel moves stored bytes, as a slice does.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.SliceOp, rewriter: PatternRewriter):
        starts, ends, steps = (base.ints_of(part) for part in (op.starts, op.ends, op.steps))
        if not _is_image(op.input) or steps[2:] == (1, 1):
            return
        kept = base.shape_of(op.result)[2:]
        spans = [start + (count - 1) * step + 1 for start, count, step in zip(starts[2:], kept, steps[2:], strict=True)]
        bounds: dict[str, Attribute] = {
            "starts": base.ints(starts),
            "ends": base.ints((*ends[:2], *spans)),
            "steps": base.ints((*steps[:2], 1, 1)),
        }
        window: dict[str, Attribute] = {
            "kernel": base.ints((1, 1)),
            "strides": base.ints(steps[2:]),
            "pads": base.ints((0, 0, 0, 0)),
            "dilations": base.ints((1, 1)),
        }
        whole = base.build(ax.SliceOp, [op.input], bounds)
        replace(rewriter, op, [whole, base.build(ax.MaxPoolOp, [whole.result], window)])


@dataclass(frozen=True)
class ReduceToMean(RewritePattern):
    """Sums, and means over channels, of [1, C, H, W] -> mean over height and width, conv 1x1 over channels

    A sum is a mean times the number of its elements, which the convolution's weights hold: depthwise ones where the
    channels stay.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReduceOp, rewriter: PatternRewriter):
        import numpy as np

        shape, axes, kind = base.shape_of(op.input), base.ints_of(op.axes), op.kind.data
        over_channels = 1 in axes
        if not _is_image(op.input) or not axes or kind not in (ax.ReduceKind.MEAN, ax.ReduceKind.SUM):
            return
        if kind == ax.ReduceKind.MEAN and not over_channels:
            return  # `global-to-window-pool` takes it as it stands
        x: SSAValue = op.input
        new: list[Operation] = []
        spatial = tuple(axis for axis in axes if axis in SPATIAL)
        if spatial:
            properties: dict[str, Attribute] = {
                "kind": ax.ReduceKindAttr(ax.ReduceKind.MEAN),
                "axes": base.ints(spatial),
                "keepdims": BoolAttr.from_bool(True),
            }
            mean = base.build(ax.ReduceOp, [x], properties)
            x = mean.result
            new.append(mean)
        factor = prod(shape[axis] for axis in spatial) if kind == ax.ReduceKind.SUM else 1 / shape[1]
        weight_shape = (1, shape[1], 1, 1) if over_channels else (shape[1], 1, 1, 1)
        weight = f32_op(np.full(weight_shape, factor), self.store)
        conv = base.build(ax.ConvOp, [x, weight, None, []], _window(1 if over_channels else shape[1]))
        new += [weight, conv]
        if not op.keepdims.value.data:
            dropped: dict[str, Attribute] = {"shape": base.ints(base.shape_of(op.result))}
            new.append(base.build(ax.ReshapeOp, [conv.result], dropped))
        replace(rewriter, op, new)


@dataclass(frozen=True)
class MinimumToMaximum(RewritePattern):
    """The minimum over height and width of [1, C, H, W] -> -max(-x)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReduceOp, rewriter: PatternRewriter):
        import numpy as np

        axes = set(base.ints_of(op.axes))
        if op.kind.data != ax.ReduceKind.MIN or not _is_image(op.input) or not axes or not axes <= SPATIAL:
            return
        minus_one = f32_op(np.asarray(-1.0), self.store)
        negative = base.build(ax.MulOp, [op.input, minus_one])
        kept: dict[str, Attribute] = {"keepdims": BoolAttr.from_bool(True)}
        properties = op.properties | {"kind": ax.ReduceKindAttr(ax.ReduceKind.MAX)} | kept
        greatest = base.build(ax.ReduceOp, [negative], properties)
        new: list[Operation] = [minus_one, negative, greatest, base.build(ax.MulOp, [greatest, minus_one])]
        if not op.keepdims.value.data:
            new.append(base.build(ax.ReshapeOp, [new[-1]], {"shape": base.ints(base.shape_of(op.result))}))
        replace(rewriter, op, new)


@dataclass(frozen=True)
class MaximumOverChannels(RewritePattern):
    """The maximum over channels of [1, C, H, W] -> transpose, max_pool of [C, 1] over what were channels, transpose

    Over height and width as well, first over these. Only operators `inside` are looked at.
    """

    inside: Container[Operation]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReduceOp, rewriter: PatternRewriter):
        shape, axes = base.shape_of(op.input), base.ints_of(op.axes)
        if op not in self.inside or not _is_image(op.input) or op.kind.data != ax.ReduceKind.MAX or 1 not in axes:
            return
        x: SSAValue = op.input
        new: list[Operation] = []
        if len(axes) > 1:
            new.append(max_pool(x, tuple(shape[axis] if axis in axes else 1 for axis in sorted(SPATIAL))))
            x = new[0].results[0]
        rows: dict[str, Attribute] = {"perm": base.ints((0, 2, 1, 3))}
        turned = base.build(ax.TransposeOp, [x], rows)
        pool = max_pool(turned.result, (shape[1], 1))
        new += [turned, pool, base.build(ax.TransposeOp, [pool], rows)]
        if not op.keepdims.value.data:
            new.append(base.build(ax.ReshapeOp, [new[-1]], {"shape": base.ints(base.shape_of(op.result))}))
        replace(rewriter, op, new)


@dataclass(frozen=True)
class GroupedTranspose(RewritePattern):
    """conv_transpose of several groups that is not depthwise -> one group, with weights of 0 between the groups"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ConvTransposeOp, rewriter: PatternRewriter):
        import numpy as np

        group, weight = op.group.value.data, f32_constant(op.weight, self.store)
        if group == 1 or weight is None or not _is_image(op.input):
            return
        channels, outputs = weight.shape[:2]
        if group == channels and outputs == 1:
            return
        dense = np.zeros((channels, group * outputs, *weight.shape[2:]), np.float32)
        for index in range(group):
            inputs = slice(index * channels // group, (index + 1) * channels // group)
            dense[inputs, index * outputs : (index + 1) * outputs] = weight[inputs]
        constant = f32_op(dense, self.store)
        properties = op.properties | {"group": base.integer(1)}
        properties.pop("operandSegmentSizes", None)
        operands = [op.input, constant.result, op.bias, list(op.extras)]
        replace(rewriter, op, [constant, base.build(ax.ConvTransposeOp, operands, properties)])


@dataclass(frozen=True)
class DilatedMean(RewritePattern):
    """avg_pool with dilations, every window over as many taps -> depthwise conv with equal weights"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.AvgPoolOp, rewriter: PatternRewriter):
        import numpy as np

        dilations, pads, kernel = (base.ints_of(part) for part in (op.dilations, op.pads, op.kernel))
        if set(dilations) == {1} or not _is_image(op.input) or op.epilogue.data:
            return
        if any(pads) and not op.count_include_pad.value.data:
            return
        channels = base.shape_of(op.input)[1]
        weight = f32_op(np.full((channels, 1, *kernel), 1 / prod(kernel)), self.store)
        window = _window(channels) | {"strides": op.strides, "pads": op.pads, "dilations": op.dilations}
        replace(rewriter, op, [weight, base.build(ax.ConvOp, [op.input, weight, None, []], window)])


def _window(group: int) -> dict[str, Attribute]:
    """The window of a convolution of 1x1."""
    return {
        "strides": base.ints((1, 1)),
        "pads": base.ints((0, 0, 0, 0)),
        "dilations": base.ints((1, 1)),
        "group": base.integer(group),
    }


def patterns(store: WeightStore) -> tuple[RewritePattern, ...]:
    return StridedSlice(), ReduceToMean(store), MinimumToMaximum(store), GroupedTranspose(store), DilatedMean(store)
