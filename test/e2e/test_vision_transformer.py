"""A small vision transformer, with the operators that PyTorch exports: all of it on the device, bit for bit."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import onnxruntime
import pytest
from shared import CHECKOUT

from axir.compiler import CompilerConfig, compile, quantize
from axir.dialects import axq


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_vit", CHECKOUT / "bench" / "generate_vit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("opset", [13, 17])
def test_a_vision_transformer_runs_on_the_device(generator: ModuleType, opset: int, tmp_path: Path) -> None:
    shape = generator.Shape(size=64, features=96, depth=2, heads=3, classes=10, opset=opset)
    model = generator.generate(shape)
    rng = np.random.default_rng(0)
    images = [rng.normal(0, 1, (1, 3, 64, 64)).astype(np.float32) for _ in range(8)]
    config = CompilerConfig(quantization_debug=True, model_debug_save_dir=tmp_path / "debug")
    quantized = quantize(model, images, config)
    operators = [op.name.removeprefix("axq.") for op in quantized.graph.walk() if isinstance(op, axq.QuantOp)]
    assert operators.count("matmul") == 4
    assert operators.count("normalize") == 5
    assert operators.count("softmax") == 2
    assert operators.count("constant") == 2  # class token and position embedding
    compile(quantized, CompilerConfig(), tmp_path / "out", check=2)
    rows = json.loads((tmp_path / "debug" / "accuracy.json").read_text())["layers"]
    assert len(rows) == len([name for name in operators if name != "constant"])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    exact = np.concatenate([session.run(None, {"images": image})[0] for image in images])
    found = np.concatenate([quantized(image)[0] for image in images])
    noise = found - exact
    assert 10 * np.log10((exact**2).sum() / (noise**2).sum()) > 20  # dB
