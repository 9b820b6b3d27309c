"""`dense-to-conv`: products of a vector and a constant matrix become convolutions.

A dense layer is a convolution of 1x1 on a tensor [1, K, 1, 1]. Where that tensor is [1, C, H, W] in another order of
its elements, it is a convolution whose kernel is the whole input, so that nothing has to be moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.context import AxContext
from axir.ir.store import WeightStore
from axir.passes.canonicalize_graph import canonicalize
from axir.passes.patterns import affine
from axir.passes.patterns.channels import source_of
from axir.passes.patterns.values import constant_op, f32_constant, f32_op, producer, replace

if TYPE_CHECKING:
    from axir.passes.patterns.values import F32


def reshape(x: SSAValue, shape: tuple[int, ...]) -> ax.ReshapeOp:
    return base.build(ax.ReshapeOp, [x], {"shape": base.ints(shape)})


@dataclass(frozen=True)
class DenseLayer(RewritePattern):
    """gemm(a, B, c) or matmul(a, B) with one row in a and constant B and c -> reshape, conv 1x1, reshape"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.GemmOp | ax.MatMulOp, rewriter: PatternRewriter):
        import numpy as np

        matrix = f32_constant(op.b, self.store)
        if matrix is None or prod(matrix.shape[:-2]) != 1 or isinstance(op.a.owner, ax.ConstantOp):
            return
        matrix = matrix.reshape(matrix.shape[-2:])
        bias: F32 | None = None
        if isinstance(op, ax.GemmOp):
            c = f32_constant(op.c, self.store)
            if op.c is not None and c is None:
                return
            matrix = (matrix if op.trans_b.value.data else matrix.T) * np.float32(op.alpha.value.data)
            bias = None if c is None else c * np.float32(op.beta.value.data)
        else:
            matrix = matrix.T
        outputs, inputs = len(matrix), matrix.size // len(matrix)
        if prod(base.shape_of(op.a)) != inputs:
            return
        flat = reshape(op.a, (1, inputs, 1, 1))
        weight = f32_op(matrix.reshape(outputs, inputs, 1, 1), self.store)
        biases = [] if bias is None else [f32_op(np.broadcast_to(bias, (1, outputs)).reshape(-1), self.store)]
        conv = affine.conv(flat.result, weight, biases[0] if biases else None)
        conv.location = op.location
        replace(rewriter, op, [flat, weight, *biases, conv, reshape(conv.result, base.shape_of(op.result))])


@dataclass(frozen=True)
class WholeWindow(RewritePattern):
    """conv 1x1 of [1, C, H, W] reshaped and transposed to [1, K, 1, 1] -> conv of [1, C, H, W] with a kernel of HxW

    The weights follow the elements: the same reshapes and transposes are applied to the elements' numbers.
    """

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ConvOp, rewriter: PatternRewriter):
        shape = base.shape_of(op.input)
        weight = f32_constant(op.weight, self.store)
        if weight is None or weight.shape[2:] != (1, 1) or op.group.value.data != 1 or op.epilogue.data:
            return
        if not is_channels(shape) or any(base.ints_of(op.pads)):
            return
        source, order = source_of(op.input)
        if source is op.input:
            return
        whole = base.shape_of(source)[1:]
        permuted = weight.reshape(len(weight), -1).copy()
        permuted[:, order] = weight.reshape(len(weight), -1)
        new_weight = f32_op(permuted.reshape(-1, *whole), self.store)
        replace(rewriter, op, [new_weight, affine.conv(source, new_weight, op.bias)])


ELEMENTWISE = (
    ax.ReluOp, ax.SigmoidOp, ax.TanhOp, ax.SiluOp, ax.HardSwishOp, ax.TableOp, ax.HardSigmoidOp, ax.LeakyReluOp,
    ax.ClipOp, ax.PReluOp, ax.AddOp, ax.SubOp, ax.MulOp, ax.DivOp,
)  # fmt: skip


def channels(value: SSAValue) -> SSAValue | None:
    """The tensor [1, C, 1, 1] that `value` is a reshape of; None for another value."""
    op = producer(value, ax.ReshapeOp)
    return op.input if op is not None and is_channels(base.shape_of(op.input)) else None


def is_channels(shape: tuple[int, ...]) -> bool:
    return shape == (1, prod(shape), 1, 1)


def constant_channels(value: SSAValue, shape: tuple[int, ...], store: WeightStore) -> ax.ConstantOp | None:
    """A constant broadcast to `shape` and reshaped to [1, C, 1, 1]; None for another value."""
    import numpy as np

    array = f32_constant(value, store)
    return None if array is None else constant_op(np.broadcast_to(array, shape).reshape(1, -1, 1, 1), store)


@dataclass(frozen=True)
class ElementwiseOnChannels(RewritePattern):
    """f(reshape(x)) with x of [1, C, 1, 1] -> reshape(f(x)), so that dense layers meet without reshapes between them

    Of two operands, the other is a reshape of the same kind, or a constant.
    """

    store: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter):
        if not isinstance(op, ELEMENTWISE) or is_channels(base.shape_of(op.result)):
            return
        operands: list[SSAValue] = []
        new: list[Operation] = []
        reshapes: list[Operation] = []
        for value in op.operands:
            moved = channels(value) if value.type == op.result.type else None
            if moved is not None and isinstance(value.owner, Operation):
                reshapes.append(value.owner)
            if moved is None:
                broadcast = constant_channels(value, base.shape_of(op.result), self.store)
                if broadcast is None:
                    return
                new.append(broadcast)
                moved = broadcast.result
            operands.append(moved)
        if len(new) < len(operands):
            result = base.build(type(op), operands, dict(op.properties))
            result.location = op.location
            replace(rewriter, op, [*new, result, reshape(result.result, base.shape_of(op.result))], *reshapes)


class ConcatOfChannels(RewritePattern):
    """concat(reshape(x), reshape(y)) with x, y of [1, C, 1, 1], along the only axis longer than 1 -> reshape(concat)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ConcatOp, rewriter: PatternRewriter):
        shape = base.shape_of(op.result)
        if is_channels(shape) or prod(shape) != shape[op.axis.value.data]:
            return
        inputs = [value for value in map(channels, op.inputs) if value is not None]
        if len(inputs) == len(op.inputs):
            concat = base.build(ax.ConcatOp, [inputs], {"axis": base.integer(1)})
            concat.location = op.location
            replace(rewriter, op, [concat, reshape(concat.result, shape)])


@dataclass(frozen=True)
class AffineBeforeDense(RewritePattern):
    """reshape(x * s) and reshape(x + t) to [1, C, 1, 1] -> reshape(x) * s and reshape(x) + t, which a conv absorbs"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.ReshapeOp, rewriter: PatternRewriter):
        inner = op.input.owner
        if not isinstance(inner, ax.MulOp | ax.AddOp) or not op.input.has_one_use() or inner.a.type != op.input.type:
            return
        if not is_channels(base.shape_of(op.result)):
            return
        factors = constant_channels(inner.b, base.shape_of(op.input), self.store)
        if factors is not None:
            moved = reshape(inner.a, base.shape_of(op.result))
            replace(rewriter, op, [moved, factors, base.build(type(inner), [moved, factors])], inner, op)


@dataclass(frozen=True)
class DenseToConv(ModulePass):
    """Makes dense layers convolutions, and leaves the canonical form of `canonicalize-graph`.

    Without `rewrite_dense_to_conv2d` it does nothing; the other options are those of `canonicalize-graph`.
    """

    name = "dense-to-conv"
    rewrite_dense_to_conv2d: bool = True
    apply_arithmetic_simplification: bool = True
    simplify_mac_before_after_lut: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not self.rewrite_dense_to_conv2d:
            return
        store = AxContext.of(ctx).store
        canonicalize(
            op,
            store,
            DenseLayer(store),
            WholeWindow(store),
            ElementwiseOnChannels(store),
            ConcatOfChannels(),
            AffineBeforeDense(store),
            merge=self.apply_arithmetic_simplification,
            fold_tables=self.simplify_mac_before_after_lut,
        )
