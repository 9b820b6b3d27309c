"""bench/generate.py: the networks have the parameters and the work that their authors publish."""

from __future__ import annotations

import importlib.util
import sys
from math import prod
from types import ModuleType

import onnx
import pytest
from shared import CHECKOUT

# Millions of parameters and of multiply-accumulates (published as operations, two each), at the published input size:
# torchvision's documentation for ResNet, Ultralytics' tables for YOLO.
PUBLISHED = {"resnet18": (11.69, 1814), "yolov5n": (1.9, 2250), "yolov8n": (3.2, 4350), "yolo11n": (2.6, 3250)}


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", CHECKOUT / "bench" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_size(generator: ModuleType, name: str) -> None:
    model = onnx.shape_inference.infer_shapes(generator.generate(name), strict_mode=True)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    shapes = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*model.graph.value_info, *model.graph.output)
    }
    macs = sum(
        prod(shapes[node.output[0]]) * prod(weights[node.input[1]][1:])
        for node in model.graph.node
        if node.op_type in ("Conv", "Gemm")
    )
    parameters, work = PUBLISHED[name]
    assert sum(map(prod, weights.values())) / 1e6 == pytest.approx(parameters, rel=0.03)
    assert macs / 1e6 == pytest.approx(work, rel=0.03)


def test_same_bytes(generator: ModuleType) -> None:
    first, second = (generator.generate("resnet18", 32).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second
