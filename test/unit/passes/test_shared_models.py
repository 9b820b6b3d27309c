"""Networks as exporters write them: after every pass they still compute what ONNX Runtime says of the original."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from graph_runs import apply, assert_close, graphs, random_inputs, run_exported, run_onnx
from shared import shared_model

from axir.dialects import ax, base
from axir.frontends.onnx import import_model
from axir.ir.context import make_context
from axir.passes.pipeline import GRAPH_PASSES

# Operators of @main and of @postamble in the end. A conv with an epilogue counts as one.
MODELS: dict[str, tuple[dict[str, Sequence[int]], dict[str, int], dict[str, int]]] = {
    "mnist8": ({}, {"conv": 3, "max_pool": 2}, {"reshape": 1}),
    "resnet8_cifar10": ({}, {"conv": 10, "avg_pool": 1, "softmax": 1}, {"reshape": 1}),
    "mobilenetv2_imagenet": ({}, {"conv": 53, "avg_pool": 1}, {"reshape": 1}),
    "squeezenet1_1_rand": ({}, {"conv": 26, "max_pool": 3, "concat": 8, "avg_pool": 1}, {"reshape": 1}),
    "efficientnet_b0_rand": ({}, {"conv": 82, "avg_pool": 17, "mul": 16}, {"reshape": 1}),
    "ppocr_cls": (
        {"x": (1, 3, 48, 192)},
        {"conv": 54, "avg_pool": 10, "mul": 9, "max_pool": 1, "softmax": 1},
        {"reshape": 1},
    ),
    "minifasnetv2_80": ({}, {"conv": 51}, {"reshape": 1}),
    "unet_small_rand": ({}, {"conv": 19, "max_pool": 4, "conv_transpose": 4, "concat": 4}, {}),
    "fastestdet": (
        {},
        {"conv": 70, "max_pool": 1, "concat": 18, "slice": 26, "conv_transpose": 1, "avg_pool": 1, "softmax": 1},
        {"concat": 1},
    ),
    "yunet_n_320": (
        {},
        {"conv": 59, "max_pool": 4, "conv_transpose": 2},
        {"reshape": 12, "transpose": 6},
    ),
}


def counts(graph: ax.GraphOp) -> dict[str, int]:
    found: dict[str, int] = {}
    for op in graph.body.block.ops:
        if not isinstance(op, ax.ConstantOp | ax.ReturnOp):
            kind = op.name.removeprefix("ax.")
            found[kind] = found.get(kind, 0) + 1
    return found


@pytest.mark.parametrize("name", MODELS)
def test_every_pass_keeps_the_meaning(name: str) -> None:
    path = shared_model(name)
    shapes, device, host = MODELS[name]
    ctx = make_context()
    module = import_model(path, ctx, shapes)
    (graph,) = graphs(module)
    rng = np.random.default_rng(0)
    inputs = {
        n.data: rng.standard_normal(base.shape_of(value), np.float32)
        for n, value in zip(graph.inputs, graph.body.block.args, strict=True)
    }
    expected = run_onnx(str(path), inputs)
    for pass_name in GRAPH_PASSES:
        apply(ctx, module, [pass_name])
        assert_close(run_exported(ctx, module, inputs), expected)
    found = {graph.sym_name.data: counts(graph) for graph in graphs(module)}
    assert found == {"main": device} | ({"postamble": host} if host else {})


@pytest.mark.parametrize("name", ["mnist8", "ppocr_cls", "minifasnetv2_80"])
def test_without_simplification_the_device_runs_as_much(name: str) -> None:
    """Batch norms and numbers that weights and tables would take become convolutions, none goes to the host."""
    path = shared_model(name)
    shapes, device, host = MODELS[name]
    ctx = make_context()
    module = import_model(path, ctx, shapes)
    inputs = random_inputs(graphs(module)[0], seed=0)
    expected = run_onnx(str(path), inputs)
    options = "{apply-arithmetic-simplification=false simplify-mac-before-after-lut=false}"
    changed = [name + options if name in ("canonicalize-graph", "dense-to-conv") else name for name in GRAPH_PASSES]
    apply(ctx, module, changed)
    assert_close(run_exported(ctx, module, inputs), expected)
    main, postamble = graphs(module)
    assert counts(main)["conv"] > device["conv"]
    assert counts(main) | {"conv": device["conv"]} == device
    assert counts(postamble) == host
