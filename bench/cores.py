"""One frame, or one frame a core: modelled cycles by mode and number of cores, and is every byte that of one core?

`run` are the cycles from the start of a run to its end (of `cores` frames in mode batch, of one else), `frame` those
from frame to frame in steady state, without the link to the host. `latency` is how many times sooner a run is done than
that of one core, `rate` how many times the frames a second. Every byte of every output is compared with the reference
interpreter.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from harness import Report, Table, add_networks, make_parser, need_shared_folder, networks_of
from networks import DETECTORS, NETWORKS, build, device_inputs

from axir.backends.aipu.image import read_image
from axir.backends.aipu.simulator import Simulator
from axir.compiler import CompilerConfig
from axir.compiler.quantized_model import QuantizedModel
from axir.ir.diagnostics import AxirError
from axir.runtime.tensor_info import I8
from axir.runtime.timing import side_by_side
from axir.target.description import Target, load

MODES = ("batch", "cooperative", "pipeline")
KNOWN = {**NETWORKS, **DETECTORS}
DEFAULT = ("resnet50_random", "mobilenetv2_imagenet", "yolov8n_rand")

LATENCY = ("resnet50_random", "yolov8n_rand")
LATENCY_BAR = 2.0
"""How many times sooner four cooperating cores are to be done with a frame than one."""


@dataclass(frozen=True)
class Outcome:
    """Of one program: modelled cycles of a run, and from frame to frame; whether all bytes were right."""

    run: int
    frame: float
    exact: bool


def config_of(mode: str, cores: int) -> CompilerConfig:
    """A configuration for so many cores, with their share of the memory."""
    if cores == 1:
        return CompilerConfig(resources_used=0.25)
    return CompilerConfig(multicore_mode=mode, aipu_cores_used=cores, resources_used=cores / 4)


def outcome(
    model: QuantizedModel, stored: list[list[I8]], expected: list[list[I8]], config: CompilerConfig, target: Target
) -> Outcome:
    """Build, check, run and time a network; `stored` are inputs of enough frames, `expected` what they give."""
    image = read_image(build(model, config, target), target)
    simulator = Simulator(image, target)
    simulator.check()
    found = simulator.run([array for arrays in stored[: image.frames] for array in arrays])
    wanted = [array for arrays in expected[: image.frames] for array in arrays]
    exact = all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))
    cycles = side_by_side([image], 1, len(image.cores), target)
    return Outcome(int(cycles.first), cycles.steady / image.frames, exact)


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, list(KNOWN))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES), metavar="MODE")
    parser.add_argument("--cores", nargs="+", type=int, choices=(2, 3, 4), default=[2, 3, 4], metavar="N")
    arguments = parser.parse_args()
    if not arguments.networks:
        arguments.networks = list(DEFAULT)
    shared = need_shared_folder()

    report = Report("Several cores, modelled cycles", arguments.no_bars)
    table = Table(network=-22, mode=-12, cores=5, run=10, frame=10, latency=7, rate=6, exact=5, seconds=7)
    target = load()
    exact: list[bool] = []
    latency: dict[str, float] = {}
    for name in networks_of(arguments):
        network = KNOWN[name]
        model = network.quantize(shared)
        stored = [device_inputs(model, sample) for sample in network.inputs(shared, max(arguments.cores))]
        expected = [list(model.hosted.run_device(arrays)) for arrays in stored]

        one: Outcome | None = None
        for mode, cores in (("one core", 1), *((mode, cores) for mode in arguments.modes for cores in arguments.cores)):
            start = time.perf_counter()
            try:
                found = outcome(model, stored, expected, config_of(mode, cores), target)
            except AxirError as error:
                table.row(name, mode, cores, *["refused"] * 2, "", "", "", "")
                print(f"  {error.message}")
                exact.append(False)
                continue
            one = one or found
            exact.append(found.exact)
            if (mode, cores) == ("cooperative", 4) and name in LATENCY:
                latency[name] = one.run / found.run
            table.row(
                name, mode, cores, f"{found.run:,}", f"{found.frame:,.0f}",
                f"{one.run / found.run:.2f}", f"{one.frame / found.frame:.2f}", "yes" if found.exact else "NO",
                f"{time.perf_counter() - start:.1f}",
            )  # fmt: skip
        print()
    report.bar(all(exact), f"every byte that of the reference: {sum(exact)} of {len(exact)} programs")
    for name, times in latency.items():
        report.bar(times >= LATENCY_BAR, f"{name}: {times:.2f} times sooner on 4 cooperating cores than on one")
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
