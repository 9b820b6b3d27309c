"""The networks of the shared folder: all are imported, most are run against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest
from onnx_models import imported, operators, random_inputs, run_ax, run_onnxruntime
from shared import shared_model

from axir.ir.printing import print_module

SHAPES = {
    "ppocr_cls": {"x": (1, 3, 48, 192)},
    "ppocrv4_det": {"x": (1, 3, 640, 640)},
    "prisma_portrait_seg": {"input_3": (1, 3, 256, 256)},
}

# Operators that stay ONNX's.
HOST_OPERATORS = {
    "efficientnet_b0_rand": [],
    "fastestdet": [],
    "minifasnetv2_80": [],
    "mnist8": [],
    "mobilenetv2_imagenet": [],
    "ppocr_cls": [],
    "ppocrv4_det": [],
    "prisma_portrait_seg": [],
    "realesr_animevideov3_x4_128": [],
    "resnet8_cifar10": [],
    "squeezenet1_1_rand": [],
    "unet_small_rand": [],
    "yolo11n_rand": [],
    "yolov8n_rand": [],
    "yunet_n_320": [],
}

COMPARED = [
    "efficientnet_b0_rand", "fastestdet", "minifasnetv2_80", "mnist8", "mobilenetv2_imagenet", "ppocr_cls",
    "resnet8_cifar10", "squeezenet1_1_rand", "unet_small_rand",
]  # fmt: skip


@pytest.mark.parametrize("name", HOST_OPERATORS)
def test_import(name: str) -> None:
    graph, ctx = imported(str(shared_model(name)), SHAPES.get(name))
    kept = sorted(kind.removeprefix("onnx:") for kind in operators(graph) if kind.startswith("onnx:"))
    assert kept == HOST_OPERATORS[name]
    text = print_module(graph)
    assert len(text) < 250_000
    assert "/" not in {line.rpartition("loc(")[2].partition(".onnx")[0] for line in text.splitlines()}
    again, _ = imported(str(shared_model(name)), SHAPES.get(name))
    assert print_module(again) == text
    assert ctx.store.keys()


@pytest.mark.parametrize("name", COMPARED)
def test_values(name: str) -> None:
    """Sums of float32 products in another order differ by some units in the last place of the largest output."""
    path = str(shared_model(name))
    graph, ctx = imported(path, SHAPES.get(name))
    feeds = random_inputs(graph)
    for result, expected in zip(run_ax(graph, ctx, feeds), run_onnxruntime(path, feeds), strict=True):
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-4 * float(np.abs(expected).max()))


def test_dynamic_input_needs_a_shape() -> None:
    from axir.ir.diagnostics import AxirError

    with pytest.raises(AxirError, match="dimension 0 of input 'x' is dynamic") as raised:
        imported(str(shared_model("ppocr_cls")))
    assert raised.value.notes == ("choose a shape, for example --input-shape x=1,3,224,224",)
