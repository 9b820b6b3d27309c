"""`--check N`: the simulator, which sees only the image, against the reference interpreter of the quantized graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from axir.compiler.dataset import Sample
from axir.compiler.quantized_model import QuantizedModel
from axir.ir.diagnostics import AxirError
from axir.runtime.hosted_model import RunDevice
from axir.runtime.tensor_info import I8, QuantizedTensor


def check_inputs(model: QuantizedModel, samples: Sequence[Sample], count: int) -> Iterator[list[I8]]:
    """`count` frames as the device takes them: the given samples first, random bytes for the rest."""
    hosted = model.hosted
    for sample in samples[:count]:
        yield hosted.device_bytes(dict(sample))
    generator = np.random.default_rng(0)
    for _ in range(count - len(samples)):
        yield [generator.integers(-128, 128, t.tensor_shape, np.int8) for t in hosted.device_inputs]


def check(model: QuantizedModel, simulate: RunDevice, frames: Iterable[list[I8]], done: Callable[[int], None]) -> None:
    """Compare every byte of every device output on every frame.

    Raises `AxirError` that names the first output and element that differ.
    """
    for index, inputs in enumerate(frames):
        expected = model.hosted.run_device(inputs)
        found = simulate(inputs)
        for tensor, reference, simulated in zip(model.hosted.device_outputs, expected, found, strict=True):
            _compare(tensor, reference, simulated, index)
        done(index + 1)


def _compare(tensor: QuantizedTensor, reference: I8, simulated: I8, frame: int) -> None:
    different = np.argwhere(reference != simulated)
    if not different.size:
        return
    first = tuple(map(int, different[0]))
    raise AxirError(
        f"simulator and reference differ in output '{tensor.name}' of frame {frame}: {len(different)} of "
        f"{reference.size} bytes, the first at {list(first)} (NCHW): simulator {simulated[first]}, "
        f"reference {reference[first]}",
        notes=("this is a defect of AXIR: please report it with the model and conf.toml",),
    )
