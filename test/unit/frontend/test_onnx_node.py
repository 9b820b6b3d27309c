"""`ax.onnx`: operators that `ax` does not have, and the way back to ONNX."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper, numpy_helper
from onnx_models import check_against_onnxruntime, imported, make_model, operators, random_inputs, run_ax, single
from xdsl.dialects.builtin import StringAttr

from axir.dialects import ax, base
from axir.frontends.onnx.node_proto import decode_node, encode_attributes
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module
from axir.ir.printing import print_module

NONE = np.zeros(0, np.float32)


def only_onnx(graph: ax.GraphOp) -> ax.OnnxOp:
    (op,) = [op for op in graph.walk() if isinstance(op, ax.OnnxOp)]
    return op


@pytest.mark.parametrize(
    ("kind", "constants", "order", "attributes"),
    [
        ("Resize", {"scales": np.array([1, 1, 2, 2], np.float32)}, ["x", "", "scales"], {"mode": "cubic"}),
        ("Resize", {"roi": NONE, "scales": NONE, "sizes": np.array([1, 4, 3, 9])}, None, {"mode": "cubic"}),
        ("LRN", {}, None, {"size": 3, "alpha": 0.1, "beta": 0.3, "bias": 2.0}),
        ("TopK", {"k": np.array([2])}, None, {"axis": 1, "largest": 0}),
        ("Einsum", {}, None, {"equation": "nchw->nwhc"}),
    ],
)  # fmt: skip
def test_shape_and_values(
    kind: str, constants: dict[str, np.ndarray], order: list[str] | None, attributes: dict[str, object]
) -> None:
    outputs = ["y", "indices"] if kind == "TopK" else ["y"]
    model = single(kind, {"x": (1, 4, 6, 8)}, constants, order=order, outputs=outputs, **attributes)
    graph, _ = check_against_onnxruntime(model)
    assert operators(graph) == [f"onnx:{kind}"]


def test_the_reason_is_kept_for_operators_that_ax_has() -> None:
    unknown, _ = imported(single("Hardmax", {"x": (3,)}))
    assert not only_onnx(unknown).attributes
    known, _ = imported(single("Conv", {"x": (1, 2, 9, 4, 4)}, {"w": np.ones((2, 2, 3, 1, 1), np.float32)}))
    assert str(only_onnx(known).attributes["reason"]) == '"a window over 3 axes"'


def test_omitted_inputs_and_outputs() -> None:
    model = single(
        "LSTM", {"x": (5, 2, 3)}, {"w": np.ones((1, 16, 3), np.float32), "r": np.ones((1, 16, 4), np.float32),
        "h": np.zeros((1, 2, 4), np.float32)}, order=["x", "w", "r", "", "", "h"], outputs=["", "y"], hidden_size=4,
    )  # fmt: skip
    graph, ctx = imported(model)
    op = only_onnx(graph)
    assert base.ints_of(op.present) == (1, 1, 1, 0, 0, 1)
    assert [str(result.type) for result in op.outputs] == ["tensor<5x1x2x4xf32>", "tensor<1x2x4xf32>"]
    assert run_ax(graph, ctx, random_inputs(graph))[0].shape == (1, 2, 4)


ATTRIBUTES = {
    "i": 3, "f": float(np.float32(0.1)), "s": 'a "quoted"\nline', "ints": [1, -(2**63)], "floats": [0.5, 1e-30, -2.0],
    "strings": ["a", ""], "small": numpy_helper.from_array(np.array([[1, 2]], np.int32)),
    "large": numpy_helper.from_array(np.arange(100, dtype=np.float32)), "infinity": float("-inf"), "zero": 0.0,
}  # fmt: skip


def test_attributes_survive_text_and_return() -> None:
    node = helper.make_node("Anything", ["i0", "", "i1"], ["o0"], domain="com.example", **ATTRIBUTES)
    node.attribute.append(helper.make_attribute("empty", [], attr_type=helper.AttributeProto.FLOATS))
    ctx = make_context()
    body = '"builtin.module"() ({ %a, %b = "test.op"() : () -> (tensor<1xf32>, tensor<2xf32>) }) : () -> ()'
    module = parse_module(ctx, body, "test")
    (source,) = module.ops
    op = ax.OnnxOp.build(
        operands=[list(source.results)],
        result_types=[[source.results[0].type]],
        properties={
            "kind": StringAttr("Anything"), "domain": StringAttr("com.example"), "opset": base.integer(1),
            "present": base.ints([1, 0, 1]), "node_attributes": encode_attributes(node, ctx.store),
        },
    )  # fmt: skip
    module.body.block.add_op(op)
    text = print_module(module)
    again = parse_module(ctx, text, "test")
    assert print_module(again) == text
    parsed = again.body.block.last_op
    assert isinstance(parsed, ax.OnnxOp)
    decoded = decode_node(parsed, ctx.store)
    expected = sorted(node.attribute, key=lambda a: a.name)
    assert list(decoded.attribute) == expected
    assert (decoded.op_type, decoded.domain, list(decoded.input)) == ("Anything", "com.example", list(node.input))


def test_a_node_that_nothing_can_run() -> None:
    node = helper.make_node("Mystery", ["x"], ["y"], name="strange", domain="com.example")
    model = make_model([node], {"x": (2,)}, ["y"], domains={"com.example": 1})
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", 1, [2]))
    graph, ctx = imported(model)  # the model itself declares the shape
    with pytest.raises(AxirError, match="Mystery cannot be run on the host") as raised:
        run_ax(graph, ctx, random_inputs(graph))
    assert raised.value.node == "strange"


def test_a_result_of_another_shape_than_declared_is_an_error() -> None:
    node = helper.make_node("NonZero", ["x"], ["y"], name="count")
    model = make_model([node], {"x": (2, 2)}, ["y"])
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", 7, [2, 3]))
    graph, ctx = imported(model)
    with pytest.raises(AxirError, match=r"computes int64\[2, 4\], not tensor<2x3xi64>") as raised:
        run_ax(graph, ctx, {"x": np.ones((2, 2), np.float32)})
    assert raised.value.node == "count"


def test_masks_of_host_operators_may_be_infinite() -> None:
    nodes = [
        helper.make_node("Less", ["x", "zero"], ["mask"]),
        helper.make_node("Where", ["mask", "mask_value", "x"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["y"]),
    ]
    constants = {"zero": np.float32(0), "mask_value": np.float32(-np.inf)}
    model = make_model(nodes, {"x": (3, 4)}, ["y"], constants)
    graph, ctx = imported(model)
    assert operators(graph) == ["onnx:Less", "onnx:Where", "softmax"]
    (y,) = run_ax(graph, ctx, {"x": np.float32([[-1, 0, 1, 2]] * 3)})
    np.testing.assert_allclose(y[0], np.exp([-np.inf, 0, 1, 2]) / np.exp([0, 1, 2]).sum(), rtol=1e-6)
    with pytest.raises(AxirError, match="initializer 'mask_value' holds infinite values"):
        imported(make_model([helper.make_node("Add", ["x", "mask_value"], ["y"])], {"x": (3,)}, ["y"], constants))


@pytest.mark.parametrize(
    ("kind", "attributes", "message"),
    [
        ("LayerNormalization", {"axis": 2**40}, "axis 1099511627776 is outside of rank 4"),
        ("GatherND", {"batch_dims": -2}, "batch_dims is -2"),
    ],
)
def test_attributes_that_onnx_itself_does_not_survive(kind: str, attributes: dict[str, int], message: str) -> None:
    constants = {"second": np.zeros((1, 4, 6, 1), np.int64) if kind == "GatherND" else np.ones(8, np.float32)}
    with pytest.raises(AxirError, match=message):
        imported(single(kind, {"x": (1, 4, 6, 8)}, constants, **attributes))
