"""Layer, instance and group normalization that exporters spell out, and what a normalization absorbs."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.patterns.activations import shift
from axir.passes.patterns.spelled_out import function_op
from axir.passes.patterns.values import constant_op, f32_constant, is_f32, producer, replace, scalar

if TYPE_CHECKING:
    from axir.passes.patterns.values import F32


def normalize(
    x: SSAValue, scale: SSAValue | None, bias: SSAValue | None, axes: tuple[int, ...], epsilon: float
) -> ax.NormalizeOp:
    return base.build(ax.NormalizeOp, [x, scale, bias], {"axes": base.ints(axes), "epsilon": base.float_(epsilon)})


def mean_of(value: SSAValue) -> tuple[SSAValue, tuple[int, ...]] | None:
    """(x, axes) when `value` is the mean of x over axes that are kept."""
    op = value.owner
    match op:
        case ax.ReduceOp() if op.kind.data == ax.ReduceKind.MEAN and op.keepdims.value.data:
            return op.input, tuple(sorted(base.ints_of(op.axes)))
        case ax.GlobalAvgPoolOp():
            return op.input, tuple(range(2, len(base.shape_of(op.input))))
        case _:
            return None


def centred(value: SSAValue) -> tuple[SSAValue, tuple[int, ...]] | None:
    """(x, axes) when `value` is x - mean(x)."""
    op = producer(value, ax.SubOp)
    mean = None if op is None else mean_of(op.b)
    return mean if op is not None and mean is not None and mean[0] is op.a else None


@dataclass(frozen=True)
class NormalizeOfQuotient(RewritePattern):
    """(x - mean) / sqrt(variance + epsilon) -> normalize(x), as a quotient or times a reciprocal"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.DivOp | ax.MulOp, rewriter: PatternRewriter):
        pairs = ((op.a, op.b),) if isinstance(op, ax.DivOp) else ((op.a, op.b), (op.b, op.a))
        for numerator, other in pairs:
            parts = centred(numerator)
            inner = None if parts is None else self.variance_and_epsilon(other, isinstance(op, ax.MulOp))
            if parts is None or inner is None or not self.is_variance(inner[0], *parts):
                continue
            if inner[1] >= 0.0 and parts[0].type == op.result.type and is_f32(op.result):
                replace(rewriter, op, [normalize(parts[0], None, None, parts[1], inner[1])])
                return

    def variance_and_epsilon(self, value: SSAValue, inverse: bool) -> tuple[SSAValue, float] | None:
        """(v, e) when `value` is sqrt(v + e), or its inverse."""
        if inverse:
            power, reciprocal = function_op(value, "pow"), function_op(value, "reciprocal")
            if power is not None and power.function.data.parameters == (-0.5,):
                return shift(power.input, self.store)
            if reciprocal is None:
                quotient = producer(value, ax.DivOp)
                if quotient is None or scalar(quotient.a, self.store) != 1.0:
                    return None
                value = quotient.b
            else:
                value = reciprocal.input
        root = function_op(value, "sqrt")
        return None if root is None else shift(root.input, self.store)

    def is_variance(self, value: SSAValue, x: SSAValue, axes: tuple[int, ...]) -> bool:
        """Whether `value` is the mean of (x - mean(x)) ** 2."""
        mean = mean_of(value)
        square = None if mean is None else producer(mean[0], ax.MulOp)
        if mean is None or mean[1] != axes or square is None:
            return False
        return centred(square.a) == centred(square.b) == (x, axes)


@dataclass(frozen=True)
class NeutralParameters(RewritePattern):
    """normalize(x) * 1 + 0 -> normalize(x)"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.NormalizeOp, rewriter: PatternRewriter):
        scale = None if op.scale is None or scalar(op.scale, self.store) == 1.0 else op.scale
        bias = None if op.bias is None or scalar(op.bias, self.store) == 0.0 else op.bias
        if (scale, bias) != (op.scale, op.bias):
            new = normalize(op.input, scale, bias, base.ints_of(op.axes), op.epsilon.value.data)
            replace(rewriter, op, [new])


@dataclass(frozen=True)
class AffineIntoNormalize(RewritePattern):
    """normalize(x) * s -> normalize(x) with the scale s; normalize(x) + t -> normalize(x) with the bias t

    Where it has none yet, and nothing else uses it; also through a reshape, where s and t can follow it.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp | ax.AddOp, rewriter: PatternRewriter):
        reshape = producer(op.a, ax.ReshapeOp)
        value = op.a if reshape is None else reshape.input
        inner, array = producer(value, ax.NormalizeOp), f32_constant(op.b, self.store)
        if inner is None or array is None or op.a.type != op.result.type or not op.a.has_one_use():
            return
        taken = inner.bias is not None or (isinstance(op, ax.MulOp) and inner.scale is not None)
        if taken or not inner.result.has_one_use():
            return
        parameter = array if reshape is None else reshaped(array, base.shape_of(op.a), base.shape_of(value))
        if parameter is None:
            return
        constant = constant_op(parameter, self.store)
        scale, bias = (constant.result, None) if isinstance(op, ax.MulOp) else (inner.scale, constant.result)
        new = normalize(inner.input, scale, bias, base.ints_of(inner.axes), inner.epsilon.value.data)
        if reshape is None:
            replace(rewriter, op, [constant, new], inner, op)
            return
        new.location = inner.location
        back = base.build(ax.ReshapeOp, [new], {"shape": reshape.shape})
        replace(rewriter, op, [constant, new, back], op)


def reshaped(array: F32, shape: tuple[int, ...], target: tuple[int, ...]) -> F32 | None:
    """A constant that broadcasts to `shape`, for a tensor of `shape` in the shape `target`: of one value a channel.

    Axis 1 of `shape` is split in two, axes 1 and 2 of `target`; None for anything else.
    """
    padded = (1,) * (len(shape) - array.ndim) + array.shape
    if len(shape) < 3 or len(target) < 3 or prod(target[1:3]) != shape[1] or target[0] != shape[0]:
        return None
    if array.size == 1:
        return array.reshape(())
    if padded != (1, shape[1], *(1 for _ in shape[2:])):
        return None
    return array.reshape(1, *target[1:3], *(1 for _ in target[3:]))


class NormalizeOfGroups(RewritePattern):
    """reshape(normalize(reshape(x))) over [N, groups, all else] -> the same over [N, groups, C / groups, H, W]

    So that scales and shifts of channels can follow. The normalization has no parameters yet.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReshapeOp, rewriter: PatternRewriter):
        inner = producer(op.input, ax.NormalizeOp)
        first = None if inner is None else producer(inner.input, ax.ReshapeOp)
        if inner is None or first is None or first.input.type != op.result.type or not op.input.has_one_use():
            return
        shape, grouped = base.shape_of(first.input), base.shape_of(inner.input)
        rank, own_rank = len(grouped), len(shape)
        whole = rank >= 3 and own_rank >= 3 and base.ints_of(inner.axes) == tuple(range(2, rank))
        if not whole or grouped[0] != shape[0] or shape[1] % grouped[1]:
            return
        target = (*grouped[:2], shape[1] // grouped[1], *shape[2:])
        if grouped == target or inner.scale is not None or inner.bias is not None:
            return
        before = base.build(ax.ReshapeOp, [first.input], {"shape": base.ints(target)})
        axes = tuple(range(2, len(target)))
        new = normalize(before.result, None, None, axes, inner.epsilon.value.data)
        before.location, new.location = first.location, inner.location
        replace(rewriter, op, [before, new, base.build(ax.ReshapeOp, [new], {"shape": op.shape})])


class NormalizeAcrossTranspose(RewritePattern):
    """transpose(normalize(transpose(x))) back to the order of x -> normalize(x) over the axes where they are"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.TransposeOp, rewriter: PatternRewriter):
        inner = producer(op.input, ax.NormalizeOp)
        first = None if inner is None else producer(inner.input, ax.TransposeOp)
        if inner is None or first is None or not op.input.has_one_use():
            return
        there, back = base.ints_of(first.perm), base.ints_of(op.perm)
        if [there[axis] for axis in back] != list(range(len(there))):
            return
        new_ops: list[ax.ReshapeOp | ax.TransposeOp] = []

        def moved(value: SSAValue | None) -> SSAValue | None:
            if value is None:
                return None
            shape = base.shape_of(value)
            full = base.build(ax.ReshapeOp, [value], {"shape": base.ints((1,) * (len(there) - len(shape)) + shape)})
            turned = base.build(ax.TransposeOp, [full], {"perm": op.perm})
            new_ops.extend((full, turned))
            return turned.result

        scale, bias = moved(inner.scale), moved(inner.bias)
        axes = tuple(sorted(there[axis] for axis in base.ints_of(inner.axes)))
        new = normalize(first.input, scale, bias, axes, inner.epsilon.value.data)
        replace(rewriter, op, [*new_ops, new], inner)


def patterns(store: WeightStore) -> tuple[RewritePattern, ...]:
    return (
        NormalizeOfQuotient(store),
        NeutralParameters(store),
        AffineIntoNormalize(store),
        NormalizeOfGroups(),
        NormalizeAcrossTranspose(),
    )
