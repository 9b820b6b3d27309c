"""`--check N`: the simulator, which sees only the images, against the reference interpreter of the quantized graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from axir.backends.aipu.simulator import Simulator
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


class OneFrame:
    """A program run for one frame at a time; one of a batch takes the frames before it in its other places.

    What a frame gives must not depend on its place: it is compared with what the same frame gave in the first.
    """

    def __init__(self, simulator: Simulator):
        self._simulator = simulator
        self._recent: list[tuple[list[I8], list[I8]]] = []  # frames and what they gave, the last first

    def __call__(self, taken: Sequence[I8]) -> list[I8]:
        """What the frame gives. Raises `AxirError` where a place of a batch gives something else."""
        frames = self._simulator.image.frames
        if frames == 1:
            return self._simulator.run(taken)
        own = list(taken)
        batch = [own, *(frame for frame, _ in self._recent)]
        batch += [own] * (frames - len(batch))
        given = self._simulator.run([array for frame in batch for array in frame])
        count = len(given) // frames
        places = [given[start : start + count] for start in range(0, len(given), count)]
        expected = [places[0], *(known for _, known in self._recent)]
        expected += [places[0]] * (frames - len(expected))
        for number, (want, got) in enumerate(zip(expected, places, strict=True)):
            if any(not np.array_equal(a, b) for a, b in zip(want, got, strict=True)):
                raise AxirError(
                    f"frame {number} of a batch gives other bytes than the same frame as the first",
                    notes=("this is a defect of AXIR: please report it with the model and conf.toml",),
                )
        self._recent = [(own, places[0]), *self._recent][: frames - 1]
        return places[0]


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
