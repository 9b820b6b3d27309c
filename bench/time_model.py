"""Modelled against measured latency of 1x1 convolutions on the production card.

The measurements (reference/silicon_conv1x1.csv, rows of the PCIe card that are neither extrapolated nor failed) are of
[1, K, 1, M] inputs and [N, K, 1, 1] weights, one instance on each of four cores; `dev_lat_us` is a quarter of one
core's latency and counts execution on the device alone, without the host link (reference/hardware.md, 6a). The model
runs the same: four instances side by side, which begin in turn and go on, a quarter of L2 each, default settings.

`host_fps` and `system_fps` of the same rows, taken with double buffering and dmabuf on, are compared with the formulas
of axir/runtime/timing.py: from the measured device time, which tells about the formulas alone, and from the modelled.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from shared_folder import shared_folder
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64

from axir.backends.aipu.image import build_image, read_image
from axir.backends.aipu.simulator import in_turn, simulate, steady_state
from axir.dialects import aipu, axq
from axir.dialects.axq import QuantType, quantized
from axir.dialects.base import ints
from axir.dialects.epilogue import EpilogueAttr
from axir.ir.constants import constant_attr
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.passes.lower_to_aipu import LowerToAipuPass
from axir.passes.plan_memory import PlanMemoryPass
from axir.passes.schedule import SchedulePass
from axir.runtime.options import RuntimeOptions
from axir.runtime.timing import RUNS, FrameTimes, Transfers
from axir.target.description import Target, load

CORES = 4
SHARE = 0.25
ZERO_COPY = RuntimeOptions(input_dmabuf=True, output_dmabuf=True)


def convolution(k: int, n: int, m: int, target: Target, **settings: object) -> bytes:
    """The image of one 1x1 convolution with random weights."""
    context = make_context()
    rng = np.random.default_rng(0)
    x, y = QuantType.per_tensor(0.05, 0), QuantType.per_tensor(0.1, 0)
    graph = axq.GraphOp("main", [("x", quantized((1, k, 1, m), x))], ["y"])
    conv = axq.ConvOp.build(
        operands=[[graph.body.block.args[0]], []],
        properties={
            "weight": constant_attr(rng.integers(-127, 128, (n, k, 1, 1), np.int8), context.store),
            "weight_scale": constant_attr(np.full(n, 1e-3, np.float32), context.store),
            "bias": constant_attr(np.zeros(n, np.int32), context.store),
            "strides": ints([1, 1]),
            "pads": ints([0, 0, 0, 0]),
            "dilations": ints([1, 1]),
            "group": IntegerAttr(1, i64),
            "epilogue": EpilogueAttr(),
        },
        result_types=[quantized((1, n, 1, m), y)],
    )
    graph.body.block.add_ops([conv, axq.ReturnOp([conv.result])])
    module = ModuleOp([graph])
    for stage in (
        LowerToAipuPass(resources_used=SHARE, **settings),
        PlanMemoryPass(resources_used=SHARE),
        SchedulePass(),
    ):
        stage.apply(context, module)
    program = module.body.block.first_op
    assert isinstance(program, aipu.ProgramOp)
    return build_image(program, context.store, target)


def modelled(k: int, n: int, m: int, target: Target, **settings: object) -> FrameTimes:
    """A frame with all cores at work."""
    image = read_image(convolution(k, n, m, target, **settings), target)
    timings = simulate(in_turn(image, CORES, target), target, RUNS)
    cycles = statistics.mean(steady_state(timings).intervals)
    sizes = [sum(port.bytes for port in ports) for ports in (image.inputs, image.outputs)]
    transfers = Transfers(*sizes, staged=image.notes.get("staged_bytes", 0))
    return FrameTimes.of(cycles, transfers, target, ZERO_COPY, CORES)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    folder = shared_folder()
    default = folder / "reference" / "silicon_conv1x1.csv" if folder is not None else None
    parser.add_argument("--csv", type=Path, default=default, help="the measurements")
    arguments = parser.parse_args()
    if arguments.csv is None or not arguments.csv.exists():
        print("skipped: silicon_conv1x1.csv is in the shared folder, which is missing here")
        return 0
    target = load(None)
    errors: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    print(f"{'group':16} {'M':>5} {'K':>6} {'N':>6} {'measured us':>12} {'modelled us':>12} {'error %':>8}")
    with arguments.csv.open() as file:
        for row in csv.DictReader(file):
            if "pcie_card" not in row["board"] or row["extrapolated"] == "True" or not row["dev_lat_us"]:
                continue
            m, k, n = int(row["M"]), int(row["K"]), int(row["N"])
            measured = float(row["dev_lat_us"])
            try:
                times = modelled(k, n, m, target)
            except AxirError as error:
                print(f"{row['group']:16} {m:5} {k:6} {n:6} {measured:12.1f} {'-':>12}  {error.message}")
                continue
            model = 1e6 / times.device_fps
            error = 100 * (model - measured) / measured
            errors.setdefault(row["group"], []).append(error)
            for what, found in (("measured", replace(times, device=measured * CORES * 1e-6)), ("modelled", times)):
                for rate in ("host_fps", "system_fps"):
                    period = 100 * (float(row[rate]) / getattr(found, rate) - 1)
                    rates.setdefault(f"1/{rate} from the {what} device time", []).append(period)
            print(f"{row['group']:16} {m:5} {k:6} {n:6} {measured:12.1f} {model:12.1f} {error:8.1f}")
    everything = [abs(e) for group in errors.values() for e in group]
    for group, values in errors.items():
        print(f"{group:16} {len(values):3} rows, mean {statistics.mean(values):6.1f} %, "
              f"absolute {statistics.mean(map(abs, values)):5.1f} %")  # fmt: skip
    for what, values in rates.items():
        print(f"{what}: mean {statistics.mean(values):.1f} %, absolute {statistics.mean(map(abs, values)):.1f} %")
    print(f"mean absolute percentage error over {len(everything)} rows: {statistics.mean(everything):.1f} % (aim 25 %)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
