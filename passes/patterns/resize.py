"""Nearest-neighbour enlargement by whole factors as a depthwise transposed convolution."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Attribute
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.passes.patterns.values import f32_op, is_constant, is_f32, replace


@dataclass(frozen=True)
class NearestResize(RewritePattern):
    """Resize or Upsample that repeats every pixel h x w times -> depthwise conv_transpose, kernel and strides [h, w]

    All weights are 1 and windows do not overlap, so that each result is one input, exactly.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.OnnxOp, rewriter: PatternRewriter):
        import numpy as np

        factors = enlargement(op)
        if factors is None or not self.repeats_pixels(op, factors):
            return
        x = op.arguments[0]
        channels = base.shape_of(x)[1]
        ones = f32_op(np.ones((channels, 1, *factors)), self.store)
        window: dict[str, Attribute] = {
            "strides": base.ints(factors),
            "pads": base.ints((0, 0, 0, 0)),
            "output_padding": base.ints((0, 0)),
            "dilations": base.ints((1, 1)),
            "group": base.integer(channels),
        }
        replace(rewriter, op, [ones, base.build(ax.ConvTransposeOp, [x, ones, None, []], window)])

    def repeats_pixels(self, op: ax.OnnxOp, factors: tuple[int, int]) -> bool:
        """Whether the node, with its roundings and coordinates, does so: it is run on the numbers of the pixels."""
        import numpy as np

        from axir.interp.ax import run_op

        shape = base.shape_of(op.arguments[0])
        pixels = np.arange(shape[2] * shape[3], dtype=np.float32).reshape(1, 1, *shape[2:])
        operands = [np.broadcast_to(pixels, shape)]
        for value in op.arguments[1:]:
            assert isinstance(value.owner, ax.ConstantOp)
            operands += run_op(value.owner, [], self.store)
        try:
            (result,) = run_op(op, operands, self.store)
        except AxirError:
            return False
        return np.array_equal(result[:, :1], pixels.repeat(factors[0], 2).repeat(factors[1], 3))


def enlargement(op: ax.OnnxOp) -> tuple[int, int] | None:
    """The whole factors by which a nearest Resize enlarges height and width; None for anything else."""
    mode = op.node_attributes.data.get("mode", StringAttr("nearest"))
    if op.kind.data not in ("Resize", "Upsample") or op.domain.data or mode != StringAttr("nearest"):
        return None
    if len(op.outputs) != 1 or not is_f32(op.outputs[0]) or not all(map(is_constant, op.arguments[1:])):
        return None
    before, after = base.shape_of(op.arguments[0]), base.shape_of(op.outputs[0])
    if len(before) != 4 or before[:2] != after[:2] or before == after:
        return None
    if after[2] % before[2] or after[3] % before[3] or before[2] * before[3] >= 1 << 24:
        return None
    return after[2] // before[2], after[3] // before[3]
