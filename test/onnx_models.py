"""Small ONNX models for tests: made, imported, run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from axir.dialects import ax, base
from axir.frontends.onnx import import_model
from axir.interp.ax import run_graph
from axir.ir.context import AxContext, make_context
from axir.ir.parsing import verify

Shape = Sequence[int | str | None]


def make_model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Shape],
    outputs: Sequence[str],
    constants: Mapping[str, np.ndarray] | None = None,
    *,
    opset: int = 17,
    elem_type: int = onnx.TensorProto.FLOAT,
    domains: Mapping[str, int] | None = None,
) -> onnx.ModelProto:
    """A model; the types of its outputs are left to inference."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, elem_type, shape) for name, shape in inputs.items()],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()],
    )
    imports = {"": opset, **(domains or {})}
    opsets = [helper.make_opsetid(domain, version) for domain, version in imports.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def single(
    kind: str,
    inputs: Mapping[str, Shape],
    constants: Mapping[str, np.ndarray] | None = None,
    *,
    order: Sequence[str] | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
    **attributes: object,
) -> onnx.ModelProto:
    """A model of one node, called `node`; `order` lists its inputs, by default the inputs and then the constants."""
    names = [*inputs, *(constants or {})] if order is None else order
    node = helper.make_node(kind, names, outputs, name="node", **attributes)
    return make_model([node], inputs, [name for name in outputs if name], constants, opset=opset)


def imported(
    model: onnx.ModelProto | str, input_shapes: Mapping[str, Sequence[int]] | None = None
) -> tuple[ax.GraphOp, AxContext]:
    """The verified `@main` of a model."""
    ctx = make_context()
    module = import_model(model, ctx, input_shapes)
    verify(module)
    graph = module.body.block.first_op
    assert isinstance(graph, ax.GraphOp)
    return graph, ctx


def operators(graph: ax.GraphOp) -> list[str]:
    """The operations of a graph in order, without constants and the return: `conv`, `relu`, `onnx:Resize`."""
    return [
        f"onnx:{op.kind.data}" if isinstance(op, ax.OnnxOp) else op.name.removeprefix("ax.")
        for op in graph.body.block.ops
        if not isinstance(op, ax.ConstantOp | ax.ReturnOp)
    ]


def random_inputs(graph: ax.GraphOp, seed: int = 0) -> dict[str, np.ndarray]:
    """Standard normal values for every input."""
    rng = np.random.default_rng(seed)
    arguments = zip(graph.inputs, graph.body.block.args, strict=True)
    return {name.data: rng.standard_normal(base.shape_of(arg)).astype(np.float32) for name, arg in arguments}


def run_ax(graph: ax.GraphOp, ctx: AxContext, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return run_graph(graph, [feeds[name.data] for name in graph.inputs], ctx.store)


def run_onnxruntime(model: onnx.ModelProto | str, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """The model's outputs, without the graph optimizations of ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    source = model if isinstance(model, str) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return session.run(None, dict(feeds))


def check_against_onnxruntime(
    model: onnx.ModelProto, *, rtol: float = 1e-4, atol: float = 1e-5
) -> tuple[ax.GraphOp, AxContext]:
    """Import, run both, compare shapes and values; the imported graph."""
    graph, ctx = imported(model)
    feeds = random_inputs(graph)
    results, expected = run_ax(graph, ctx, feeds), run_onnxruntime(model, feeds)
    assert len(results) == len(expected)
    for result, reference in zip(results, expected, strict=True):
        assert result.shape == reference.shape
        np.testing.assert_allclose(result, reference, rtol=rtol, atol=atol)
    return graph, ctx
