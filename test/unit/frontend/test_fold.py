"""Shape arithmetic and constants leave no operation behind."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import check_against_onnxruntime, imported, make_model, operators, random_inputs, run_ax, single

from axir.dialects import ax
from axir.frontends.onnx.fold import fold


def node(kind: str, inputs: list[str], output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], **attributes)


def constant(output: str, **value: object) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [output], **value)


def tensor(values: object, dtype: type = np.int64) -> onnx.TensorProto:
    return onnx.numpy_helper.from_array(np.array(values, dtype))


# As PyTorch writes x.view(x.size(0), 2, -1, x.size(2), x.size(3)).transpose(1, 2).flatten(1, 2)
SHUFFLE = [
    node("Shape", ["x"], "s"),
    constant("i0", value=tensor(0)),
    constant("i2", value_int=2),
    constant("i3", value_ints=[3]),
    node("Gather", ["s", "i0"], "n"),
    node("Gather", ["s", "i2"], "h"),
    node("Gather", ["s", "i3"], "w1"),
    constant("axis", value_ints=[0]),
    node("Unsqueeze", ["n", "axis"], "n1"),
    node("Unsqueeze", ["h", "axis"], "h1"),
    constant("groups", value_ints=[2, -1]),
    node("Concat", ["n1", "groups", "h1", "w1"], "view", axis=0),
    node("Reshape", ["x", "view"], "grouped"),
    node("Transpose", ["grouped"], "swapped", perm=[0, 2, 1, 3, 4]),
    constant("open", value_ints=[-1]),
    node("Concat", ["n1", "open", "h1", "w1"], "flat", axis=0),
    node("Reshape", ["swapped", "flat"], "y"),
]

# As PyTorch writes F.pad(x, (1, 2, 3, 4)): the pads in its order, reversed and transposed into ONNX's.
TORCH_PAD = [
    constant("given", value=tensor([1, 2, 3, 4])),
    constant("missing", value=tensor([4])),
    node("ConstantOfShape", ["missing"], "zeros", value=tensor([0])),
    node("Concat", ["given", "zeros"], "all", axis=0),
    constant("pairs", value_ints=[-1, 2]),
    node("Reshape", ["all", "pairs"], "rows"),
    constant("start", value_ints=[-1]),
    constant("end", value_ints=[-(2**63)]),
    constant("axis", value_ints=[0]),
    constant("step", value_ints=[-1]),
    node("Slice", ["rows", "start", "end", "axis", "step"], "reversed"),
    node("Transpose", ["reversed"], "columns", perm=[1, 0]),
    constant("flat", value_ints=[-1]),
    node("Reshape", ["columns", "flat"], "cast"),
    node("Cast", ["cast"], "pads", to=TensorProto.INT64),
    constant("value", value_float=0.5),
    node("Pad", ["x", "pads", "value"], "y"),
]

SHAPES_IN_FLOAT = [
    node("Shape", ["x"], "s", start=2),
    node("Cast", ["s"], "f", to=TensorProto.FLOAT),
    constant("two", value_floats=[2.0]),
    node("Div", ["f", "two"], "half"),
    node("Floor", ["half"], "floor"),
    node("Cast", ["floor"], "ends", to=TensorProto.INT64),
    constant("zeros", value_ints=[0, 0]),
    constant("axes", value_ints=[2, 3]),
    node("Slice", ["x", "zeros", "ends", "axes"], "y"),
]

SIZES = [
    node("Size", ["x"], "count"),
    constant("one", value_ints=[1]),
    node("Unsqueeze", ["count", "zero"], "volume"),
    constant("zero", value_ints=[0]),
    node("Concat", ["one", "volume"], "shape", axis=0),
    node("Reshape", ["x", "shape"], "y"),
]

RANGES = [
    constant("start", value_int=3),
    constant("limit", value_int=-1),
    constant("delta", value_int=-1),
    node("Range", ["start", "limit", "delta"], "down"),
    node("Greater", ["down", "one"], "mask"),
    constant("one", value_int=1),
    node("NonZero", ["mask"], "found"),
    node("Squeeze", ["found", "zero"], "indices"),
    constant("zero", value_ints=[0]),
    node("Gather", ["x", "indices"], "y", axis=1),
]

CHAINS = {
    "channel shuffle": (SHUFFLE, ["reshape", "transpose", "reshape"]),
    "torch pad": (TORCH_PAD, ["pad"]),
    "float arithmetic": (SHAPES_IN_FLOAT, ["slice"]),
    "size": (SIZES, ["reshape"]),
    "range": (RANGES, ["slice"]),
}


@pytest.mark.parametrize("name", CHAINS)
def test_exporters_arithmetic_vanishes(name: str) -> None:
    nodes, expected = CHAINS[name]
    graph, _ = check_against_onnxruntime(make_model(nodes, {"x": (1, 4, 6, 8)}, ["y"]))
    assert operators(graph) == expected


def test_weights_are_computed_once() -> None:
    nodes = [
        node("Transpose", ["stored"], "w", perm=[1, 0]),
        node("Mul", ["w", "scale"], "scaled"),
        node("MatMul", ["x", "scaled"], "y"),
    ]
    rng = np.random.default_rng(0)
    constants = {"stored": rng.standard_normal((9, 8)).astype(np.float32), "scale": np.float32(0.5)}
    graph, ctx = check_against_onnxruntime(make_model(nodes, {"x": (3, 8)}, ["y"], constants))
    assert operators(graph) == ["matmul"]
    (key,) = ctx.store.keys()
    np.testing.assert_array_equal(ctx.store.get(key), constants["stored"].T * np.float32(0.5))


def test_quantized_weights_become_floats() -> None:
    nodes = [node("DequantizeLinear", ["q", "scale", "zero"], "w"), node("Add", ["x", "w"], "y")]
    constants = {"q": np.arange(-3, 3, dtype=np.int8), "scale": np.float32(0.25), "zero": np.int8(1)}
    graph, _ = check_against_onnxruntime(make_model(nodes, {"x": (6,)}, ["y"], constants))
    assert operators(graph) == ["add"]


def test_unused_parts_vanish() -> None:
    """Also when they hold what could not be imported."""
    nodes = [node("Relu", ["x"], "y"), node("NonZero", ["x"], "n"), node("Add", ["x", "bad"], "unused")]
    constants = {"bad": np.full(100, np.nan, np.float32), "large": np.zeros(1000, np.float32)}
    graph, ctx = imported(make_model(nodes, {"x": (1, 100)}, ["y"], constants))
    assert operators(graph) == ["relu"]
    assert not ctx.store.keys()


def test_initializers_that_are_inputs_are_constants() -> None:
    """As files before IR version 4 declare them."""
    model = single("Add", {"x": (2, 3)}, {"w": np.ones(3, np.float32)})
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [3]))
    graph, _ = imported(model)
    assert [name.data for name in graph.inputs] == ["x"]


def test_a_constant_is_one_operation_however_often_it_is_used() -> None:
    nodes = [node("Add", ["x", "w"], "a"), node("Mul", ["a", "w"], "y")]
    graph, _ = imported(make_model(nodes, {"x": (3,)}, ["y"], {"w": np.ones(3, np.float32)}))
    assert sum(isinstance(op, ax.ConstantOp) for op in graph.walk()) == 1


def test_constant_and_input_can_be_returned() -> None:
    nodes = [node("Identity", ["x"], "same"), node("Shape", ["x"], "shape")]
    graph, ctx = imported(make_model(nodes, {"x": (2, 3)}, ["same", "shape"]))
    feeds = random_inputs(graph)
    same, shape = run_ax(graph, ctx, feeds)
    np.testing.assert_array_equal(same, feeds["x"])
    np.testing.assert_array_equal(shape, [2, 3])


def test_nodes_in_any_order() -> None:
    nodes = [node("Relu", ["a"], "y"), node("Tanh", ["x"], "a")]
    graph, _ = imported(make_model(nodes, {"x": (2,)}, ["y"]))
    assert operators(graph) == ["tanh", "relu"]


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "Hardmax"])
def test_softmax_of_old_operator_sets_is_not_left_to_the_evaluator(kind: str) -> None:
    """ONNX's reference evaluator normalizes one axis, whatever the operator set."""
    x = np.ones((2, 3, 4), np.float32)
    before, after = helper.make_node(kind, ["x"], ["y"], axis=1), helper.make_node(kind, ["x"], ["y"], axis=-1)
    assert fold(before, [x], {"": 12}) is None
    assert fold(after, [x], {"": 13}) is not None


@pytest.mark.parametrize("kind", ["RandomNormalLike", "Bernoulli"])
def test_random_numbers_are_not_folded(kind: str) -> None:
    model = make_model([node(kind, ["w"], "r"), node("Add", ["x", "r"], "y")], {"x": (3,)}, ["y"],
                       {"w": np.ones(3, np.float32)})  # fmt: skip
    assert operators(imported(model)[0]) == [f"onnx:{kind}", "add"]


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_are_read_as_f32(dtype: type) -> None:
    elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    weight = np.random.default_rng(0).standard_normal((4, 3)).astype(dtype)
    nodes = [
        node("MatMul", ["x", "w"], "a"),
        node("Cast", ["a"], "b", to=TensorProto.FLOAT),
        node("Relu", ["b"], "c"),
        node("Cast", ["c"], "d", to=elem_type),
        node("Elu", ["d"], "e"),
        node("ArgMax", ["e"], "i", axis=1),
        node("Cast", ["i"], "y", to=elem_type),
    ]
    model = make_model(nodes, {"x": (2, 4)}, ["e", "y"], {"w": weight}, elem_type=elem_type)
    graph, ctx = imported(model)
    assert operators(graph) == ["matmul", "relu", "unary", "onnx:ArgMax", "onnx:Cast"]
    assert [str(result.type) for result in graph.terminator.operands] == ["tensor<2x3xf32>", "tensor<2x1xf32>"]
    x = np.arange(8, dtype=np.float32).reshape(2, 4) / 4
    product, index = run_ax(graph, ctx, {"x": x})
    np.testing.assert_allclose(product, np.maximum(x @ weight.astype(np.float32), 0), rtol=1e-6)
    np.testing.assert_array_equal(index[:, 0], product.argmax(axis=1))


def test_f64_arithmetic_on_shapes_is_exact() -> None:
    """4097 * 4097 + 1 is no f32: folded values keep their type."""
    nodes = [
        node("Shape", ["x"], "s"),
        node("Cast", ["s"], "f", to=TensorProto.DOUBLE),
        node("Mul", ["f", "f"], "square"),
        node("Add", ["square", "one"], "sum"),
        node("Cast", ["sum"], "y", to=TensorProto.INT64),
    ]
    graph, ctx = imported(make_model(nodes, {"x": (4097,)}, ["y"], {"one": np.array([1.0])}))
    (result,) = run_ax(graph, ctx, {"x": np.zeros(4097, np.float32)})
    assert result.tolist() == [4097 * 4097 + 1]


def test_local_functions_are_inlined() -> None:
    body = [node("Sigmoid", ["a"], "s"), node("Mul", ["a", "s"], "b")]
    function = helper.make_function("local", "Swish", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    swish = helper.make_node("Swish", ["x"], ["y"], domain="local")
    model = make_model([swish], {"x": (3,)}, ["y"], domains={"local": 1})
    model.functions.append(function)
    assert operators(imported(model)[0]) == ["sigmoid", "mul"]


def test_the_model_given_is_not_changed() -> None:
    model = make_model(SHUFFLE, {"x": ("N", 4, 6, 8)}, ["y"])
    model.graph.node[0].domain = "ai.onnx"
    before = model.SerializeToString()
    imported(model, {"x": (1, 4, 6, 8)})
    assert model.SerializeToString() == before
