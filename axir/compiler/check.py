"""`--check N`: the simulator, which sees only the images, against the reference interpreter of the quantized graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from axir.compiler.dataset import Sample
from axir.compiler.quantized_model import QuantizedModel
from axir.ir.diagnostics import AxirError
from axir.runtime.hosted_model import RunDevice, Segment
from axir.runtime.tensor_info import I8, QuantizedTensor


def check(
    model: QuantizedModel,
    simulate: Mapping[str, RunDevice],
    samples: Sequence[Sample],
    count: int,
    done: Callable[[int], None],
) -> None:
    """Compare every byte that every segment gives, on `count` frames; `simulate` has the segments' programs by name.

    The given samples go through the whole network: host parts, which are the same on both sides, and segments, each on
    the bytes that the parts before it gave. Of frames beyond the samples, each segment takes random bytes.
    Raises `AxirError` that names the first output and element that differ.
    """
    hosted = model.hosted
    frame = 0

    def compare(segment: Segment, taken: Sequence[I8], given: Sequence[I8]) -> None:
        found = simulate[segment.name](taken)
        for tensor, reference, simulated in zip(segment.outputs, given, found, strict=True):
            _compare(tensor, reference, simulated, frame)

    for sample in samples[:count]:
        hosted.run(dict(sample), compare)
        frame += 1
        done(frame)
    generator = np.random.default_rng(0)
    while frame < count:
        for segment in hosted.segments:
            taken = [generator.integers(-128, 128, t.tensor_shape, np.int8) for t in segment.inputs]
            compare(segment, taken, segment.run(taken))
        frame += 1
        done(frame)


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
