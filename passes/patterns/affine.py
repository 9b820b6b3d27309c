"""Scales and shifts per channel: folded into convolutions, else made depthwise convolutions.

Every pattern here speaks of y = x * s + t with one s and one t a channel, written as a mul and an add of constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.values import channel_vector, f32_constant, f32_op, is_constant, is_f32, replace

if TYPE_CHECKING:
    from axir.passes.patterns.values import F32

Convolution = ax.ConvOp | ax.ConvTransposeOp


def conv(
    x: SSAValue,
    weight: SSAValue | Operation,
    bias: SSAValue | Operation | None,
    *,
    pads: tuple[int, ...] = (0, 0, 0, 0),
    group: int = 1,
) -> ax.ConvOp:
    """A convolution with strides and dilations of 1."""
    ones = base.ints((1, 1))
    return base.build(
        ax.ConvOp,
        [x, weight, bias, []],
        {"strides": ones, "pads": base.ints(pads), "dilations": ones, "group": base.integer(group)},
    )


def with_operands(
    op: Convolution, x: SSAValue, weight: SSAValue | Operation, bias: SSAValue | Operation | None
) -> Convolution:
    """The same convolution of other operands. `op` has no epilogue."""
    properties = {name: value for name, value in op.properties.items() if name != "operandSegmentSizes"}
    return base.build(type(op), [x, weight, bias, []], properties)


@dataclass(frozen=True)
class BatchNormToAffine(RewritePattern):
    """batch_norm(x) -> x * s + t with s = scale / sqrt(variance + epsilon) and t = bias - mean * s

    https://onnx.ai/onnx/operators/onnx__BatchNormalization.html; computed in binary64, s and t rounded once.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.BatchNormOp, rewriter: PatternRewriter):
        import numpy as np

        parameters = [f32_constant(value, self.store) for value in (op.scale, op.bias, op.mean, op.variance)]
        if not is_f32(op.input) or any(array is None for array in parameters):
            return
        scale, bias, mean, variance = (cast("F32", array).astype(np.float64) for array in parameters)
        factor = scale / np.sqrt(variance + op.epsilon.value.data)
        shape = (1, -1, *(1 for _ in base.shape_of(op.input)[2:]))
        s, t = (f32_op(array.reshape(shape), self.store) for array in (factor, bias - mean * factor))
        scaled = base.build(ax.MulOp, [op.input, s])
        replace(rewriter, op, [s, scaled, t, base.build(ax.AddOp, [scaled, t])])


@dataclass(frozen=True)
class FoldIntoProducer(RewritePattern):
    """conv(x) * s -> conv(x) with weights and bias times s; conv(x) + t -> conv(x) with bias plus t

    Also of a transposed convolution. Only where nothing else uses the convolution's result.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp | ax.AddOp, rewriter: PatternRewriter):
        import numpy as np

        inner = op.a.owner
        if not isinstance(inner, ax.ConvOp | ax.ConvTransposeOp) or not inner.result.has_one_use():
            return
        vector = channel_vector(op.b, base.shape_of(inner.result), self.store)
        weight, bias = f32_constant(inner.weight, self.store), f32_constant(inner.bias, self.store)
        if vector is None or inner.epilogue.data or op.result.type != inner.result.type:
            return
        if (inner.bias is not None and bias is None) or (isinstance(op, ax.MulOp) and weight is None):
            return
        old = np.zeros(vector.shape, np.float64) if bias is None else bias.astype(np.float64)
        if isinstance(op, ax.AddOp):
            new_bias = f32_op(old + vector, self.store)
            new = [new_bias, with_operands(inner, inner.input, inner.weight, new_bias)]
        else:
            scaled = f32_op(scale_outputs(inner, cast("F32", weight), vector), self.store)
            new_bias = None if bias is None else f32_op(old * vector, self.store)
            folded = with_operands(inner, inner.input, scaled, new_bias)
            new = [scaled, folded] if new_bias is None else [scaled, new_bias, folded]
        replace(rewriter, op, new, inner, op)


def scale_outputs(op: Convolution, weight: F32, factor: F32) -> F32:
    """The weight with output channel c multiplied by factor[c]."""
    if isinstance(op, ax.ConvOp):
        return weight * factor.reshape(-1, 1, 1, 1)
    group = op.group.value.data
    grouped = weight.reshape(group, -1, *weight.shape[1:])
    return (grouped * factor.reshape(group, 1, -1, 1, 1)).reshape(weight.shape)


@dataclass(frozen=True)
class FoldIntoConsumer(RewritePattern):
    """conv(x * s) -> conv(x) with weights times s; conv(x + t) -> conv(x) with bias plus the response to t

    The shift only without padding: a padded position is 0, not t. Only where nothing else uses x * s or x + t.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp | ax.AddOp, rewriter: PatternRewriter):
        import numpy as np

        outer = op.result.get_user_of_unique_use()
        if not isinstance(outer, ax.ConvOp) or outer.input is not op.result or outer.input.type != op.a.type:
            return
        vector = channel_vector(op.b, base.shape_of(op.result), self.store)
        weight, bias = f32_constant(outer.weight, self.store), f32_constant(outer.bias, self.store)
        if vector is None or weight is None or outer.epilogue.data:
            return
        group = outer.group.value.data
        grouped = weight.reshape(group, -1, *weight.shape[1:])
        inputs = vector.reshape(group, 1, -1, 1, 1)
        if isinstance(op, ax.MulOp):
            scaled = f32_op((grouped * inputs).reshape(weight.shape), self.store)
            new = [scaled, with_operands(outer, op.a, scaled, outer.bias)]
        else:
            if any(base.ints_of(outer.pads)) or (outer.bias is not None and bias is None):
                return
            response = np.sum(grouped.astype(np.float64) * inputs, axis=(2, 3, 4)).reshape(-1)
            new_bias = f32_op(response if bias is None else response + bias, self.store)
            new = [new_bias, with_operands(outer, op.a, outer.weight, new_bias)]
        replace(rewriter, outer, new, outer, op)


@dataclass(frozen=True)
class ScaleAndShiftToDepthwise(RewritePattern):
    """x * s + t on NCHW -> depthwise convolution with a kernel of 1x1, where nothing else uses x * s"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp, rewriter: PatternRewriter):
        shape = base.shape_of(op.result)
        outer = op.result.get_user_of_unique_use()
        if not isinstance(outer, ax.AddOp) or outer.a is not op.result or len(shape) != 4:
            return
        scale, shift = (channel_vector(constant, shape, self.store) for constant in (op.b, outer.b))
        if scale is None or shift is None or not op.a.type == op.result.type == outer.result.type:
            return
        factor, bias = f32_op(scale.reshape(-1, 1, 1, 1), self.store), f32_op(shift, self.store)
        replace(rewriter, outer, [factor, bias, conv(op.a, factor, bias, group=shape[1])], op, outer)


@dataclass(frozen=True)
class AffineToDepthwise(RewritePattern):
    """x * s or x + t on NCHW -> depthwise convolution with a kernel of 1x1"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp | ax.AddOp, rewriter: PatternRewriter):
        import numpy as np

        shape = base.shape_of(op.result)
        vector = channel_vector(op.b, shape, self.store)
        if vector is None or len(shape) != 4 or op.a.type != op.result.type:
            return
        scaling = isinstance(op, ax.MulOp)
        factor = f32_op((vector if scaling else np.ones_like(vector)).reshape(-1, 1, 1, 1), self.store)
        bias = None if scaling else f32_op(vector, self.store)
        new = conv(op.a, factor, bias, group=shape[1])
        replace(rewriter, op, [factor, new] if bias is None else [factor, bias, new])


@dataclass(frozen=True)
class SubtractionToAdd(RewritePattern):
    """sub(a, b) of two activations on NCHW -> add(a, mul(b, -1)), where a convolution takes both

    That of b, which gives its weights the sign, or else a depthwise one for mul(b, -1). Not where what computes a can
    take the difference, nor where b broadcasts, and its convolution could not take the sum.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.SubOp, rewriter: PatternRewriter):
        import numpy as np

        if not is_f32(op.result) or len(base.shape_of(op.b)) != 4 or is_constant(op.b):
            return
        own = isinstance(op.b.owner, Convolution) and op.b.has_one_use()
        takes = isinstance(op.a.owner, ax.EpilogueOp) and op.a.has_one_use() and op.a.type == op.result.type
        if not own and (takes or op.b.type != op.result.type):
            return
        minus_one = f32_op(np.asarray(-1.0), self.store)
        negative = base.build(ax.MulOp, [op.b, minus_one])
        replace(rewriter, op, [minus_one, negative, base.build(ax.AddOp, [op.a, negative])])
