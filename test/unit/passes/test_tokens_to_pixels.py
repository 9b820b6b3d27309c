"""tokens-to-pixels: the rewritten graph computes the same, and products of tensors are left in one form only."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import ArrayAttr, BoolAttr, ModuleOp, StringAttr, TensorType, f32
from xdsl.ir import SSAValue

from axir.dialects import ax, base
from axir.interp.ax import run_graph
from axir.ir.constants import constant_attr
from axir.ir.context import make_context
from axir.ir.parsing import verify
from axir.passes.tokens_to_pixels import TokensToPixels


class Network:
    """Builds @main; `rng` fills constants."""

    def __init__(self, *shapes: tuple[int, ...], seed: int = 0):
        self.context = make_context()
        self.store = self.context.store
        self.rng = np.random.default_rng(seed)
        self.graph = ax.GraphOp("main", [(f"x{i}", TensorType(f32, shape)) for i, shape in enumerate(shapes)], [])
        self.inputs = list(self.graph.body.block.args)

    def add(self, op: Any, operands: list[Any], **properties: Any) -> SSAValue:
        made = base.build(op, operands, properties)
        self.graph.body.block.add_op(made)
        return made.result

    def constant(self, *shape: int) -> SSAValue:
        op = ax.ConstantOp(constant_attr(self.rng.normal(0, 0.5, shape).astype(np.float32), self.store))
        self.graph.body.block.add_op(op)
        return op.result

    def reshape(self, x: SSAValue, *shape: int) -> SSAValue:
        return self.add(ax.ReshapeOp, [x], shape=base.ints(shape))

    def transpose(self, x: SSAValue, *perm: int) -> SSAValue:
        return self.add(ax.TransposeOp, [x], perm=base.ints(perm))

    def part(self, x: SSAValue, axis: int, start: int, end: int, step: int = 1) -> SSAValue:
        shape = base.shape_of(x)
        starts, ends, steps = [0] * len(shape), list(shape), [1] * len(shape)
        starts[axis], ends[axis], steps[axis] = start, end, step
        return self.add(ax.SliceOp, [x], starts=base.ints(starts), ends=base.ints(ends), steps=base.ints(steps))

    def linear(self, x: SSAValue, outputs: int, *, bias: bool = True) -> SSAValue:
        y = self.add(ax.MatMulOp, [x, self.constant(base.shape_of(x)[-1], outputs)])
        return self.add(ax.AddOp, [y, self.constant(outputs)]) if bias else y

    def norm(self, x: SSAValue) -> SSAValue:
        shape = base.shape_of(x)
        axes = base.ints([len(shape) - 1])
        scales = [self.constant(shape[-1]), self.constant(shape[-1])]
        return self.add(ax.NormalizeOp, [x, *scales], axes=axes, epsilon=base.float_(1e-3))

    def softmax(self, x: SSAValue) -> SSAValue:
        return self.add(ax.SoftmaxOp, [x], axis=base.integer(len(base.shape_of(x)) - 1))

    def finish(self, *values: SSAValue) -> list[str]:
        """Run the pass; the operators that are left, if what the graph computes is the same as before."""
        self.graph.body.block.add_op(ax.ReturnOp(list(values)))
        self.graph.properties["outputs"] = ArrayAttr([StringAttr(f"y{i}") for i in range(len(values))])
        module = ModuleOp([self.graph])
        verify(module)
        feed = [self.rng.normal(0, 1, base.shape_of(x)).astype(np.float32) for x in self.inputs]
        expected = run_graph(self.graph, feed, self.store)
        TokensToPixels().apply(self.context, module)
        verify(module)
        (graph,) = module.body.block.ops
        assert isinstance(graph, ax.GraphOp)
        for want, got in zip(expected, run_graph(graph, feed, self.store), strict=True):
            np.testing.assert_allclose(got, want, rtol=2e-3, atol=2e-4 * max(1.0, float(np.abs(want).max())))
        kinds = [op for op in graph.body.block.ops if not isinstance(op, ax.ConstantOp | ax.ReturnOp)]
        return [op.name.removeprefix("ax.") for op in kinds]


def attend(n: Network, q: SSAValue, k: SSAValue, v: SSAValue) -> SSAValue:
    """Of [.., N, d] each."""
    rank = len(base.shape_of(k))
    turned = n.transpose(k, *range(rank - 2), rank - 1, rank - 2)
    scores = n.add(ax.MulOp, [n.add(ax.MatMulOp, [q, turned]), n.constant()])
    return n.add(ax.MatMulOp, [n.softmax(scores), v])


def test_vision_transformer_block() -> None:
    """As timm exports it: one projection to queries, keys and values, split by an axis of three."""
    n = Network((1, 6, 4, 5))
    (x,) = n.inputs
    tokens = n.transpose(n.reshape(x, 1, 6, 20), 0, 2, 1)
    tokens = n.add(ax.ConcatOp, [[n.constant(1, 1, 6), tokens]], axis=base.integer(1))
    tokens = n.add(ax.AddOp, [tokens, n.constant(1, 21, 6)])
    parts = n.transpose(n.reshape(n.linear(n.norm(tokens), 18), 1, 21, 3, 2, 3), 2, 0, 3, 1, 4)
    q, k, v = (n.reshape(n.part(parts, 0, i, i + 1), 1, 2, 21, 3) for i in range(3))
    mixed = n.reshape(n.transpose(attend(n, q, k, v), 0, 2, 1, 3), 1, 21, 6)
    tokens = n.add(ax.AddOp, [tokens, n.linear(mixed, 6)])
    hidden = n.add(ax.SiluOp, [n.linear(n.norm(tokens), 12)])
    tokens = n.norm(n.add(ax.AddOp, [n.linear(hidden, 6), tokens]))
    head = n.linear(n.reshape(n.part(tokens, 1, 0, 1), 1, 6), 10)
    kinds = n.finish(head)
    assert kinds.count("head_matmul") == 2
    assert kinds.count("conv") == 7  # queries, keys, values, output, two of the hidden layer, head
    assert "matmul" not in kinds
    assert "transpose" not in kinds


def test_heads_as_batch_of_rank_three() -> None:
    """As PyTorch's MultiheadAttention exports it: [N, 1, C] tokens, [heads, N, d] heads."""
    n = Network((1, 7, 8))
    (x,) = n.inputs
    tokens = n.transpose(n.norm(x), 1, 0, 2)
    both = n.reshape(n.linear(tokens, 24), 7, 1, 3, 8)
    parts = n.reshape(n.transpose(n.reshape(both, 1, 7, 1, 3, 8), 3, 1, 2, 0, 4), 3, 7, 1, 8)
    q, k, v = (n.transpose(n.reshape(n.part(parts, 0, i, i + 1), 7, 2, 4), 1, 0, 2) for i in range(3))
    mixed = n.reshape(n.transpose(attend(n, q, k, v), 1, 0, 2), 7, 8)
    y = n.transpose(n.reshape(n.linear(mixed, 8), 7, 1, 8), 1, 0, 2)
    kinds = n.finish(n.add(ax.AddOp, [x, y]))
    assert kinds.count("head_matmul") == 2
    assert kinds.count("conv") == 4
    assert "matmul" not in kinds


def test_attention_of_a_feature_map() -> None:
    """As YOLO11 has it: heads of channels, values as a feature map again, products with the second transposed."""
    n = Network((1, 16, 3, 4))
    (x,) = n.inputs
    ones = base.ints((1, 1))
    window = {"strides": ones, "pads": base.ints((0, 0, 0, 0)), "dilations": ones, "group": base.integer(1)}
    both = n.add(ax.ConvOp, [x, n.constant(32, 16, 1, 1), n.constant(32), []], **window)
    heads = n.reshape(both, 1, 2, 16, 12)
    q, k, v = n.part(heads, 2, 0, 4), n.part(heads, 2, 4, 8), n.part(heads, 2, 8, 16)
    scores = n.add(ax.MatMulOp, [n.transpose(n.add(ax.MulOp, [q, n.constant()]), 0, 1, 3, 2), k])
    mixed = n.add(ax.MatMulOp, [v, n.transpose(n.softmax(scores), 0, 1, 3, 2)])
    y = n.add(ax.AddOp, [n.reshape(mixed, 1, 16, 3, 4), n.reshape(v, 1, 16, 3, 4)])
    kinds = n.finish(y)
    assert sorted(kinds) == ["add", "conv", "conv", "conv", "head_matmul", "head_matmul", "softmax"]


def test_two_sequences_and_one_head() -> None:
    """Queries of one tensor, keys and values of another of other length."""
    n = Network((1, 5, 8), (1, 9, 8))
    a, b = n.inputs
    q, k, v = n.linear(a, 6), n.linear(b, 6, bias=False), n.linear(b, 4)
    kinds = n.finish(attend(n, q, k, v))
    assert kinds.count("head_matmul") == 2
    assert "matmul" not in kinds


def test_mean_of_tokens() -> None:
    n = Network((1, 6, 2, 3))
    tokens = n.norm(n.transpose(n.reshape(n.inputs[0], 1, 6, 6), 0, 2, 1))
    mean = n.add(
        ax.ReduceOp, [tokens], kind=ax.ReduceKindAttr(ax.ReduceKind.MEAN), axes=base.ints([1]),
        keepdims=BoolAttr.from_bool(False),
    )  # fmt: skip
    kinds = n.finish(n.linear(mean, 3))
    assert kinds == ["normalize", "reduce", "conv", "reshape"]


def test_a_graph_without_attention_stays() -> None:
    n = Network((1, 4, 3, 3))
    x = n.reshape(n.add(ax.ReluOp, [n.inputs[0]]), 1, 36)
    before = n.add(ax.GemmOp, [x, n.constant(36, 5), None], alpha=base.float_(1), beta=base.float_(1),
                   trans_a=BoolAttr.from_bool(False), trans_b=BoolAttr.from_bool(False))  # fmt: skip
    assert n.finish(before) == ["relu", "reshape", "gemm"]


def test_what_cannot_be_done_on_pixels_stays() -> None:
    """A product over tokens with a constant from the left, heads behind the features."""
    n = Network((1, 6, 8))
    tokens = n.norm(n.inputs[0])
    mixed = n.add(ax.MatMulOp, [n.constant(6, 6), tokens])
    behind = n.transpose(n.reshape(mixed, 1, 6, 4, 2), 0, 3, 1, 2)
    kinds = n.finish(n.add(ax.MatMulOp, [behind, n.transpose(behind, 0, 1, 3, 2)]))
    assert "matmul" in kinds


@pytest.mark.parametrize("dense", [True, False])
def test_constant_products_stay_without_their_setting(dense: bool) -> None:
    n = Network((1, 5, 8))
    x = n.linear(n.inputs[0], 6)
    n.graph.body.block.add_op(ax.ReturnOp([x]))
    n.graph.properties["outputs"] = ArrayAttr([StringAttr("y")])
    module = ModuleOp([n.graph])
    TokensToPixels(rewrite_dense_to_conv2d=dense).apply(n.context, module)
    assert ("ax.matmul" in str(module)) != dense


def factors(number: int) -> list[int]:
    return [f for f in range(2, number + 1) if number % f == 0]


@given(st.data())
def test_random_views(data: st.DataObject) -> None:
    """Chains of reshapes, transposes, slices, concatenations and arithmetic between normalizations and products."""
    draw = data.draw
    n = Network(
        (1, draw(st.sampled_from([4, 6, 8])), draw(st.sampled_from([2, 3, 4])), 3), seed=draw(st.integers(0, 99))
    )
    channels, height, width = base.shape_of(n.inputs[0])[1:]
    x = n.norm(n.transpose(n.reshape(n.inputs[0], 1, channels, height * width), 0, 2, 1))
    values = [x]
    for _ in range(draw(st.integers(1, 9))):
        x = draw(st.sampled_from(values[-3:]))
        shape = base.shape_of(x)
        rank = len(shape)
        kind = draw(st.sampled_from("split join transpose slice add linear norm softmax silu concat attend".split()))
        axis = draw(st.integers(0, rank - 1))
        if kind == "split" and factors(shape[axis]) and rank < 6:
            f = draw(st.sampled_from(factors(shape[axis])))
            x = n.reshape(x, *shape[:axis], f, shape[axis] // f, *shape[axis + 1 :])
        elif kind == "join" and rank > 2 and axis + 1 < rank:
            x = n.reshape(x, *shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :])
        elif kind == "transpose":
            x = n.transpose(x, *draw(st.permutations(range(rank))))
        elif kind == "slice":
            start = draw(st.integers(0, shape[axis] - 1))
            x = n.part(x, axis, start, draw(st.integers(start + 1, shape[axis])), draw(st.sampled_from([1, 1, 2])))
        elif kind == "add":
            same = [value for value in values if base.shape_of(value) == shape]
            repeated = [s if draw(st.booleans()) else 1 for s in shape]
            other = draw(st.sampled_from(same)) if draw(st.booleans()) else n.constant(*repeated)
            operands = [x, other] if draw(st.booleans()) else [other, x]
            x = n.add(draw(st.sampled_from([ax.AddOp, ax.MulOp, ax.SubOp, ax.MaxOp])), operands)
        elif kind == "linear":
            x = n.linear(x, draw(st.sampled_from([1, 3, 8])))
        elif kind == "norm" and shape[-1] > 1:
            x = n.norm(x)
        elif kind == "softmax":
            x = n.softmax(x)
        elif kind == "silu":
            x = n.add(ax.SiluOp, [x])
        elif kind == "concat":
            same = [value for value in values if base.shape_of(value) == shape]
            other = draw(st.sampled_from(same)) if draw(st.booleans()) else n.constant(*shape)
            x = n.add(ax.ConcatOp, [[x, other]], axis=base.integer(axis))
        elif kind == "attend" and rank >= 2:
            x = attend(n, x, x, x)
        if prod(base.shape_of(x)) <= 4096:
            values.append(x)
    n.finish(*dict.fromkeys([values[-1], values[len(values) // 2]]))
