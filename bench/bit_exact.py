"""Every network on real inputs: is every byte of every device output the same in simulator and reference interpreter?

The simulator sees only the image; the reference interpreter runs the quantized graph by docs/numerics.md. `values` is
how many different bytes the outputs hold: agreement on a constant output would mean little.
"""

from __future__ import annotations

import time

import numpy as np
from harness import Report, Table, add_networks, make_parser, need_shared_folder, networks_of
from networks import NETWORKS, build, device_inputs

from axir.backends.aipu.image import read_image
from axir.backends.aipu.simulator import Simulator
from axir.compiler import CompilerConfig
from axir.target.description import load

SCHEMES = ("per_tensor_min_max", "per_tensor_histogram", "hybrid_per_tensor_per_channel")


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, list(NETWORKS))
    parser.add_argument("--inputs", type=int, default=4, metavar="N", help="inputs a network, at least (default 4)")
    parser.add_argument("--scheme", choices=SCHEMES, help="quantization scheme (default: the compiler's)")
    arguments = parser.parse_args()
    shared = need_shared_folder()
    config = CompilerConfig() if arguments.scheme is None else CompilerConfig(quantization_scheme=arguments.scheme)

    report = Report(f"Bit-exactness, {config.quantization_scheme}", arguments.no_bars)
    table = Table(network=-22, inputs=6, bytes_compared=14, different=9, values=6, seconds=7)
    target = load()
    equal: list[bool] = []
    for name in networks_of(arguments):
        start = time.perf_counter()
        network = NETWORKS[name]
        frames = max(arguments.inputs, network.frames)
        model = network.quantize(shared, config)
        simulator = Simulator(read_image(build(model, config, target), target), target)
        simulator.check()
        size = different = 0
        values = np.zeros(256, np.bool_)
        for sample in network.inputs(shared, frames):
            stored = device_inputs(model, sample)
            for expected, found in zip(model.hosted.run_device(stored), simulator.run(stored), strict=True):
                size += expected.size
                different += int((expected != found).sum())
                values[expected.view(np.uint8)] = True
        equal.append(size > 0 and different == 0)
        table.row(name, frames, f"{size:,}", different, values.sum(), f"{time.perf_counter() - start:.1f}")
    print()
    report.bar(all(equal), f"simulator = reference, every byte: {sum(equal)} of {len(equal)} networks")
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
