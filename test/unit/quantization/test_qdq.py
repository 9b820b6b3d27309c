"""The QDQ model under ONNX Runtime, executed literally, computes what the interpreter computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from axq_graphs import GraphBuilder, RandomGraph, operations
from hypothesis import given
from xdsl.dialects.builtin import BoolAttr, FloatAttr, f64, i1

from axir import numerics
from axir.backends.qdq.export import export_qdq
from axir.dialects import axq
from axir.dialects.axq import QuantType
from axir.dialects.base import integer, ints
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.interp.axq import Interpreter
from axir.ir.constants import constant_array


def run_onnx(model: onnx.ModelProto, feed: dict[str, Any]) -> list[Any]:
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    # Without this, ONNX Runtime replaces QDQ groups by integer kernels with roundings of their own.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feed)


def per_nchw(value: Any, store: Any) -> tuple[Any, Any]:
    element = axq.quant_of(value)
    if not element.per_channel:
        return np.float32(element.scalar[0]), np.int32(element.scalar[1])
    scale, zero = constant_array(element.scale, store), constant_array(element.zero_point, store)
    return scale.reshape(-1, 1, 1), zero.reshape(-1, 1, 1)


def differences(graph: axq.GraphOp, store: Any, inputs: list[Any]) -> list[Any]:
    """How far apart, in steps of the output scale, the outputs of ONNX Runtime and of the interpreter are."""
    arguments = graph.body.block.args
    names = [name.data for name in graph.inputs]
    feed = {
        name: numerics.dequantize(array, *per_nchw(argument, store))
        for name, argument, array in zip(names, arguments, inputs, strict=True)
    }
    actual = run_onnx(export_qdq(graph, store), feed)
    expected = Interpreter(graph, store).run(inputs)
    found = []
    for value, real, stored in zip(graph.terminator.operands, actual, expected, strict=True):
        scale, zero = per_nchw(value, store)
        found.append(np.rint(real / scale).astype(np.int32) + zero - stored)
    return found


@given(operations(tables_last=True))
def test_every_operation_is_within_one_step(case: RandomGraph) -> None:
    for difference in differences(case.graph, case.store, case.inputs):
        assert np.abs(difference).max() <= 1


def test_a_network_agrees_almost_everywhere() -> None:
    """Conv, depthwise on per-channel bytes, squeeze-and-excitation, residual, pool, concat: 99 % within one step."""
    builder = GraphBuilder()
    rng = np.random.default_rng(0)
    scales, zeros = rng.uniform(0.01, 0.03, 16).astype(np.float32), rng.integers(-128, 0, 16).astype(np.int32)
    by_channel = QuantType(builder.constant(scales), builder.constant(zeros))

    def conv(x: Any, outputs: int, kernel: int, element: QuantType, steps: list[Step], *extras: Any, group: int = 1):
        shape = x.type.get_shape()
        weight = rng.integers(-127, 128, (outputs, shape[1] // group, kernel, kernel)).astype(np.int8)
        scale = (rng.uniform(0.5, 1, outputs) / 70 / np.sqrt(weight[0].size)).astype(np.float32)
        properties = {
            "weight": builder.constant(weight),
            "weight_scale": builder.constant(scale),
            "bias": builder.constant(rng.integers(-999, 999, outputs).astype(np.int32)),
            "strides": ints((1, 1)),
            "pads": ints((kernel // 2,) * 4),
            "dilations": ints((1, 1)),
            "group": integer(group),
            "epilogue": EpilogueAttr(steps),
        }
        result = (1, outputs, *shape[2:])
        return builder.add(axq.ConvOp, [x, list(extras)], properties, result, element)

    x = builder.input((1, 3, 24, 24), QuantType.per_tensor(1 / 64, 0))
    a = conv(x, 16, 3, by_channel, [Step("silu")])
    b = conv(a, 16, 3, QuantType.per_tensor(0.02, -100), [Step("hard_swish")], group=16)
    window = {"kernel": ints((24, 24)), "strides": ints((1, 1)), "pads": ints((0,) * 4)}
    mean = builder.add(
        axq.AvgPoolOp,
        [b, []],
        {**window, "count_include_pad": BoolAttr(1, i1)},
        (1, 16, 1, 1),
        QuantType.per_tensor(0.01, 0),
    )
    gate = conv(mean, 16, 1, QuantType.per_tensor(1 / 255, -128), [Step("sigmoid")])
    c = conv(b, 16, 1, QuantType.per_tensor(0.05, 3), [Step("mul"), Step("add"), Step("relu")], gate, b)
    pooled = builder.add(
        axq.MaxPoolOp,
        [c],
        {"kernel": ints((3, 3)), "strides": ints((2, 2)), "pads": ints((1,) * 4), "dilations": ints((1, 1))},
        (1, 16, 12, 12),
        axq.quant_of(c),
    )
    joined = builder.add(axq.ConcatOp, [[pooled, pooled]], {"axis": integer(1)}, (1, 32, 12, 12), axq.quant_of(c))
    graph = builder.finish(joined, a, x)
    inputs = [rng.integers(-128, 128, (1, 3, 24, 24)).astype(np.int8)]
    for difference in differences(graph, builder.store, inputs):
        assert (np.abs(difference) <= 1).mean() >= 0.99
    # The comparison has something to compare: outputs vary.
    assert all(np.unique(array).size > 20 for array in Interpreter(graph, builder.store).run(inputs))


def test_softmax_is_padded_where_neutral_lanes_contribute() -> None:
    for neutral, operators in ((-100000.0, 1), (-1.0, 3)):
        builder = GraphBuilder()
        x = builder.input((1, 5, 2, 2), QuantType.per_tensor(1 / 64, 0))
        properties = {"axis": integer(1), "neutral": FloatAttr(neutral, f64)}
        y = builder.add(axq.SoftmaxOp, [x], properties, (1, 5, 2, 2), QuantType.per_tensor(1 / 256, -128))
        graph = builder.finish(y)
        nodes = [node.op_type for node in export_qdq(graph, builder.store).graph.node]
        assert len([kind for kind in nodes if kind in ("Pad", "Softmax", "Slice")]) == operators
        inputs = [np.random.default_rng(0).integers(-128, 128, (1, 5, 2, 2)).astype(np.int8)]
        (difference,) = differences(graph, builder.store, inputs)
        assert np.abs(difference).max() <= 1


def test_names_inputs_and_outputs_are_those_of_the_graph() -> None:
    builder = GraphBuilder()
    x = builder.input((1, 2, 2, 2), QuantType.per_tensor(0.5, 1))
    y = builder.add(axq.MapOp, [x, []], {}, (1, 2, 2, 2), QuantType.per_tensor(0.25, 0))
    model = export_qdq(builder.finish(y, y, x), builder.store)
    assert [value.name for value in model.graph.input] == ["input0"]
    assert [value.name for value in model.graph.output] == ["output0", "output1", "output2"]
    assert model.opset_import[0].version == 17
    image = np.full((1, 2, 2, 2), 3.26, np.float32)
    # 3.26 -> 7 steps of 0.5 = 3.5 on the way in; 3.5 = 14 steps of 0.25.
    for output in run_onnx(model, {"input0": image}):
        np.testing.assert_array_equal(output, np.float32(3.5))


def test_equal_graphs_give_equal_bytes() -> None:
    def model() -> bytes:
        builder = GraphBuilder()
        x = builder.input((1, 2, 2, 2), QuantType.per_tensor(0.5, 1))
        y = builder.add(axq.MapOp, [x, []], {}, (1, 2, 2, 2), QuantType.per_tensor(0.25, 0))
        return export_qdq(builder.finish(y), builder.store).SerializeToString(deterministic=True)

    assert model() == model()
