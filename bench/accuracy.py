"""Top-1 of an ImageNet classifier in float, quantized by AXIR, and quantized by ONNX Runtime on the same photos.

    python bench/accuracy.py MODEL.onnx PHOTOS [--stride 3] [--first 0 ...] [--schemes ...] [--peers ...]

PHOTOS is a folder with images and a `labels.tsv` whose columns `file` and `label` name them and their class index.
Every third photo (`--stride`) calibrates, the others are held out. With several `--first` this is done with each of
them in turn, and the losses against the float model are averaged: of 300 photos a single one is 0.3 %. A photo's short
side is resized to 256 (bilinear), the centre 224x224 cut out, RGB scaled to 0..1 and normalized with ImageNet's mean
and standard deviation.

Columns: top-1 on all photos and on those held out; how often the class is the float model's; signal to quantization
noise of the scores; seconds to quantize, calibration included, and per inference.

ONNX Runtime's peers are `quantize_static` with QDQ, signed int8 activations and weights, weights per channel. Its
percentile calibrator keeps all activations of all samples: about 60 MB a photo for MobileNetV2.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from images import F32, imagenet_input
from numpy.typing import NDArray

SCHEMES = ("per_tensor_min_max", "per_tensor_histogram", "hybrid_per_tensor_per_channel")


def load(folder: Path) -> tuple[list[F32], NDArray[np.int64]]:
    """Preprocessed photos [1, 3, 224, 224] and their class indices."""
    with (folder / "labels.tsv").open() as file:
        listed = list(csv.DictReader(file, delimiter="\t"))
    rows = [row for row in listed if (folder / row["file"]).exists()]
    if len(rows) < len(listed):
        missing = ", ".join(row["file"] for row in listed if row not in rows)
        print(f"{len(listed) - len(rows)} of {len(listed)} listed photos are missing: {missing}")
    return [imagenet_input(folder / row["file"]) for row in rows], np.array([int(row["label"]) for row in rows])


class Report:
    def __init__(self, labels: NDArray[np.int64], held_out: NDArray[np.bool_], reference: F32):
        self.labels, self.held_out, self.reference = labels, held_out, reference
        print(f"{'':36} top-1 all  held out  as float    SQNR  quantize  inference")

    def row(self, name: str, scores: F32, quantize: float, inference: float) -> tuple[float, float]:
        """Print a row; top-1 on all photos and on those held out, in percent."""
        classes = scores.argmax(axis=1)
        right = classes == self.labels
        same = classes == self.reference.argmax(axis=1)
        noise = ((scores - self.reference) ** 2).sum()
        sqnr = 10 * np.log10((self.reference**2).sum() / noise) if noise else np.inf
        print(
            f"{name:36} {100 * right.mean():8.2f} % {100 * right[self.held_out].mean():7.2f} %"
            f" {100 * same.mean():7.2f} % {sqnr:4.1f} dB {quantize:7.1f} s {1000 * inference / len(scores):7.1f} ms",
            flush=True,
        )
        return 100 * float(right.mean()), 100 * float(right[self.held_out].mean())


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


def onnx_scores(model: Path, photos: Sequence[F32]) -> tuple[F32, float]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return timed(lambda: np.concatenate([session.run(None, {name: photo})[0] for photo in photos]))


def axir_scores(
    model: Path, scheme: str, calibration: Sequence[F32], photos: Sequence[F32]
) -> tuple[F32, float, float]:
    from axir.compiler import CompilerConfig, quantize

    quantized, seconds = timed(lambda: quantize(model, calibration, CompilerConfig(quantization_scheme=scheme)))
    scores, inference = timed(lambda: np.concatenate([quantized(photo)[0] for photo in photos]))
    return scores, seconds, inference


def peer_scores(
    model: Path, method: str, calibration: Sequence[F32], photos: Sequence[F32]
) -> tuple[F32, float, float]:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    name = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"]).get_inputs()[0].name

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.samples = iter(calibration)

        def get_next(self) -> Any:
            sample = next(self.samples, None)
            return None if sample is None else {name: sample}

    with tempfile.TemporaryDirectory() as folder:
        prepared, target = Path(folder, "prepared.onnx"), Path(folder, "quantized.onnx")

        def quantize() -> None:
            quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
            quantize_static(
                str(prepared),
                str(target),
                Reader(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=getattr(CalibrationMethod, method),
            )

        _, seconds = timed(quantize)
        scores, inference = onnx_scores(target, photos)
    return scores, seconds, inference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--stride", type=int, default=3, help="calibrate on every N-th photo (default 3)")
    parser.add_argument("--first", type=int, nargs="+", default=(0,), help="the first of these (default 0)")
    parser.add_argument("--schemes", nargs="*", default=SCHEMES, choices=SCHEMES, help="AXIR's schemes (default all)")
    parser.add_argument(
        "--peers",
        nargs="*",
        default=("MinMax", "Percentile"),
        help="ONNX Runtime's methods (default MinMax Percentile)",
    )
    arguments = parser.parse_args()

    photos, labels = load(arguments.photos)
    reference, seconds = onnx_scores(arguments.model, photos)
    losses: dict[str, list[NDArray[np.float64]]] = {}
    for first in arguments.first:
        calibration = photos[first :: arguments.stride]
        held_out = np.arange(len(photos)) % arguments.stride != first % arguments.stride
        print(f"{arguments.model.name}: {len(photos)} photos, {len(calibration)} of them calibrate, from {first} on")
        report = Report(labels, held_out, reference)
        exact = np.array(report.row("float, ONNX Runtime", reference, 0.0, seconds))
        runs = {f"AXIR {scheme}": partial(axir_scores, arguments.model, scheme) for scheme in arguments.schemes}
        runs |= {f"ONNX Runtime {method}": partial(peer_scores, arguments.model, method) for method in arguments.peers}
        for name, run in runs.items():
            losses.setdefault(name, []).append(exact - np.array(report.row(name, *run(calibration, photos))))
    if len(arguments.first) > 1:
        print(f"{'mean loss, in points':36} top-1 all  held out")
        for name, found in losses.items():
            everywhere, held = np.mean(found, axis=0)
            print(f"{name:36} {everywhere:8.2f}   {held:7.2f}")


if __name__ == "__main__":
    main()
