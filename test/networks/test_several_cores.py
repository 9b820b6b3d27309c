"""Three networks on several cores, in every mode: every byte is that of the reference; `bench/cores.py` times them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from cores import KNOWN, MODES, config_of
from networks import build, device_inputs
from shared import shared_path

from axir.backends.aipu.image import read_image
from axir.backends.aipu.simulator import Simulator
from axir.compiler.quantized_model import QuantizedModel
from axir.runtime.tensor_info import I8
from axir.target.description import load

TARGET = load()
SMALL, LARGE = "resnet8_cifar10", ("mobilenetv2_imagenet", "yunet_n_320")
EVERY = [("single", 1), *((mode, cores) for mode in MODES for cores in (2, 3, 4))]
CASES = [
    *((SMALL, mode, cores) for mode, cores in EVERY),
    *(
        pytest.param(name, mode, cores, marks=[] if cores == 4 else [pytest.mark.slow])
        for name in LARGE for mode, cores in EVERY
    ),
]  # fmt: skip


@cache
def reference(name: str) -> tuple[QuantizedModel, list[list[I8]], list[list[I8]]]:
    """The quantized network, inputs of four frames, and what they give."""
    network, shared = KNOWN[name], shared_path()
    try:
        network.path(shared)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    model = network.quantize(shared)
    frames = [device_inputs(model, sample) for sample in network.inputs(shared, 4)]
    return model, frames, [list(model.hosted.run_device(arrays)) for arrays in frames]


@pytest.mark.parametrize(("name", "mode", "cores"), CASES)
def test_every_byte_is_that_of_the_reference(name: str, mode: str, cores: int) -> None:
    shared_path("images")
    model, frames, expected = reference(name)
    image = read_image(build(model, config_of(mode, cores), TARGET), TARGET)
    assert (image.mode, len(image.cores)) == (mode, cores)
    assert image.frames == (cores if mode == "batch" else 1)
    simulator = Simulator(image, TARGET)
    simulator.check()
    found = simulator.run([array for frame in frames[: image.frames] for array in frame])
    wanted = [array for frame in expected[: image.frames] for array in frame]
    assert any(np.unique(array).size > 1 for array in wanted)
    for want, got in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(got, want)
