"""The nine networks of the benchmarks through the compiler, on real inputs; bench/ measures the same at length."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnxruntime
import pytest
from images import imagenet_input
from networks import NETWORKS, build, device_inputs
from shared import shared_path
from third_opinion import SingleOperators, WholeNetwork

from axir.backends.aipu.image import read_image
from axir.backends.aipu.simulator import Simulator
from axir.compiler import CompilerConfig
from axir.compiler.quantized_model import QuantizedModel
from axir.ir.diagnostics import AxirError
from axir.target.description import load

TARGET = load()

# Bytes of L1 that make every layer stream in tiles, and bytes that no layer of the network fits.
TIGHT = {
    "mnist8": (28_000, 9_000),
    "resnet8_cifar10": (35_000, 12_000),
    "mobilenetv2_imagenet": (300_000, 24_000),
    "squeezenet1_1_rand": (300_000, 24_000),
    "efficientnet_b0_rand": (1_200_000, 400_000),
    "ppocr_cls": (93_000, 35_000),
    "minifasnetv2_80": (100_000, 12_000),
    "unet_small_rand": (450_000, 90_000),
    "resnet50_random": (400_000, 24_000),
}


@cache
def quantized(name: str) -> QuantizedModel:
    """Calibrated on a few samples: these tests are about the device, not about accuracy."""
    return NETWORKS[name].quantize(shared_path())


@pytest.fixture(params=NETWORKS)
def name(request: pytest.FixtureRequest) -> str:
    """Each network whose files are there."""
    shared_path("images")
    try:
        NETWORKS[request.param].path(shared_path())
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return request.param


def assert_bit_exact(name: str, config: CompilerConfig, frames: int) -> Simulator:
    """Simulator = reference on every byte of every output."""
    model = quantized(name)
    simulator = Simulator(read_image(build(model, config, TARGET), TARGET), TARGET)
    simulator.check()
    for sample in NETWORKS[name].inputs(shared_path(), frames):
        inputs = device_inputs(model, sample)
        for expected, found in zip(model.hosted.run_device(inputs), simulator.run(inputs), strict=True):
            assert np.unique(expected).size > 1
            np.testing.assert_array_equal(found, expected)
    return simulator


def test_bit_exact(name: str) -> None:
    assert_bit_exact(name, CompilerConfig(), frames=2)


def test_bit_exact_without_l2(name: str) -> None:
    simulator = assert_bit_exact(name, CompilerConfig(l2_constraint=0), frames=1)
    assert simulator.image.memory.get("l2", 0) == 0


def test_bit_exact_in_little_l1(name: str) -> None:
    limit, _ = TIGHT[name]
    simulator = assert_bit_exact(name, CompilerConfig(l1_constraint=limit), frames=1)
    assert simulator.image.memory["l1"] <= limit


def test_too_little_l1_is_refused(name: str) -> None:
    _, limit = TIGHT[name]
    with pytest.raises(AxirError, match="does not fit L1") as refused:
        build(quantized(name), CompilerConfig(l1_constraint=limit), TARGET)
    error = refused.value
    assert error.node
    assert f"there are {limit:,}" in error.message
    assert "input tile" in error.notes[0]


@pytest.mark.parametrize("name", ["mnist8", "squeezenet1_1_rand", "unet_small_rand"], indirect=True)
def test_whole_network_in_qdq_form(name: str) -> None:
    """Shallow networks: deeper ones multiply single roundings (bench/third_opinion.py)."""
    model = quantized(name)
    session = WholeNetwork(model, optimized=False)
    hosted = model.hosted
    for sample in NETWORKS[name].inputs(shared_path(), 2):
        values = hosted.named_inputs([sample])
        inputs = hosted.device_bytes(values)
        feed = {tensor.name: values[tensor.name] for tensor in hosted.device_inputs}
        for expected, found in zip(hosted.run_device(inputs), session.run(feed), strict=True):
            assert (np.abs(found.astype(np.int32) - expected) <= 1).mean() >= 0.99


@pytest.mark.parametrize("name", ["mobilenetv2_imagenet", "efficientnet_b0_rand", "ppocr_cls"], indirect=True)
def test_single_operators_in_qdq_form(name: str) -> None:
    model = quantized(name)
    operators = SingleOperators(model)
    operators.add(device_inputs(model, NETWORKS[name].inputs(shared_path(), 1)[0]))
    assert min(agreement.share for agreement in operators.agreements) >= 0.99


@pytest.mark.parametrize("name", ["mobilenetv2_imagenet"], indirect=True)
def test_top_1_of_photos(name: str) -> None:
    """20 photos that it was not calibrated with: as good as float, give or take one."""
    folder = shared_path("images", "imagenet300")
    labels = dict(line.split("\t")[:2] for line in (folder / "labels.tsv").read_text("utf-8").splitlines()[1:])
    files = sorted(folder.glob("*.jpg"))[-20:]
    truth = [int(labels[file.name]) for file in files]
    photos = [imagenet_input(file) for file in files]
    session: Any = onnxruntime.InferenceSession(
        str(NETWORKS[name].path(shared_path())), providers=["CPUExecutionProvider"]
    )
    real = [int(session.run(None, {"input": photo})[0].argmax()) for photo in photos]
    int8 = [int(quantized(name)(photo)[0].argmax()) for photo in photos]

    def right(classes: list[int]) -> int:
        return sum(found == label for found, label in zip(classes, truth, strict=True))

    assert right(real) >= 14, "not the network that INDEX.tsv describes, or wrong preprocessing"
    assert right(int8) >= right(real) - 1
