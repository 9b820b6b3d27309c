"""Runs split or whole modules of `ax` graphs, for tests that compare what passes leave with what they got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto
from xdsl.dialects.builtin import ModuleOp

from axir.backends.onnx import export_graph
from axir.dialects import ax, base
from axir.interp.ax import run_graph
from axir.ir.constants import numpy_dtype
from axir.ir.context import AxContext
from axir.ir.parsing import parse_module
from axir.ir.printing import print_module
from axir.ir.verifier import verify
from axir.registry import passes
from axir.tools.pipeline import build_pipeline

Array = NDArray[Any]
Values = dict[str, Array]

TOLERANCE = 1e-4
"""Relative to the greatest magnitude of the reference; ONNX Runtime sums in another order than NumPy."""


def graphs(module: ModuleOp) -> list[ax.GraphOp]:
    return [op for op in module.ops if isinstance(op, ax.GraphOp)]


def random_inputs(graph: ax.GraphOp, seed: int) -> Values:
    """Inputs in [-4, 4): activation functions see both of their ends."""
    rng = np.random.default_rng(seed)
    return {
        name.data: rng.uniform(-4, 4, base.shape_of(value)).astype(numpy_dtype(base.tensor_of(value).element_type))
        for name, value in zip(graph.inputs, graph.body.block.args, strict=True)
    }


def apply(ctx: AxContext, module: ModuleOp, pipeline: Sequence[str]) -> None:
    """Run passes, written as for ax-opt; what they leave verifies, and reads back from its text unchanged."""
    for pass_ in build_pipeline(",".join(pipeline), passes()):
        pass_.apply(ctx, module)
        verify(module)
    text = print_module(module)
    assert print_module(parse_module(ctx, text, "printed.mlir")) == text


def interpret(ctx: AxContext, module: ModuleOp, inputs: Mapping[str, Array]) -> Values:
    """All values that go into or come out of the module's graphs; each graph takes its inputs from them by name."""
    values = dict(inputs)
    for graph in graphs(module):
        results = run_graph(graph, [values[name.data] for name in graph.inputs], ctx.store)
        values |= dict(zip([name.data for name in graph.outputs], results, strict=True))
    return values


def run_exported(ctx: AxContext, module: ModuleOp, inputs: Mapping[str, Array]) -> Values:
    """The same by ONNX Runtime, on the exported graphs."""
    values = dict(inputs)
    for graph in graphs(module):
        values |= run_onnx(export_graph(graph, ctx.store)[0], values)
    return values


def run_onnx(model: ModelProto | str, values: Mapping[str, Array]) -> Values:
    """The outputs of a model, by ONNX Runtime without its optimizations."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    source = model if isinstance(model, str) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    feeds = {value.name: values[value.name] for value in session.get_inputs()}
    results = cast("list[Array]", session.run(None, feeds))
    return dict(zip([output.name for output in session.get_outputs()], results, strict=True))


def assert_close(actual: Values, expected: Mapping[str, Array]) -> None:
    for name, value in expected.items():
        assert actual[name].shape == value.shape
        assert actual[name].dtype == value.dtype
        scale = max(float(np.abs(value).max(initial=0)), 1e-6)
        error = float(np.abs(actual[name].astype(np.float64) - value).max(initial=0)) / scale
        assert error <= TOLERANCE, f"{name} is off by {error:.2e} of its greatest magnitude"
