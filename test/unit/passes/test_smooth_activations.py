"""Smoothing leaves what the network computes, to the bit, and helps where a few channels are larger than others."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from axir.compiler import CompilerConfig, compile, quantize
from axir.dialects.axq import Constant
from axir.dialects.base import shape_of
from axir.frontends.onnx import import_model
from axir.interp.ax import run_graph
from axir.ir.constants import constant_array
from axir.ir.context import make_context
from axir.ir.pass_manager import run_passes
from axir.passes.calibrate import Calibrate
from axir.passes.pipeline import GRAPH_PASSES
from axir.passes.quantization.graph import ARGUMENT_STATS, main_graph, smoothed_values, stats_of
from axir.passes.smooth_activations import SmoothActivations, smooth
from axir.registry import passes

F32 = NDArray[np.float32]
TOKENS, FEATURES, HIDDEN = 9, 32, 48
OUTLIERS = (3, 17)


def mlp(factor: float) -> onnx.ModelProto:
    """Layer normalization, product, ReLU, product, on tokens; some normalized channels are larger by `factor`.

    As in trained transformers (Dettmers et al. 2022, arXiv:2208.07339); the weights take it back.
    """
    random = np.random.default_rng(0)
    scales = np.ones(FEATURES)
    scales[list(OUTLIERS)] = factor
    tensors = {
        "gamma": random.uniform(0.5, 1.5, FEATURES) * scales,
        "beta": random.normal(0, 0.1, FEATURES) * scales,
        "w1": random.standard_normal((FEATURES, HIDDEN)) / np.sqrt(FEATURES) / scales[:, None],
        "b1": random.normal(0, 0.1, HIDDEN),
        "w2": random.standard_normal((HIDDEN, FEATURES)) / np.sqrt(HIDDEN),
    }
    nodes = [
        helper.make_node("LayerNormalization", ["x", "gamma", "beta"], ["n"], "norm", axis=-1, epsilon=1e-6),
        helper.make_node("MatMul", ["n", "w1"], ["h0"], "fc1"),
        helper.make_node("Add", ["h0", "b1"], ["h"], "bias1"),
        helper.make_node("Relu", ["h"], ["g"], "relu"),
        helper.make_node("MatMul", ["g", "w2"], ["y"], "fc2"),
    ]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, TOKENS, FEATURES]) for name in ("x", "y")]
    initializers = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in tensors.items()]
    graph = helper.make_graph(nodes, "mlp", infos[:1], infos[1:], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def samples(count: int = 8) -> list[F32]:
    random = np.random.default_rng(1)
    return [random.standard_normal((1, TOKENS, FEATURES)).astype(np.float32) for _ in range(count)]


def fused(model: onnx.ModelProto) -> tuple[Any, Any]:
    context = make_context()
    module = import_model(model, context)
    run_passes(context, module, [passes()[name].load()() for name in GRAPH_PASSES])
    return context, module


def test_the_network_computes_the_same() -> None:
    context, module = fused(mlp(64.0))
    shapes = [shape_of(argument) for argument in main_graph(module).body.block.args]
    given = [np.random.default_rng(2).standard_normal(shape).astype(np.float32) for shape in shapes]
    (before,) = run_graph(main_graph(module), given, context.store)
    Calibrate(num_samples=4, activation_smoothing=0.5).apply(context, module)
    assert ARGUMENT_STATS in main_graph(module).attributes
    weights = {str(op) for op in main_graph(module).body.block.ops}
    SmoothActivations(activation_smoothing=0.5).apply(context, module)
    assert weights != {str(op) for op in main_graph(module).body.block.ops}
    assert ARGUMENT_STATS not in main_graph(module).attributes
    (after,) = run_graph(main_graph(module), given, context.store)
    assert np.array_equal(before, after)


def sqnr(model: onnx.ModelProto, **settings: Any) -> float:
    quantized = quantize(model, samples(), CompilerConfig(**settings))
    context = make_context()
    module = import_model(model, context)
    signal = noise = 0.0
    for array in samples():
        (exact,) = run_graph(main_graph(module), [array], context.store)
        (found,) = quantized(array)
        signal += float(np.square(exact).sum())
        noise += float(np.square(found - exact).sum())
    return 10 * float(np.log10(signal / noise))


def test_channels_of_different_ranges_gain() -> None:
    """Two of 32 channels are 64 times as large: the steps of all are, until smoothing shares it with the weights."""
    plain, smoothed = sqnr(mlp(64.0)), sqnr(mlp(64.0), activation_smoothing=0.5)
    even = sqnr(mlp(1.0))
    assert plain < even - 10
    assert smoothed > even - 1.5
    assert abs(sqnr(mlp(1.0), activation_smoothing=0.5) - even) < 1


def test_the_device_agrees(tmp_path: Path) -> None:
    config = CompilerConfig(activation_smoothing=0.5)
    compile(mlp(64.0), config, tmp_path / "out", calibration_dataset=samples(), check=2)


def test_with_all_of_it_channels_have_one_range() -> None:
    """But for the powers of two."""
    context, module = fused(mlp(64.0))
    graph = main_graph(module)
    Calibrate(num_samples=16, activation_smoothing=1.0).apply(context, module)
    assert smooth(graph, context.store, 1.0) == 1
    Calibrate(num_samples=16, activation_smoothing=1.0).apply(context, module)
    (value,) = smoothed_values(graph)
    extremes = constant_array(cast(Constant, stats_of(value, graph).channels), context.store)
    largest = np.abs(extremes).max(axis=0)
    assert largest.max() <= 2 * largest.min()
