"""All networks with their tasks: what compiling costs, what runs on the device, how fast, and how near to float.

For each of the 15 networks, in processes of their own: `axc` from the ONNX file with the calibration inputs of
bench/tasks.py (seconds and most memory of the whole process), the share of multiply-accumulates on the device, frames a
second on one core (modelled), and on inputs of other photos the SQNR of every output against the float network and how
often the task's answer is the same. Then the program is built again from the quantized model, and a frame on the device
model compared with the reference, byte for byte.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from harness import Report, Table, add_networks, make_parser, measure, need_shared_folder, networks_of, tool
from tasks import TASKS, Task, float_outputs, input_name, sqnr

COMPARED = 24
"""Inputs compared, at most: this is about all networks, bench/accuracy_all.py about accuracy."""


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, list(TASKS))
    parser.add_argument("--quality", nargs=2, metavar=("NETWORK", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    shared = need_shared_folder()
    if arguments.quality:
        name, folder = arguments.quality
        print(json.dumps(quality(TASKS[name], shared, Path(folder))))
        return 0

    report = Report("Whole networks", arguments.no_bars)
    table = Table(
        network=-28, compile_and_memory=19, on_device=9, modelled_fps=12, SQNR=6, agreement=10, of=-8, bit_exact=9
    )
    failed: list[str] = []
    names = networks_of(arguments)
    for name in names:
        task = TASKS[name]
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            model, out = task.path(shared), folder / "out"
            shapes = [f"--input-shape={key}={','.join(map(str, shape))}" for key, shape in (task.shapes or {}).items()]
            np.savez(folder / "samples.npz", **{input_name(model): np.concatenate(task.calibration(shared))})
            calibration = ["--calibration", folder / "samples.npz", "--num-cal-images", str(task.calibrating)]
            compiled = measure([tool("axc"), model, "-o", out, *shapes, *calibration])
            placed = measure([tool("axc"), model, *shapes, "--partition-only", "--json"])
            judged = measure([sys.executable, __file__, "--quality", name, out])
            checked = measure([tool("axc"), out / "quantized_model", "-o", folder / "again", "--check", "1"])
            broken = next((run for run in (compiled, placed, judged, checked) if run.code), None)
            if broken is not None:
                failed.append(name)
                table.row(name, "failed", "", "", "", "", "", "")
                print(f"    {broken.output.strip()[-300:]}")
                continue
            share = json.loads(placed.output[placed.output.index("{") :])["totals"]["device_share"]
            totals = json.loads((out / "compiled_model" / "report.json").read_text("utf-8"))["totals"]
            row = json.loads(judged.output.strip().splitlines()[-1])
        table.row(
            name, compiled, f"{share:.1%}", f"{totals['device_fps']:.0f}", f"{np.mean(row['sqnr']):.1f}",
            f"{row['agreement']:.1f}", task.measure, "yes",
        )  # fmt: skip
        if len(row["sqnr"]) > 1:
            print("    output by output:", *(f"{one:.1f}" for one in row["sqnr"]))
    print()
    report.bar(not failed, f"compiled and bit-exact: {len(names) - len(failed)} of {len(names)} networks")
    return report.finish()


def quality(task: Task, shared: Path, folder: Path) -> dict[str, object]:
    """SQNR in dB of every output and agreement of the answers, of the quantized model in an output folder."""
    from axir.compiler.quantized_model import QuantizedModel

    inputs = task.held_out(shared, min(task.compared, COMPARED))
    exact = float_outputs(task.path(shared), inputs)
    quantized = QuantizedModel.load(folder / "quantized_model")
    found = [list(quantized(sample)) for sample in inputs]
    return {"sqnr": sqnr(exact, found), "agreement": task.agreement(exact, found)}


if __name__ == "__main__":
    raise SystemExit(main())
