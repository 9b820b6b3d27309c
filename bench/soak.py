"""Soak: thousands of frames through streams with random queues, stops and faults; none may be lost or out of order.

    python bench/soak.py [--frames 10000] [--seed 0]

The digits network runs on one to four instances. Streams are closed after a random number of results, and the next one
goes on with the first frame that has no result yet; cores stop at random, but never all of a stream. Every result is
compared with that of an instance alone, and the memory of the process is watched. The device is a model; no chip was
involved.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from harness import Report, make_parser
from numpy.typing import NDArray

from axir.compiler import CompilerConfig, compile, quantize
from axir.runtime import Context, InferenceStream, Model, load, load_model

DIGITS = Path(__file__).resolve().parent.parent / "examples" / "digits" / "digits.onnx"
INPUTS = 16
"""Different frames, which take turns."""
GROWTH = 16 << 20
"""Bytes by which memory may grow once everything has run a while: caches of NumPy and of Python's allocator."""
WARM = 0.2


@dataclass
class Soaked:
    """What a soak has seen."""

    frames: int = 0
    streams: int = 0
    stops: int = 0
    faults: int = 0
    growth: int = 0
    seconds: float = 0.0


def digits(folder: Path) -> Model:
    """The digits network, for a quarter of the device."""
    config = CompilerConfig(resources_used=0.25)
    rng = np.random.default_rng(0)
    samples = [rng.uniform(0, 1, shape_of()).astype(np.float32) for _ in range(4)]
    compile(quantize(DIGITS, samples, config), config, folder / "digits")
    return load_model(folder / "digits")


def shape_of() -> tuple[int, ...]:
    import onnx

    (tensor,) = onnx.load(str(DIGITS)).graph.input
    return tuple(dimension.dim_value or 1 for dimension in tensor.type.tensor_type.shape.dim)


def soak(model: Model, frames: int, seed: int) -> Soaked:
    """Run so many frames. Raises `AssertionError` for a frame that is lost, wrong or out of order."""
    chance, begun = random.Random(seed), time.perf_counter()
    rng = np.random.default_rng(seed)
    inputs = [rng.uniform(0, 1, model.file.inputs[0].shape).astype(np.float32) for _ in range(INPUTS)]
    alone = load(model.path)
    expected = [alone(one)[0] for one in inputs]
    seen, warm = Soaked(), 0
    threads = threading.active_count()

    def source(first: int) -> Iterator[NDArray[Any]]:
        for number in range(first, frames):
            yield inputs[number % INPUTS]

    while seen.frames < frames:
        count = chance.randint(1, 4)
        with Context() as context:
            connection = context.device_connect(num_sub_devices=count)
            instances = [connection.load_model_instance(model, f"digits.{number}") for number in range(count)]
            for instance in chance.sample(instances, chance.randint(0, count - 1)):
                instance.inject_fault(after=chance.randint(1, 40))
            stop = chance.randint(1, 400)
            with InferenceStream(instances, source(seen.frames), queue_size=chance.randint(1, 12)) as stream:
                for (result,) in stream:
                    assert np.array_equal(result, expected[seen.frames % INPUTS]), f"frame {seen.frames} is wrong"
                    seen.frames += 1
                    stop -= 1
                    if not stop:
                        break
                seen.faults += len(stream.retired)
            seen.stops += not stop
            seen.streams += 1
        assert threading.active_count() == threads, "a thread is left"
        if not warm and seen.frames >= WARM * frames:
            warm = resident()
    seen.growth, seen.seconds = resident() - warm, time.perf_counter() - begun
    return seen


def resident() -> int:
    """Bytes of memory of this process; the most there ever were, where the system does not tell the present ones."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        return pages * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    report = Report("Soak of streams (device model, no chip)", arguments.no_bars)
    with tempfile.TemporaryDirectory() as folder:
        seen = soak(digits(Path(folder)), arguments.frames, arguments.seed)
    print(
        f"{seen.frames:,} frames in {seen.streams} streams, {seen.stops} of them stopped early, {seen.faults} cores "
        f"stopped, {seen.seconds:.0f} s"
    )
    report.bar(True, "no frame lost, wrong or out of order, no thread left")
    report.bar(seen.growth < GROWTH, f"memory grew by {seen.growth / 2**20:.1f} MiB after the first fifth")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
