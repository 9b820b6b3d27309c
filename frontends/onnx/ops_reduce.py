"""Reductions: sums, means and extremes along axes, and norms, which are sums of something."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Operation, SSAValue

from axir.dialects import ax, base
from axir.frontends.onnx.convert import Converter, Node, normal_axes

AXES_INPUT_OPSET = 18
"""The axes are an input from this operator set on; of ReduceSum, from 13 on."""


def function(node: Node, value: SSAValue, name: str, *parameters: float) -> SSAValue:
    """An `ax.unary`."""
    return node.emit(ax.UnaryFunctionOp, [value], function=ax.FunctionAttr(ax.Function(name, parameters)))


def reduce(node: Node, kind: ax.ReduceKind, prepared: Callable[[], SSAValue]) -> SSAValue:
    """The reduction of `prepared()` that the node's axes and keepdims say."""
    rank = len(node.shape())
    as_input = node.opset >= (13 if node.proto.op_type == "ReduceSum" else AXES_INPUT_OPSET)
    axes = node.constant_integers(1) if as_input else node.integers("axes", None)
    if not axes:
        if as_input and node.flag("noop_with_empty_axes", False):
            return prepared()  # as ONNX Runtime does; what is done element by element stays
        axes = list(range(rank))
    axes = sorted(normal_axes(axes, rank))
    if not axes:  # a number has no axes
        return prepared()
    return node.emit(
        ax.ReduceOp,
        [prepared()],
        kind=ax.ReduceKindAttr(kind),
        axes=base.ints(axes),
        keepdims=IntegerAttr.from_bool(node.flag("keepdims", True)),
    )


def _plain(kind: ax.ReduceKind) -> Converter:
    def build(node: Node) -> Sequence[SSAValue]:
        return [reduce(node, kind, lambda: node.operand(0))]

    return Converter(build, (ax.ReduceOp,), constants=(1,))


def _square(node: Node) -> SSAValue:
    return node.emit(ax.MulOp, [node.operand(0), node.operand(0)])


def _sum_of(before: Callable[[Node], SSAValue], after: str | None, *made: type[Operation]) -> Converter:
    """The sum of something, and perhaps a function of it."""

    def build(node: Node) -> Sequence[SSAValue]:
        total = reduce(node, ax.ReduceKind.SUM, lambda: before(node))
        return [total if after is None else function(node, total, after)]

    return Converter(build, (*made, ax.ReduceOp), constants=(1,))


CONVERTERS: dict[str, Converter] = {
    "ReduceL1": _sum_of(lambda node: function(node, node.operand(0), "abs"), None, ax.UnaryFunctionOp),
    "ReduceL2": _sum_of(_square, "sqrt", ax.MulOp, ax.UnaryFunctionOp),
    "ReduceLogSum": _sum_of(lambda node: node.operand(0), "log", ax.UnaryFunctionOp),
    "ReduceMax": _plain(ax.ReduceKind.MAX),
    "ReduceMean": _plain(ax.ReduceKind.MEAN),
    "ReduceMin": _plain(ax.ReduceKind.MIN),
    "ReduceSum": _plain(ax.ReduceKind.SUM),
    "ReduceSumSquare": _sum_of(_square, None, ax.MulOp),
}
