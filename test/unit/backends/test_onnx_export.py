"""The ONNX models that `export_graph` writes: valid, named, deterministic, and what the reference interpreter says."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import Any

import numpy as np
import onnx
import pytest
from graph_runs import assert_close, graphs, random_inputs, run_onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from xdsl.ir import SSAValue

from axir.backends.onnx import export_graph
from axir.dialects import ax
from axir.frontends.onnx import import_model, importer
from axir.interp.ax import run_graph
from axir.ir.context import AxContext, make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module

X = "tensor<1x4x6x6xf32>"
WINDOW = "strides [1, 2] pads [0, 1, 1, 0] dilations [1, 1]"

# Every operator of the dialect: constants (all 0.5), then the operation on %x (and %y) of type X.
OPERATORS: dict[str, tuple[str, str]] = {
    "conv": (
        "%w: tensor<4x2x3x2xf32>; %b: tensor<4xf32>",
        f"ax.conv %x, %w bias %b : tensor<4xf32> {WINDOW} group 2 : ({X}, tensor<4x2x3x2xf32>) -> tensor<1x4x5x3xf32>",
    ),
    "dilated conv": (
        "%w: tensor<4x4x2x2xf32>",
        f"ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [2, 3] group 1 : ({X}, tensor<4x4x2x2xf32>) "
        "-> tensor<1x4x4x3xf32>",
    ),
    "conv_transpose": (
        "%w: tensor<4x3x2x2xf32>",
        "ax.conv_transpose %x, %w strides [2, 2] pads [1, 0, 0, 1] output_padding [1, 0] dilations [1, 1] group 2 "
        f": ({X}, tensor<4x3x2x2xf32>) -> tensor<1x6x12x11xf32>",
    ),
    "epilogue": (
        "%w: tensor<4x4x1x1xf32>; %s: tensor<1x4x1x1xf32>",
        "ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <prelu, add, "
        f"clip(-1.0, 2.0), mul, silu> extras %s, %y, %s : tensor<1x4x1x1xf32>, {X}, tensor<1x4x1x1xf32> "
        f": ({X}, tensor<4x4x1x1xf32>) -> {X}",
    ),
    "gemm": (
        "%b: tensor<6x3xf32>; %c: tensor<3xf32>",
        "ax.gemm %m, %b plus %c : tensor<3xf32> alpha 0.5 beta 2.0 trans_a true trans_b false "
        ": (tensor<6x4xf32>, tensor<6x3xf32>) -> tensor<4x3xf32>",
    ),
    "matmul": ("%b: tensor<6x3xf32>", f"ax.matmul %x, %b : ({X}, tensor<6x3xf32>) -> tensor<1x4x6x3xf32>"),
    "head_matmul": (
        "%b: tensor<1x4x2x5xf32>",
        "ax.head_matmul %x, %b heads 2 transpose true factor 0.5 epilogue <relu> "
        f": ({X}, tensor<1x4x2x5xf32>) -> tensor<1x10x12x6xf32>",
    ),
    "head_matmul of pixels": (
        "%b: tensor<1x6x2x2xf32>",
        f"ax.head_matmul %x, %b heads 3 transpose false factor 1.0 : ({X}, tensor<1x6x2x2xf32>) -> tensor<1x6x2x6xf32>",
    ),
    "batch_norm": (
        "%p: tensor<4xf32>",
        "ax.batch_norm %x scale %p bias %p mean %p variance %p epsilon 0.001 "
        f": ({X}, {', '.join(['tensor<4xf32>'] * 4)}) -> {X}",
    ),
    "max_pool": (
        "",
        f"ax.max_pool %x kernel [3, 2] strides [2, 1] pads [1, 0, 1, 1] dilations [1, 2] : {X} -> tensor<1x4x3x5xf32>",
    ),
    "avg_pool": (
        "",
        f"ax.avg_pool %x kernel [3, 2] {WINDOW} count_include_pad false epilogue <relu> : {X} -> tensor<1x4x5x3xf32>",
    ),
    "avg_pool of pads": (
        "",
        f"ax.avg_pool %x kernel [3, 2] {WINDOW} count_include_pad true : {X} -> tensor<1x4x5x3xf32>",
    ),
    "dilated avg_pool": (
        "",
        "ax.avg_pool %x kernel [2, 2] strides [1, 1] pads [1, 1, 0, 0] dilations [2, 3] count_include_pad false "
        f": {X} -> tensor<1x4x5x4xf32>",
    ),
    "global_avg_pool": ("", f"ax.global_avg_pool %x : {X} -> tensor<1x4x1x1xf32>"),
    "global_max_pool": ("", f"ax.global_max_pool %x : {X} -> tensor<1x4x1x1xf32>"),
    "reduce": ("", f"ax.reduce %x mean axes [1, 3] keepdims false : {X} -> tensor<1x6xf32>"),
    "add": ("", f"ax.add %x, %y : ({X}, {X}) -> {X}"),
    "sub": ("", f"ax.sub %x, %y : ({X}, {X}) -> {X}"),
    "mul": ("%c: tensor<4x1x1xf32>", f"ax.mul %x, %c : ({X}, tensor<4x1x1xf32>) -> {X}"),
    "div": ("%c: tensor<f32>", f"ax.div %x, %c : ({X}, tensor<f32>) -> {X}"),
    "relu": ("", f"ax.relu %x : {X} -> {X}"),
    "sigmoid": ("", f"ax.sigmoid %x : {X} -> {X}"),
    "tanh": ("", f"ax.tanh %x : {X} -> {X}"),
    "silu": ("", f"ax.silu %x : {X} -> {X}"),
    "hard_swish": ("", f"ax.hard_swish %x : {X} -> {X}"),
    "table": ("", f"ax.table %x function <sigmoid(0.5, 1.0, 2.0, -3.0)> : {X} -> {X}"),
    "table with numbers before": ("", f"ax.table %x function <silu(-2.0, 1.0, 1.0, 0.0)> : {X} -> {X}"),
    "table with a number after": ("", f"ax.table %x function <hard_swish(1.0, 0.0, 1.0, 0.5)> : {X} -> {X}"),
    "table with neutral numbers": ("", f"ax.table %x function <tanh(1.0, 0.0, 1.0, 0.0)> : {X} -> {X}"),
    "hard_sigmoid": ("", f"ax.hard_sigmoid %x alpha 0.3 beta 0.4 : {X} -> {X}"),
    "leaky_relu": ("", f"ax.leaky_relu %x alpha 0.3 : {X} -> {X}"),
    "clip": ("", f"ax.clip %x min -1.0 max 2.0 : {X} -> {X}"),
    "prelu": ("", f"ax.prelu %x, %y : ({X}, {X}) -> {X}"),
    "softmax": ("", f"ax.softmax %x axis 1 : {X} -> {X}"),
    "concat": ("", f"ax.concat %x, %y axis 2 : ({X}, {X}) -> tensor<1x4x12x6xf32>"),
    "slice": ("", f"ax.slice %x starts [0, 1, 0, 2] ends [1, 4, 6, 6] steps [1, 2, 1, 3] : {X} -> tensor<1x2x6x2xf32>"),
    "pad": ("", f"ax.pad %x pads [0, 0, 1, -1, 0, 2, 0, 0] value 3.0 : {X} -> tensor<1x6x7x5xf32>"),
    "reshape": ("", f"ax.reshape %x shape [4, 36] : {X} -> tensor<4x36xf32>"),
    "transpose": ("", f"ax.transpose %x perm [0, 2, 3, 1] : {X} -> tensor<1x6x6x4xf32>"),
    "reduce max": ("", f"ax.reduce %x max axes [1, 2] keepdims true : {X} -> tensor<1x1x1x6xf32>"),
    "reduce sum": ("", f"ax.reduce %x sum axes [0, 3] keepdims false : {X} -> tensor<4x6xf32>"),
    "max": ("", f"ax.max %x, %y : ({X}, {X}) -> {X}"),
    "min": ("%c: tensor<4x1x1xf32>", f"ax.min %x, %c : ({X}, tensor<4x1x1xf32>) -> {X}"),
    "normalize": ("", f"ax.normalize %x axes [3] epsilon 1.0e-5 : {X} -> {X}"),
    "normalize with scale": (
        "%s: tensor<4x1x1xf32>",
        f"ax.normalize %x scale %s : tensor<4x1x1xf32> axes [2, 3] epsilon 1.0e-3 : {X} -> {X}",
    ),
    "normalize with scale and bias": (
        "%s: tensor<6xf32>; %b: tensor<6xf32>",
        f"ax.normalize %x scale %s : tensor<6xf32> bias %b : tensor<6xf32> axes [1, 3] epsilon 0.0 : {X} -> {X}",
    ),
    "reflecting pad": (
        "",
        f"ax.pad %x pads [0, 2, 1, -1, 0, 3, 0, 4] value 0.0 mode reflect : {X} -> tensor<1x9x7x9xf32>",
    ),
    "edge pad": ("", f"ax.pad %x pads [0, 0, 9, -5, 0, 0, 0, 2] value 0.0 mode edge : {X} -> tensor<1x4x15x3xf32>"),
    "rearrange": (
        "",
        f"ax.rearrange %x split [4, 2, 3, 6] perm [2, 0, 1, 3] shape [1, 3, 8, 6] : {X} -> tensor<1x3x8x6xf32>",
    ),
    "gather": ("", f"ax.gather %x axis 1 indices [3, 0, 0] : {X} -> tensor<1x3x6x6xf32>"),
    "expand": ("%c: tensor<4x1x1xf32>", "ax.expand %c shape [2, 4, 1, 3] : tensor<4x1x1xf32> -> tensor<2x4x1x3xf32>"),
    **{
        f"{kind} {order}": ("", f"ax.{kind} %x block 2 order {order} : {X} -> {shape}")
        for kind, shape in (("depth_to_space", "tensor<1x1x12x12xf32>"), ("space_to_depth", "tensor<1x16x3x3xf32>"))
        for order in ("dcr", "crd")
    },
    "resize nearest": (
        "",
        "ax.resize %x nearest sizes [1, 4, 9, 4] scales [1.0, 1.0, 1.5, 0.6666666865348816] "
        f"coordinates half_pixel rounding round_prefer_ceil : {X} -> tensor<1x4x9x4xf32>",
    ),
    "resize linear of other axes": (
        "",
        "ax.resize %x linear sizes [1, 7, 4, 9] scales [1.0, 1.75, 0.6666666865348816, 1.5] coordinates half_pixel "
        f": {X} -> tensor<1x7x4x9xf32>",
    ),
    "resize linear of a matrix": (
        "",
        "ax.resize %m linear sizes [4, 9] scales [0.7, 2.3] coordinates align_corners : tensor<6x4xf32> -> "
        "tensor<4x9xf32>",
    ),
    "resize linear by scales": (
        "",
        "ax.resize %x linear sizes [1, 4, 10, 6] scales [1.0, 1.0, 1.7, 1.0] coordinates asymmetric "
        f": {X} -> tensor<1x4x10x6xf32>",
    ),
    **{
        f"unary {function}": ("", f"ax.unary %x <{function}> : {X} -> {X}")
        for function in (
            "abs",
            "celu(0.5)",
            "cos",
            "elu(0.7)",
            "erf",
            "exp",
            "gelu",
            "gelu_tanh",
            "mish",
            "pow(3.0)",
            "reciprocal",
            "selu(1.5, 1.2)",
            "sin",
            "softplus",
            "softsign",
            "thresholded_relu(0.3)",
        )
    },
    **{
        f"unary {function} of constants": (
            "%c: tensor<4xf32>",
            f"ax.unary %c <{function}> : tensor<4xf32> -> tensor<4xf32>",
        )
        for function in ("log", "sqrt", "pow(0.3)")
    },
    "onnx": ("", f'ax.onnx "Cosh"(%x) opset 17 present [1] with {{}} : ({X}) -> {X}'),
}


def parse(text: str) -> tuple[AxContext, ax.GraphOp]:
    ctx = make_context()
    module = parse_module(ctx, text, "graph.mlir")
    module.verify()
    return ctx, graphs(module)[0]


def graph_of(constants: str, op: str) -> tuple[AxContext, ax.GraphOp]:
    lines: list[str] = []
    for text in filter(None, constants.split("; ")):
        name, type_ = text.split(": ")
        lines.append(f"{name} = ax.constant dense<0.5> : {type_} : {type_}")
    result = op.rpartition("-> ")[2]
    inputs = f'%x: {X} "x", %y: {X} "y", %m: tensor<6x4xf32> "m"'
    body = "\n".join([*lines, f"%r = {op}", f"ax.return %r : {result}"])
    return parse(f'ax.graph @main({inputs}) -> ("r") {{\n{body}\n}}')


@pytest.mark.parametrize("name", OPERATORS)
def test_operator(name: str) -> None:
    ctx, graph = graph_of(*OPERATORS[name])
    model, names = export_graph(graph, ctx.store)
    onnx.checker.check_model(model, full_check=True)
    inputs = random_inputs(graph, seed=1)
    (expected,) = run_graph(graph, list(inputs.values()), ctx.store)
    assert_close(run_onnx(model, inputs), {"r": expected})
    assert names[graph.terminator.operands[0]] == "r"
    assert all(tensor.HasField("raw_data") for tensor in model.graph.initializer)


def test_every_operator_is_tested() -> None:
    tested = {op.partition(" ")[0] for _, op in OPERATORS.values()}
    structure = {"ax.graph", "ax.return", "ax.constant"}
    assert tested == {kind.name for kind in ax.Ax.operations} - structure


def opset(model: ModelProto) -> int:
    return next(entry.version for entry in model.opset_import if entry.domain == "")


def test_opset_is_17_unless_an_operator_needs_more() -> None:
    for name, expected in (("conv", 17), ("avg_pool", 17), ("dilated avg_pool", 19)):
        ctx, graph = graph_of(*OPERATORS[name])
        model, _ = export_graph(graph, ctx.store)
        assert opset(model) == expected
        assert model.ir_version == {17: 8, 19: 9}[expected]


def test_nodes_and_tensors_are_named_after_locations() -> None:
    ctx, graph = parse(f"""
    ax.graph @main(%x: {X} "image") -> ("out") {{
      %w = ax.constant dense<1.0> : tensor<4x4x1x1xf32> : tensor<4x4x1x1xf32>
      %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <silu, relu>
        : ({X}, tensor<4x4x1x1xf32>) -> {X} loc(fused["layer"("net.onnx":3:0), "act"("net.onnx":4:0)])
      %c = ax.clip %v min 0.0 max 6.0 : {X} -> {X} loc("layer"("net.onnx":5:0))
      %r = ax.tanh %c : {X} -> {X} loc("last"("net.onnx":6:0))
      ax.return %r : {X}
    }}""")
    model, names = export_graph(graph, ctx.store)
    assert [(node.op_type, node.name) for node in model.graph.node] == [
        ("Conv", "layer"),
        ("Sigmoid", "layer/Sigmoid"),
        ("Mul", "layer/Mul"),
        ("Relu", "layer/Relu"),
        ("Clip", "layer/Clip"),
        ("Tanh", "last"),
    ]
    assert list(names.values()) == ["image", "out", "layer/weight", "layer", "layer_1"]
    assert [value.name for value in model.graph.output] == ["out"]


def test_extra_outputs() -> None:
    ctx, graph = parse(f"""
    ax.graph @main(%x: {X} "x") -> ("r") {{
      %c = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
      %a = ax.mul %x, %c : ({X}, tensor<f32>) -> {X} loc("double"("net.onnx":0:0))
      %r = ax.relu %a : {X} -> {X}
      ax.return %r : {X}
    }}""")
    values: list[SSAValue] = [*graph.body.block.args, *(v for op in graph.body.block.ops for v in op.results)]
    model, names = export_graph(graph, ctx.store, extra_outputs=values)
    onnx.checker.check_model(model, full_check=True)
    inputs = random_inputs(graph, seed=2)
    found = run_onnx(model, inputs)
    assert next(iter(found)) == "r"
    assert len(found) == len(values)
    x = inputs["x"]
    for value, expected in zip(values, [x, np.float32(2), 2 * x, np.maximum(2 * x, 0)], strict=True):
        np.testing.assert_array_equal(found[names[value]], expected)


def test_inputs_constants_and_repeated_values_can_be_outputs() -> None:
    ctx, graph = parse("""
    ax.graph @postamble(%x: tensor<3xf32> "x") -> ("same", "c", "r", "again") {
      %c = ax.constant dense<7.0> : tensor<2xf32> : tensor<2xf32>
      %r = ax.relu %x : tensor<3xf32> -> tensor<3xf32>
      ax.return %x, %c, %r, %r : tensor<3xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>
    }""")
    model, _ = export_graph(graph, ctx.store)
    onnx.checker.check_model(model, full_check=True)
    x = np.array([-1, 0, 2], np.float32)
    found = run_onnx(model, {"x": x})
    expected = {"same": x, "c": np.full(2, 7, np.float32), "r": np.maximum(x, 0), "again": np.maximum(x, 0)}
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def one_node(
    version: int, kind: str, shape: list[int], *constants: NDArray[Any] | None, **attributes: Any
) -> ModelProto:
    """A model of one node on `x` of type X and constants, where None leaves an input out."""
    names = ["x", *("" if array is None else f"c{i}" for i, array in enumerate(constants))]
    node = helper.make_node(kind, names, ["y"], name="node", **attributes)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 6, 6])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    tensors = [numpy_helper.from_array(a, f"c{i}") for i, a in enumerate(constants) if a is not None]
    graph = helper.make_graph([node], "g", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8)


TWICE, HALVES = np.array([1, 1, 2, 2], np.float32), np.array([1, 1, 1.5, 0.5], np.float32)
AROUND = np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)

FOREIGN = {
    "Upsample-7": (one_node(7, "Upsample", [1, 4, 12, 12], mode="linear", scales=[1.0, 1.0, 2.0, 2.0]), 17),
    "Upsample-9": (one_node(9, "Upsample", [1, 4, 12, 12], TWICE, mode="linear"), 17),
    "Resize-10": (one_node(10, "Resize", [1, 4, 9, 3], HALVES, mode="nearest"), 17),
    "Resize-11": (one_node(11, "Resize", [1, 4, 12, 12], np.zeros(0, np.float32), TWICE, mode="linear"), 17),
    "Resize-13": (one_node(13, "Resize", [1, 4, 9, 3], None, HALVES, mode="cubic"), 17),
    "Pad-10": (one_node(10, "Pad", [1, 4, 8, 8], mode="reflect", pads=AROUND.tolist()), 17),
    "Pad-11": (one_node(11, "Pad", [1, 4, 8, 8], AROUND, mode="edge"), 17),
    "LogSoftmax-11": (one_node(11, "LogSoftmax", [1, 4, 6, 6], axis=1), 17),
    "ReduceSum-11": (one_node(11, "ReduceSum", [1, 4], axes=[2, 3], keepdims=0), 17),
    "DepthToSpace-11": (one_node(11, "DepthToSpace", [1, 1, 12, 12], blocksize=2), 17),
    "ReduceL2-13": (one_node(13, "ReduceL2", [1, 4, 1, 1], axes=[2, 3]), 17),
    "Mish-18": (one_node(18, "Mish", [1, 4, 6, 6]), 18),
    "Gelu-20": (one_node(20, "Gelu", [1, 4, 6, 6]), 20),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_nodes_of_other_versions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes stay as they are, as those do that no operator of `ax` describes."""
    monkeypatch.setattr(importer, "CONVERTERS", {})
    original, version = FOREIGN[name]
    ctx = make_context()
    (graph,) = graphs(import_model(original, ctx))
    assert any(isinstance(op, ax.OnnxOp) for op in graph.body.block.ops)
    model, _ = export_graph(graph, ctx.store)
    onnx.checker.check_model(model, full_check=True)
    assert opset(model) == version
    inputs = random_inputs(graph, seed=3)
    assert_close(run_onnx(model, inputs), run_onnx(original, inputs))


def test_standard_nodes_follow_a_later_version() -> None:
    """ReduceMean has its axes as an input from version 18 on."""
    ctx, graph = parse(f"""
    ax.graph @main(%x: {X} "x") -> ("r") {{
      %a = ax.onnx "Mish"(%x) opset 18 present [1] with {{}} : ({X}) -> {X}
      %r = ax.reduce %a mean axes [1, 2] keepdims true : {X} -> tensor<1x1x1x6xf32>
      ax.return %r : tensor<1x1x1x6xf32>
    }}""")
    model, _ = export_graph(graph, ctx.store)
    onnx.checker.check_model(model, full_check=True)
    inputs = random_inputs(graph, seed=4)
    assert_close(run_onnx(model, inputs), {"r": run_graph(graph, list(inputs.values()), ctx.store)[0]})


@pytest.mark.parametrize(("kind", "attributes"), [("Scan", "num_scan_inputs = 1 : i64"), ("Hardmax", "axis = 1 : i64")])
def test_a_node_that_cannot_be_converted(kind: str, attributes: str) -> None:
    ctx, graph = parse(f"""
    ax.graph @main(%x: {X} "x") -> ("r") {{
      %r = ax.onnx "{kind}"(%x) opset 8 present [1] with {{{attributes}}} : ({X}) -> {X} loc("n"("net.onnx":7:0))
      ax.return %r : {X}
    }}""")
    with pytest.raises(AxirError) as raised:
        export_graph(graph, ctx.store)
    assert raised.value.render().startswith(
        f"net.onnx:7:0: error: [n] {kind} of operator set 8 cannot be brought to 17: "
    )


def test_a_foreign_domain_keeps_its_version() -> None:
    ctx, graph = parse(f"""
    ax.graph @main(%x: {X} "x") -> ("r") {{
      %r = ax.onnx "QuickGelu"(%x) domain "com.microsoft" opset 1 present [1] with {{alpha = 1.0 : f64}} : ({X}) -> {X}
      ax.return %r : {X}
    }}""")
    model, _ = export_graph(graph, ctx.store)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17), ("com.microsoft", 1)]
    x = random_inputs(graph, seed=5)
    assert_close(run_onnx(model, x), {"r": x["x"] / (1 + np.exp(-x["x"]))})


SCRIPT = """
import hashlib
from test_onnx_export import OPERATORS, graph_of, export_graph
digest = hashlib.sha256()
for name in OPERATORS:
    ctx, graph = graph_of(*OPERATORS[name])
    model, _ = export_graph(graph, ctx.store, extra_outputs=[v for op in graph.body.block.ops for v in op.results])
    digest.update(model.SerializeToString(deterministic=True))
print(digest.hexdigest())
"""


def test_equal_graphs_give_equal_bytes() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    found: list[str] = []
    for seed in ("1", "2"):
        path = os.pathsep.join([here, os.path.dirname(os.path.dirname(here))])
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        found.append(run.stdout)
    assert found[0] == found[1]
    assert len(found[0].strip()) == len(hashlib.sha256().hexdigest())
