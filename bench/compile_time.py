"""How long compiling takes and how much memory, as whole processes from start to exit.

First `axc` from the ONNX file with 100 calibration samples and histograms, beside ONNX Runtime's `quantize_static`
(QDQ, per-channel weights, signed int8) with its Percentile calibration on the same samples. ONNX Runtime only
quantizes; axc also compiles. Percentile calibration keeps all activations of all samples: 12 GB for ResNet-50.

Then `axc` from the saved quantized model to the image. Beside it stands what Vela 5.2 took, on a machine of this kind
but not in this run, for its own targets and TensorFlow Lite versions of the networks; with --vela NETWORK=FILE.tflite
and `vela` on the path, it is run here.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import (
    Measured,
    Report,
    Table,
    add_networks,
    make_parser,
    measure,
    must,
    need_shared_folder,
    networks_of,
    tool,
)
from networks import NETWORKS

TIMED = ("mobilenetv2_imagenet", "resnet50_random")

LOWERING_RUNS = 3
"""Compilations without calibration; the median counts, as it does for Vela."""

TIME_BAR, MEMORY_BAR, VELA_AIM = 0.5, 1.5e9, 2.0

VELA_SECONDS = {"mobilenetv2_imagenet": 0.9, "resnet50_random": 4.5}
"""`vela M.tflite --accelerator-config ethos-u55-256`, whole process, median of 3."""

VELA_RECORDED = """\
5.2.0, for Ethos-U55-256, on TensorFlow Lite versions of the networks (keras.applications, int8), on
2 cores of an AMD EPYC, 2026-11-22; not measured in this run"""


def quantize_with_onnxruntime(model: str, samples: str, output: str) -> None:
    """What the process measured beside axc does."""
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    name = onnx.load(model, load_external_data=False).graph.input[0].name

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            with np.load(samples) as archive:
                self._samples = iter(archive[name])

        def get_next(self) -> Any:
            sample = next(self._samples, None)
            return None if sample is None else {name: sample[None]}

    quantize_static(
        model,
        output,
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.Percentile,
    )


def vela_files(assignments: list[str]) -> dict[str, Path]:
    """--vela NETWORK=FILE.tflite; exits for anything else."""
    files: dict[str, Path] = {}
    for text in assignments:
        name, _, file = text.partition("=")
        if name not in TIMED or not Path(file).is_file():
            sys.exit(f"error: --vela {text}: expected NETWORK=FILE.tflite, the network one of {', '.join(TIMED)}")
        files[name] = Path(file)
    return files


def run_vela(file: Path, folder: Path) -> str:
    if shutil.which("vela") is None:
        return "not on the path"
    command = ["vela", file, "--accelerator-config", "ethos-u55-256", "--output-dir", folder]
    return f"{must(measure(command)).seconds:.1f} s"


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, TIMED)
    parser.add_argument("--samples", type=int, default=100, metavar="N", help="calibration samples (default 100)")
    parser.add_argument("--no-peer", action="store_true", help="leave ONNX Runtime out")
    parser.add_argument("--vela", action="append", default=[], metavar="NETWORK=FILE.tflite", help="run Vela on a file")
    parser.add_argument("--peer", nargs=3, help=argparse.SUPPRESS)  # the measured process
    arguments = parser.parse_args()
    if arguments.peer:
        quantize_with_onnxruntime(*arguments.peer)
        return 0
    tflite = vela_files(arguments.vela)
    shared = need_shared_folder()

    report = Report("Compile time, whole processes: seconds / peak memory", arguments.no_bars)
    lowered: list[tuple[str, Measured, str]] = []
    ratios: dict[str, float] = {}
    peaks: dict[str, int] = {}
    table = Table(network=-22, samples=7, axc=19, quantize_static=19, ratio=6)
    for name in networks_of(arguments):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            model = NETWORKS[name].path(shared)
            samples = folder / "samples.npz"
            np.savez(samples, input=np.concatenate(NETWORKS[name].calibration(shared, arguments.samples)))
            command = [tool("axc"), model, "-o", folder / "out", "--calibration", samples]
            ours = must(measure([*command, "--set", "quantization_scheme=per_tensor_histogram"]))
            cells = ["", ""]
            if not arguments.no_peer:
                peer = must(measure([sys.executable, __file__, "--peer", model, samples, folder / "peer.onnx"]))
                ratios[name] = ours.seconds / peer.seconds
                cells = [str(peer), f"{ratios[name]:.2f}"]
            peaks[name] = ours.peak_rss
            table.row(name, arguments.samples, ours, *cells)
            command = [tool("axc"), folder / "out" / "quantized_model", "-o"]
            runs = [must(measure([*command, folder / f"again{run}"])) for run in range(LOWERING_RUNS)]
            again = sorted(runs, key=lambda run: run.seconds)[LOWERING_RUNS // 2]
            here = run_vela(tflite[name], folder / "vela") if name in tflite else "not run"
            lowered.append((name, again, here))

    print(f"\nFrom the saved quantized model to the image, median of {LOWERING_RUNS}")
    table = Table(network=-22, axc=19, Vela_recorded=13, ratio=6, Vela_here=15)
    for name, ours, here in lowered:
        recorded = VELA_SECONDS[name]
        table.row(name, ours, f"{recorded:.1f} s", f"{ours.seconds / recorded:.2f}", here)
    print(f"Vela recorded: {VELA_RECORDED}.\n")
    if ratios:
        worst = max(ratios.values())
        report.bar(worst <= TIME_BAR, f"axc takes at most {TIME_BAR} of quantize_static's time: {worst:.2f}")
    largest = max(peaks.values())
    report.bar(largest <= MEMORY_BAR, f"axc takes at most {MEMORY_BAR / 1e9} GB: {largest / 1e9:.2f} GB")
    slowest = max(ours.seconds / VELA_SECONDS[name] for name, ours, _ in lowered)
    print(f"aim      without calibration at most {VELA_AIM:.0f} times Vela's recorded time: {slowest:.2f}")
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
