"""Equalization leaves what the network computes, and gives both sides of a tensor like weights."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from axir.dialects import ax
from axir.frontends.onnx import import_model
from axir.ir.constants import constant_array
from axir.ir.context import make_context
from axir.ir.pass_manager import run_passes
from axir.passes.equalize_layers import equalize
from axir.passes.pipeline import GRAPH_PASSES
from axir.passes.quantization.float_graph import FloatGraph
from axir.passes.quantization.graph import main_graph
from axir.registry import passes

SIZE, CHANNELS = 6, 8


def network(activation: str, groups: tuple[int, ...]) -> onnx.ModelProto:
    """A chain of convolutions with these groups, whose channels differ by powers of ten."""
    random = np.random.default_rng(len(activation) + sum(groups))
    nodes: list[onnx.NodeProto] = []
    initializers: list[onnx.TensorProto] = []
    value = "x"
    for index, group in enumerate(groups):
        spread = 10 ** random.uniform(-2, 2, (CHANNELS, 1, 1, 1))
        weight = random.standard_normal((CHANNELS, CHANNELS // group, 3, 3)) * spread
        bias = random.standard_normal(CHANNELS) * spread.reshape(-1)
        slope = random.uniform(0.1, 0.5, (CHANNELS, 1, 1))
        for name, array in (("w", weight), ("b", bias), ("s", slope)):
            initializers.append(numpy_helper.from_array(array.astype(np.float32), f"{name}{index}"))
        inputs = [value, f"w{index}", f"b{index}"]
        nodes.append(helper.make_node("Conv", inputs, [f"c{index}"], pads=[1, 1, 1, 1], group=group))
        inputs = [f"c{index}", f"s{index}"] if activation == "PRelu" else [f"c{index}"]
        value = "y" if index + 1 == len(groups) else f"a{index}"
        nodes.append(helper.make_node(activation, inputs, [value]))
    shape = [1, CHANNELS, SIZE, SIZE]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("activation", ["Relu", "PRelu", "LeakyRelu"])
@pytest.mark.parametrize("groups", [(1, CHANNELS, 1), (1, 2, CHANNELS, 1), (1, 1)])
def test_the_network_computes_the_same(activation: str, groups: tuple[int, ...]) -> None:
    context = make_context()
    module = import_model(network(activation, groups), context)
    run_passes(context, module, [passes()[name].load()() for name in GRAPH_PASSES])
    graph = main_graph(module)
    samples = [
        np.random.default_rng(seed).standard_normal((1, CHANNELS, SIZE, SIZE)).astype(np.float32) for seed in (1, 2)
    ]

    def outputs() -> list[Any]:
        runner = FloatGraph(graph, context.store, list(graph.terminator.operands))
        return [runner.run({"x": sample})[0] for sample in samples]

    before = outputs()
    assert equalize(graph, context.store) == len(groups) - 1
    module.verify()
    for exact, found in zip(before, outputs(), strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-6 * float(np.abs(exact).max()))

    convolutions = [op for op in graph.body.block.ops if isinstance(op, ax.ConvOp)]
    for first, second in pairwise(convolutions):
        weights = [
            constant_array(cast(ax.ConstantOp, op.weight.owner).value, context.store, op) for op in (first, second)
        ]
        group = second.group.value.data
        made = np.abs(weights[0]).max(axis=(1, 2, 3))
        read = np.abs(weights[1]).reshape(group, CHANNELS // group, -1, 9).max(axis=(1, 3)).reshape(-1)
        # A scale is a power of two: no ratio is further off than by one step, after which the neighbours moved.
        assert np.abs(np.log2(made / read)).max() < 4


def test_equalizing_again_changes_nothing() -> None:
    context = make_context()
    module = import_model(network("Relu", (1, CHANNELS, 1)), context)
    run_passes(context, module, [passes()[name].load()() for name in GRAPH_PASSES])
    graph = main_graph(module)
    equalize(graph, context.store)
    once = str(module)
    equalize(graph, context.store)
    assert str(module) == once
