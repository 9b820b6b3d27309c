"""Models and modules without what was trained: everything that steers stays, everything trained goes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from xdsl.dialects.builtin import DenseArrayBase

from axir.compiler.random_onnx import randomize_model
from axir.compiler.random_weights import Randomizer, random_like
from axir.dialects import ax, axq
from axir.ir.constants import constant_array
from axir.ir.context import make_context
from axir.ir.module_file import weight_keys
from axir.ir.parsing import parse_module
from axir.ir.printing import print_module
from axir.ir.verifier import verify


def array(*shape: int, dtype: Any = np.float32) -> Any:
    return (np.random.default_rng(1).standard_normal(shape) * 20).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64, np.int8, np.uint8, np.int16, np.int32])
def test_random_like_keeps_what_a_tensor_looks_like(dtype: Any) -> None:
    exact = np.clip(array(64, 9, dtype=np.float64) + 60, 0, 127).astype(dtype)
    found = random_like(exact, np.random.default_rng(0))
    assert (found.dtype, found.shape) == (exact.dtype, exact.shape)
    assert (found == exact).mean() < 0.2
    assert exact.min() <= found.min()
    assert found.max() <= exact.max()
    assert abs(found.astype(float).mean() - exact.astype(float).mean()) < 3


def test_random_like_keeps_infinities_and_nans_in_place() -> None:
    exact = array(10)
    exact[2], exact[5] = np.nan, -np.inf
    found = random_like(exact, np.random.default_rng(0))
    assert np.isnan(found[2])
    assert found[5] == -np.inf
    assert np.isfinite(np.delete(found, [2, 5])).all()


def proto(nodes: list[onnx.NodeProto], **initializers: Any) -> onnx.ModelProto:
    tensors = [numpy_helper.from_array(value, name) for name, value in initializers.items()]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 4, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    return helper.make_model(helper.make_graph(nodes, "g", [x], [y], tensors))


def initializer(model: onnx.ModelProto, name: str) -> Any:
    return next(numpy_helper.to_array(tensor) for tensor in model.graph.initializer if tensor.name == name)


def test_models_lose_weights_and_keep_what_steers() -> None:
    given = {
        "w": array(8, 8, 1, 1), "scales": np.array([1, 1, 2, 2], np.float32), "shape": np.arange(4),
        "limit": np.float32(6), "zeros": np.zeros(8, np.float32), "bias": array(8, dtype=np.int32),
        "index": np.arange(4, dtype=np.int32), "q": array(8, 8, dtype=np.int8),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Resize", ["a", "", "scales"], ["b"]),
        helper.make_node("Gather", ["b", "index"], ["c"]),
        helper.make_node("DequantizeLinear", ["bias", "limit"], ["d"]),
        helper.make_node("Identity", ["c"], ["y"]),
    ]
    model = proto(nodes, **given)
    again = proto(nodes, **given)
    randomize_model(model)
    randomize_model(again)
    assert model == again
    for name in ("w", "bias", "q"):
        assert initializer(model, name).shape == given[name].shape
        assert (initializer(model, name) != given[name]).mean() > 0.8, name
    for name in ("scales", "shape", "limit", "zeros", "index"):
        assert np.array_equal(initializer(model, name), given[name]), name


def test_constants_in_nodes_and_subgraphs_are_found() -> None:
    inside = helper.make_graph(
        [helper.make_node("Constant", [], ["v"], value=numpy_helper.from_array(array(9)))],
        "then", [], [helper.make_tensor_value_info("v", TensorProto.FLOAT, [9])],
        [numpy_helper.from_array(array(7), "i")],
    )  # fmt: skip
    nodes = [
        helper.make_node("Constant", [], ["a"], value=numpy_helper.from_array(array(5))),
        helper.make_node("Constant", [], ["b"], value_floats=array(6).tolist()),
        helper.make_node("Constant", [], ["s"], value_floats=[1.0, 1.0, 2.0, 2.0]),
        helper.make_node("Upsample", ["x", "s"], ["u"]),
        helper.make_node("If", ["c"], ["y"], then_branch=inside, else_branch=inside),
    ]
    model = proto(nodes)
    model.functions.append(helper.make_function("f", "F", [], ["a"], nodes[:1], [helper.make_opsetid("", 17)]))
    randomize_model(model)
    first, floats, scales, _, branch = model.graph.node
    assert not np.intersect1d(numpy_helper.to_array(first.attribute[0].t), array(5)).size
    assert not np.intersect1d(np.array(floats.attribute[0].floats, np.float32), array(6)).size
    assert list(scales.attribute[0].floats) == [1, 1, 2, 2]
    for attribute in branch.attribute:
        assert not np.intersect1d(numpy_helper.to_array(attribute.g.initializer[0]), array(7)).size
        assert not np.intersect1d(numpy_helper.to_array(attribute.g.node[0].attribute[0].t), array(9)).size
    assert not np.intersect1d(numpy_helper.to_array(model.functions[0].node[0].attribute[0].t), array(5)).size


def test_damaged_tensors_lose_their_data() -> None:
    model = proto([helper.make_node("Conv", ["x", "w"], ["y"])], w=array(8, 8, 1, 1))
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]
    randomize_model(model)
    assert model.graph.initializer[0].raw_data == b""


STATS = (
    "#ax.stats<-1.0, 2.5, histogram dense<[1, 2, 3, 5]> : tensor<4xi64>, means dense<[0.125, 0.75]> : tensor<2xf32>>"
)
X, W, S = "tensor<1x2x4x4xf32>", "tensor<2x2x1x1xf32>", "tensor<4xf32>"
WINDOW = "strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]"
MODULE = f"""
ax.graph @main(%x: {X} "x") -> ("y") attributes {{arg_stats = [{STATS}]}} {{
  %w = ax.constant dense<[[[[0.5]], [[0.25]]], [[[-0.5]], [[0.125]]]]> : {W} : {W}
  %s = ax.constant dense<[1.0, 1.0, 2.0, 2.0]> : {S} : {S}
  %v = ax.conv %x, %w {WINDOW} group 1 epilogue <clip(0.0, 6.0)> : ({X}, {W}) -> {X}
  %y = ax.onnx "Upsample"(%v, %s) opset 9 present [1, 1] with {{mode = "nearest"}} : ({X}, {S}) -> tensor<1x2x8x8xf32>
  %t = ax.onnx "Tree"(%v) opset 1 present [1] with {{leaves = array<f64: 0.5, 0.375, -1.5>}} : ({X}) -> {X}
  ax.return %y : tensor<1x2x8x8xf32>
}}
"""


def test_modules_lose_weights_and_keep_what_steers() -> None:
    context = make_context()
    module = parse_module(context, MODULE, "m")
    randomizer = Randomizer(context.store)
    randomizer.run(module)
    verify(module)
    (graph,) = (op for op in module.ops if isinstance(op, ax.GraphOp))
    weight, scales = (op for op in graph.body.block.ops if isinstance(op, ax.ConstantOp))
    assert not np.intersect1d(constant_array(weight.value, randomizer.store), [0.5, 0.25, -0.5, 0.125]).size
    assert constant_array(scales.value, randomizer.store).tolist() == [1, 1, 2, 2]
    tree = next(op for op in graph.body.block.ops if isinstance(op, ax.OnnxOp) and op.kind.data == "Tree")
    leaves = tree.node_attributes.data["leaves"]
    assert isinstance(leaves, DenseArrayBase)
    assert not np.intersect1d(np.array(leaves.get_values()), [0.5, 0.375, -1.5]).size
    text = print_module(module)
    assert "histogram dense<[1, 2, 3, 5]>" in text
    assert "#ax.stats<-1.0, 2.5" in text
    assert "clip(0.0, 6.0)" in text
    assert "0.125" not in text


Q = "tensor<1x2x4x4x!axq.q<0.5 : 0>>"
C = "tensor<1x2x4x4x!axq.q<channels dense<[0.125, 0.375]> : tensor<2xf32> : dense<[-100, 77]> : tensor<2xi32>>>"
CONSTANTS = "scale dense<[0.5, 0.25]> : tensor<2xf32> bias dense<[7, 700]> : tensor<2xi32>"
QUANTIZED = f"""
axq.graph @main(%x: {Q} "x") -> ("y") {{
  %v = axq.conv %x weight dense<[[[[64]]], [[[-127]]]]> : tensor<2x1x1x1xi8> {CONSTANTS} {WINDOW} group 2 : {Q} -> {C}
  %y = axq.map %v epilogue <relu> : {C} -> {Q}
  axq.return %y : {Q}
}}
"""


def test_types_still_agree() -> None:
    """Scales of channels stand in types, which two operations share."""
    context = make_context()
    module = parse_module(context, QUANTIZED, "m")
    randomizer = Randomizer(context.store)
    randomizer.run(module)
    verify(module)
    (graph,) = (op for op in module.ops if isinstance(op, axq.GraphOp))
    assert [op.name for op in graph.body.block.ops] == ["axq.conv", "axq.map", "axq.return"]
    text = print_module(module)
    for number in ("0.125", "0.375", "-100", "700", "-127"):
        assert number not in text, number
    assert parse_module(make_context(), text, "again").is_structurally_equivalent(module)


def test_equal_constants_stay_equal_and_weights_get_new_keys() -> None:
    context = make_context()
    key = context.store.put(array(100))
    constant = f'ax.constant #ax.weight<"{key}", tensor<100xf32>> : tensor<100xf32>'
    text = f"""ax.graph @main(%x: tensor<100xf32> "x") -> ("y", "z") {{
      %a = {constant}
      %b = {constant}
      ax.return %a, %b : tensor<100xf32>, tensor<100xf32>
    }}"""
    module = parse_module(context, text, "m")
    randomizer = Randomizer(context.store)
    randomizer.run(module)
    (new,) = weight_keys(module)
    assert new != key
    assert list(randomizer.store.keys()) == [new]
    assert randomizer.redacted(f"weight {key} is damaged") == f"weight {new} is damaged"
    assert randomizer.redacted(f"weight {'ab' * 16}") == f"weight {'0' * 32}"
    assert key in context.store
