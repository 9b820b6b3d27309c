"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import SSAValue

from axir.dialects import ax, base
from axir.frontends.onnx.convert import Converter, Node


def _gemm(node: Node) -> Sequence[SSAValue]:
    return [
        node.emit(
            ax.GemmOp,
            [node.operand(0), node.operand(1), node.optional_operand(2)],
            alpha=base.float_(node.real("alpha", 1.0)),
            beta=base.float_(node.real("beta", 1.0)),
            trans_a=IntegerAttr.from_bool(node.flag("transA", False)),
            trans_b=IntegerAttr.from_bool(node.flag("transB", False)),
        )
    ]


def _matmul(node: Node) -> Sequence[SSAValue]:
    """Vectors become matrices of one row or column, as in NumPy, and the axis goes again."""
    a, b = node.operand(0), node.operand(1)
    a_shape, b_shape = node.shape(0), node.shape(1)
    if len(a_shape) == 1:
        a = node.reshape(a, (1, *a_shape))
    if len(b_shape) == 1:
        b = node.reshape(b, (*b_shape, 1))
    product = node.emit(ax.MatMulOp, [a, b])
    shape = list(base.shape_of(product))
    if len(b_shape) == 1:
        del shape[-1]
    if len(a_shape) == 1:
        del shape[-1 if len(b_shape) == 1 else -2]
    return [node.reshape(product, shape)]


CONVERTERS: dict[str, Converter] = {
    "Gemm": Converter(_gemm, (ax.GemmOp,)),
    "MatMul": Converter(_matmul, (ax.MatMulOp, ax.ReshapeOp)),
}
