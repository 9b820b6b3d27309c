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
from tasks import TASKS, Outputs, Task, float_outputs, input_name, sqnr

OURS: dict[str, list[str]] = {
    "AXIR": [],
    "AXIR hybrid": ["quantization_scheme=hybrid_per_tensor_per_channel"],
}
"""The default, and the scheme with one scale a channel for what depthwise convolutions read: settings of each."""

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
    reached: dict[str, list[str]] = {ours: [] for ours in OURS}
    names = networks_of(arguments)
    for name in names:
        results: dict[str, dict[str, Any]] = {}
        for quantizer in (*OURS, *(() if arguments.no_peer else METHODS)):
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
        peers = [result for quantizer, result in results.items() if quantizer not in OURS]
        for quantizer in OURS:
            if quantizer in results and not any(_exceeds(peer, results[quantizer]) for peer in peers):
                reached[quantizer].append(name)
    print()
    if not arguments.no_peer:
        for quantizer, good in reached.items():
            missed = ", ".join(name for name in names if name not in good) or "none"
            text = f"{quantizer}: SQNR and agreement at least those of ONNX Runtime's best: {len(good)} of {len(names)}"
            report.bar(len(good) == len(names), f"{text}; not: {missed}")
    return report.finish()


def _exceeds(peer: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Whether the other quantizer is better in SQNR or in agreement."""
    better = float(np.mean(peer["sqnr"])) > float(np.mean(ours["sqnr"])) + ROUNDING
    return better or peer["agreement"] > ours["agreement"] + ROUNDING


def measured(task: Task, shared: Path, quantizer: str, settings: list[str]) -> dict[str, Any]:
    """SQNR of each output and agreement of the answers, of one quantizer."""
    import time

    exact = float_outputs(task.path(shared), task.held_out(shared))
    start = time.perf_counter()
    if quantizer in OURS:
        found = axir_outputs(task, shared, [*OURS[quantizer], *settings])
    else:
        found = peer_outputs(task, shared, quantizer)
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
    name = input_name(task.path(shared))
    if task.shapes:
        (given,) = [value for value in model.graph.input if value.name == name]
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
