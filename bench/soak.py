"""Soak: thousands of frames through streams with random queues, stops and faults; none may be lost or out of order.

    python bench/soak.py [--frames 10000] [--seed 0]

The digits network runs on one to four instances. Streams are closed after a random number of results, and the next one
goes on with the first frame that has no result yet; cores stop at random, but never all of a stream. Every result is
compared with that of an instance alone.

Memory is watched twice, between streams: what lives (tracemalloc, to which NumPy reports its arrays too), and what the
process has from the system. For the latter the bench runs in one arena of the allocator (MALLOC_ARENA_MAX): with
glibc's default each new thread may fill another arena, up to eight a processor, before the process stops growing.
The device is a model; no chip was involved.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Iterator, Sequence
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
"""Bytes by which the process may grow once everything has run a while: caches of NumPy and of Python's allocator."""
LIVE_GROWTH = 64 << 10
"""Bytes by which what lives may grow: caches of Python. Ten bytes lost a frame would be more."""
WARM = 0.2
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}


@dataclass
class Soaked:
    """What a soak has seen."""

    frames: int = 0
    streams: int = 0
    stops: int = 0
    faults: int = 0
    growth: int = 0
    live_growth: int = 0
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
    seen, warm = Soaked(), None
    threads = threading.active_count()
    while seen.frames < frames:
        one_stream(model, inputs, expected, frames, chance, seen)
        assert threading.active_count() == threads, "a thread is left"
        if warm is None and seen.frames >= WARM * frames:
            warm = live(), resident()
    assert warm is not None
    seen.live_growth, seen.growth = live() - warm[0], resident() - warm[1]
    seen.seconds = time.perf_counter() - begun
    return seen


def one_stream(
    model: Model,
    inputs: Sequence[NDArray[Any]],
    expected: Sequence[NDArray[Any]],
    frames: int,
    chance: random.Random,
    seen: Soaked,
) -> None:
    """One stream over the frames that have no result yet, stopped at random; adds what it has seen."""

    def source(first: int) -> Iterator[NDArray[Any]]:
        for number in range(first, frames):
            yield inputs[number % INPUTS]

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


def live() -> int:
    """Bytes of all objects and arrays that are alive; 0 without tracemalloc."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


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
    if not ONE_ARENA.items() <= os.environ.items():  # the allocator reads it before Python runs
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_ARENA)
    report = Report("Soak of streams (device model, no chip)", arguments.no_bars)
    with tempfile.TemporaryDirectory() as folder:
        model = digits(Path(folder))
        tracemalloc.start()
        seen = soak(model, arguments.frames, arguments.seed)
    print(
        f"{seen.frames:,} frames in {seen.streams} streams, {seen.stops} of them stopped early, {seen.faults} cores "
        f"stopped, {seen.seconds:.0f} s"
    )
    report.bar(True, "no frame lost, wrong or out of order, no thread left")
    report.bar(seen.live_growth < LIVE_GROWTH, f"what lives grew by {seen.live_growth / 2**10:.1f} KiB after a fifth")
    report.bar(seen.growth < GROWTH, f"the process grew by {seen.growth / 2**20:.1f} MiB after a fifth, in one arena")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
