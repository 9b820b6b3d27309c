"""Trained networks through the whole chain, on real inputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from shared import CHECKOUT, shared_model, shared_path

from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.quantized_model import QuantizedModel
from axir.runtime import load

DIGITS = CHECKOUT / "examples" / "digits"


@pytest.fixture(scope="module")
def digits() -> Any:
    sys.path.insert(0, str(DIGITS))
    try:
        import data  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.pop(0)
    return data.load()


@pytest.fixture(scope="module")
def quantized(digits: Any) -> QuantizedModel:
    return quantize(DIGITS / "digits.onnx", digits[0].images[:100])


def test_digits_keep_their_accuracy(quantized: QuantizedModel, digits: Any) -> None:
    held_out = digits[1]
    results = np.concatenate([quantized(image)[0] for image in held_out.images])
    assert (results.argmax(axis=1) == held_out.labels).mean() >= 0.99


def test_digits_on_the_device(quantized: QuantizedModel, digits: Any, tmp_path: Path) -> None:
    compiled = compile(quantized, CompilerConfig(resources=0.25), tmp_path / "out", check=5)
    assert json.loads((tmp_path / "out" / "compilation_report.json").read_text())["check"]["bit_exact"]
    assert not (tmp_path / "out" / "input_model").exists()
    device = load(compiled.model_json)
    for image in digits[1].images[:10]:
        assert np.array_equal(device(image)[0], quantized(image)[0])


def test_digits_saved_and_loaded(quantized: QuantizedModel, digits: Any, tmp_path: Path) -> None:
    quantized.export(tmp_path / "saved")
    again = QuantizedModel.load(tmp_path / "saved")
    assert again.name == quantized.name == "digits"
    for image in digits[1].images[:10]:
        assert np.array_equal(again(image)[0], quantized(image)[0])


@pytest.mark.slow
def test_the_demo() -> None:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(DIGITS / "demo.py")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "agree bit for bit: every output byte is the same on 500 of 500 digits" in result.stdout


def test_mnist8(tmp_path: Path) -> None:
    """Bit for bit on random images."""
    images = np.random.default_rng(0).uniform(0, 255, (8, 1, 28, 28)).astype(np.float32)
    config = CompilerConfig(quantization_scheme="per_tensor_min_max")
    compile(shared_model("mnist8"), config, tmp_path / "out", calibration_dataset=images, check=4)


def test_resnet8_on_cifar10(tmp_path: Path) -> None:
    """Bit for bit on photos, and the float network's answer on most of them."""
    with np.load(shared_path("images", "cifar10_test_2k.npz")) as archive:
        photos = archive["x"][:150].transpose(0, 3, 1, 2).astype(np.float32)
    path = shared_model("resnet8_cifar10")
    model = quantize(path, photos[:100])
    compile(model, CompilerConfig(), tmp_path / "out", check=2)
    device = load(tmp_path / "out")
    assert np.array_equal(device(photos[0])[0], model(photos[0])[0])
    session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    same = [session.run(None, {"input": x[None]})[0].argmax() == model(x)[0].argmax() for x in photos[100:]]
    assert sum(same) >= 45
