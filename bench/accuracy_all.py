"""Every network with its task: AXIR's quantization beside ONNX Runtime's in its best setting, on equal data.

ONNX Runtime quantizes by `quantize_static` in QDQ form, signed int8, weights per channel, with MinMax, Entropy and
Percentile in turn, after its own `quant_pre_process`. Both get the same few inputs, because Entropy and Percentile keep
all activations of all of them in memory; what is compared are inputs of other photos (bench/tasks.py). Each quantizer
runs in a process of its own. SQNR is that of all outputs against the float network's, in dB; of several outputs the
mean.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import Report, Table, add_networks, make_parser, need_shared_folder, networks_of
from tasks import TASKS, Outputs, Task, float_outputs, sqnr

METHODS = ("MinMax", "Entropy", "Percentile")
PER_CHANNEL_OPSET = 13
"""The first opset in which DequantizeLinear takes one scale a channel; older models are converted to it."""

ROUNDING = 0.05
"""dB, and percent, within which two results are equal."""


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, [name for name, task in TASKS.items() if task.trained])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of AXIR; repeatable")
    parser.add_argument("--no-peer", action="store_true", help="leave ONNX Runtime out")
    parser.add_argument("--one", nargs=2, metavar=("NETWORK", "QUANTIZER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    shared = need_shared_folder()
    if arguments.one:
        name, quantizer = arguments.one
        print(json.dumps(measured(TASKS[name], shared, quantizer, arguments.set)))
        return 0

    report = Report("Accuracy, ours beside ONNX Runtime's quantize_static", arguments.no_bars)
    table = Table(network=-28, quantizer=-12, SQNR=8, agreement=10, of=-9, calibrated=10, compared=8, seconds=8)
    reached: list[str] = []
    names = networks_of(arguments)
    for name in names:
        results: dict[str, dict[str, Any]] = {}
        for quantizer in ("AXIR", *(() if arguments.no_peer else METHODS)):
            settings = [word for text in arguments.set for word in ("--set", text)]
            command = [sys.executable, __file__, *settings, "--one", name, quantizer]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
                table.row(name, quantizer, "failed", "", "", "", "", "")
                print(f"    {reason}")
                continue
            results[quantizer] = row = json.loads(done.stdout.splitlines()[-1])
            task = TASKS[name]
            table.row(
                name, quantizer, f"{np.mean(row['sqnr']):.2f}", f"{row['agreement']:.2f}", task.measure,
                task.calibrating, task.compared, f"{row['seconds']:.0f}",
            )  # fmt: skip
        ours = results.pop("AXIR", None)
        if ours is not None and all(
            np.mean(ours["sqnr"]) >= np.mean(peer["sqnr"]) - ROUNDING
            and ours["agreement"] >= peer["agreement"] - ROUNDING
            for peer in results.values()
        ):
            reached.append(name)
    print()
    if not arguments.no_peer:
        missed = ", ".join(name for name in names if name not in reached) or "none"
        report.bar(
            len(reached) == len(names),
            f"SQNR and agreement at least those of ONNX Runtime's best: {len(reached)} of {len(names)}; not: {missed}",
        )
    return report.finish()


def measured(task: Task, shared: Path, quantizer: str, settings: list[str]) -> dict[str, Any]:
    """SQNR of each output and agreement of the answers, of one quantizer."""
    import time

    exact = float_outputs(task.path(shared), task.held_out(shared))
    start = time.perf_counter()
    found = axir_outputs(task, shared, settings) if quantizer == "AXIR" else peer_outputs(task, shared, quantizer)
    return {
        "sqnr": sqnr(exact, found),
        "agreement": task.agreement(exact, found),
        "seconds": time.perf_counter() - start,
    }


def axir_outputs(task: Task, shared: Path, settings: list[str]) -> list[Outputs]:
    from axir.compiler import quantize
    from axir.compiler.config import resolve
    from axir.compiler.config.layers import command_line

    config = resolve([command_line([("--set", text) for text in settings])]).config
    quantized = quantize(task.path(shared), task.calibration(shared), config, input_shapes=task.shapes)
    return [list(quantized(sample)) for sample in task.held_out(shared)]


def peer_outputs(task: Task, shared: Path, method: str) -> list[Outputs]:
    import onnx
    import onnx.version_converter
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    model = onnx.load(str(task.path(shared)))
    initializers = {tensor.name for tensor in model.graph.initializer}
    (given,) = [value for value in model.graph.input if value.name not in initializers]
    name = given.name
    if task.shapes:
        for dimension, size in zip(given.type.tensor_type.shape.dim, task.shapes[name], strict=True):
            dimension.dim_value = size
        # What was inferred for the open shape no longer holds.
        del model.graph.value_info[:]
        for output in model.graph.output:
            output.type.tensor_type.ClearField("shape")
    if next(entry.version for entry in model.opset_import if entry.domain == "") < PER_CHANNEL_OPSET:
        model = onnx.version_converter.convert_version(model, PER_CHANNEL_OPSET)

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.samples = iter(task.calibration(shared))

        def get_next(self) -> Any:
            sample = next(self.samples, None)
            return None if sample is None else {name: sample}

    with tempfile.TemporaryDirectory() as folder:
        fixed, prepared, target = (Path(folder, f"{stem}.onnx") for stem in ("fixed", "prepared", "quantized"))
        onnx.save(model, str(fixed))
        quant_pre_process(str(fixed), str(prepared), skip_symbolic_shape=True)

        def run(per_channel: bool) -> None:
            quantize_static(
                str(prepared),
                str(target),
                Reader(),
                quant_format=QuantFormat.QDQ,
                per_channel=per_channel,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=getattr(CalibrationMethod, method),
            )

        try:
            run(per_channel=True)
        except ValueError:  # seen in 1.32: a bias behind a matrix product with weights per channel
            run(per_channel=False)
        return float_outputs(target, task.held_out(shared))


if __name__ == "__main__":
    raise SystemExit(main())
