"""One frame on the device model, on one core of this machine: how long until it is checked, computed and timed.

Each network runs in a process of its own, bound to one core, with one BLAS thread. `cold` is everything after loading
Python's modules: reading the image, the static check, the first frame, the timing model. `warm` is the median of the
frames after that. `device` is the modelled time of a frame.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import Report, Table, add_networks, make_parser, measure, must, need_shared_folder, networks_of
from networks import NETWORKS, build, device_inputs

from axir.target.description import load

BARRED, BAR = "mobilenetv2_imagenet", 2.0

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PARTS = ("import", "load", "check", "first", "time")


def one_frame(name: str, shared: Path, folder: Path) -> dict[str, Any]:
    """Seconds by part of one network's frame, as bench/one_frame.py prints them."""
    network = NETWORKS[name]
    model = network.quantize(shared)
    image, inputs = folder / f"{name}.axm", folder / f"{name}.npz"
    image.write_bytes(build(model))
    stored = device_inputs(model, network.inputs(shared, 1)[0])
    tensors = zip(model.hosted.device_inputs, stored, strict=True)
    arrays: dict[str, Any] = {tensor.name: array for tensor, array in tensors}
    np.savez(inputs, **arrays)
    script = Path(__file__).with_name("one_frame.py")
    return json.loads(must(measure([sys.executable, script, image, inputs], ONE_THREAD)).output)


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, list(NETWORKS))
    arguments = parser.parse_args()
    shared = need_shared_folder()

    report = Report("One frame on the device model, on one core, in seconds", arguments.no_bars)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # inherited by the measured processes
    frequency = load().device.frequency
    table = Table(network=-22, **dict.fromkeys(PARTS, 7), cold=7, warm=7, device=10)
    cold: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in networks_of(arguments):
            found = one_frame(name, shared, Path(folder))
            cold[name] = sum(found[part] for part in PARTS[1:])
            seconds = [f"{found[part]:.3f}" for part in PARTS]
            device = f"{1000 * found['cycles'] / frequency:.3f} ms"
            table.row(name, *seconds, f"{cold[name]:.3f}", f"{found['warm']:.3f}", device)
    print()
    if BARRED in cold:
        report.bar(cold[BARRED] <= BAR, f"{BARRED}: functional and timed, cold, in {BAR:.0f} s: {cold[BARRED]:.2f} s")
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
