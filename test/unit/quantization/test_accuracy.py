"""A trained network keeps its accuracy: ResNet-8 on CIFAR-10, calibrated on 100 images, scored on 400 others."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from shared import shared_model, shared_path

from axir import numerics
from axir.dialects import axq
from axir.frontends.onnx import import_model
from axir.interp.axq import Interpreter
from axir.ir.context import make_context
from axir.ir.pass_manager import run_passes
from axir.passes.calibrate import calibrate
from axir.passes.pipeline import GRAPH_PASSES
from axir.passes.quantization.float_graph import FloatGraph
from axir.passes.quantization.graph import depthwise_inputs, main_graph
from axir.passes.quantize import Scheme, quantize
from axir.registry import passes


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_top_1_falls_by_at_most_one_point(scheme: Scheme) -> None:
    data = np.load(shared_path("images", "cifar10_test_2k.npz"))
    images = [image.transpose(2, 0, 1)[None].astype(np.float32) for image in data["x"][:500]]
    labels = data["y"][100:500].ravel()

    ctx = make_context()
    module = import_model(str(shared_model("resnet8_cifar10")), ctx)
    run_passes(ctx, module, [passes()[name].load()() for name in GRAPH_PASSES])
    graph = main_graph(module)
    name = graph.inputs.data[0].data
    exact = FloatGraph(graph, ctx.store, list(graph.terminator.operands))
    calibrate(graph, ctx.store, ({name: image} for image in images[:100]), channels_for=depthwise_inputs(graph))
    reference = classes(exact.run({name: image})[0] for image in images[100:])
    quantize(graph, ctx.store, scheme)

    quantized = next(op for op in module.ops if isinstance(op, axq.GraphOp))
    interpreter = Interpreter(quantized, ctx.store)
    scale, zero = axq.quant_of(quantized.body.block.args[0]).scalar
    inverse = numerics.reciprocal(scale)
    stored = (numerics.quantize(image, inverse, np.asarray(zero, np.int32)) for image in images[100:])
    # The stored scores are in the order of the real ones.
    found = classes(interpreter.run([image])[0] for image in stored)

    def top_1(predicted: Any) -> float:
        return 100 * float(np.mean(predicted == labels))

    assert top_1(reference) > 70
    assert top_1(found) >= top_1(reference) - 1
    assert np.mean(found == reference) > 0.97


def classes(scores: Any) -> Any:
    return np.array([array.ravel().argmax() for array in scores])
