"""`axrunmodel`: runs frames of a compiled model on the device model, and says how fast a device would be."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axir import __version__
from axir.ir.diagnostics import AxirError, run_tool

# Only light modules above: `axrunmodel --help` must not wait for NumPy and ONNX Runtime.
if TYPE_CHECKING:
    from numpy.typing import NDArray

    from axir.runtime import Context, Device, Model
    from axir.runtime.model_file import ModelFile
    from axir.tools.summary import Report

    Frame = dict[str, NDArray[Any]]


HOST_OPTIONS = {
    "double_buffer": "transfers overlap with computing",
    "input_dmabuf": "inputs go to the device without a copy on the host",
    "output_dmabuf": "outputs come from the device without a copy on the host",
}
"""Settings recorded in model.json that can be changed for a run, and what they mean."""


HISTOGRAM_RUNS = 16
"""Runs of each instance that a histogram is of."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="axrunmodel",
        description="Run a compiled model on the device model. No chip is involved: all times are modelled.",
    )
    parser.add_argument("model", metavar="MODEL", help="compiled_model/model.json, or the folder that axc wrote")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--frames", type=int, metavar="N", help="frames to run (default: all inputs, or 1)")
    length.add_argument(
        "--seconds", type=float, metavar="S", help="run as many frames as the device would do in S seconds (modelled)"
    )
    parser.add_argument(
        "--aipu-cores", type=int, metavar="N", help="cores to use, shared by instances (default: all that fit)"
    )
    parser.add_argument("--devices", metavar="NAME,...", help="devices to run on (default: the first; see axdevice)")
    parser.add_argument(
        "--inputs", metavar="FILE.npz", help="arrays keyed by input name, frames along the first axis (default: random)"
    )
    parser.add_argument("--save-outputs", metavar="FILE.npz", help="write the outputs, frames along the first axis")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of random inputs (default 0)")
    parser.add_argument("--layers", action="store_true", help="print the time of every layer as well")
    parser.add_argument(
        "--show-bar-chart", action="store_true", help="how busy units and shared resources are, as bars"
    )
    parser.add_argument("--show-histogram", action="store_true", help="the modelled times from frame to frame")
    host = parser.add_argument_group("how the host feeds the device (default: as compiled; for the printed rates)")
    for name, meaning in HOST_OPTIONS.items():
        host.add_argument(f"--{name.replace('_', '-')}", action=argparse.BooleanOptionalAction, help=meaning)
    host.add_argument("--throttle-fps", type=float, metavar="F", help="hand over at most F frames a second")
    parser.add_argument("--version", action="version", version=f"axrunmodel {__version__}")
    return parser


def _frames(arguments: argparse.Namespace, file: ModelFile, device_fps: float) -> list[Frame]:
    """The inputs of every frame."""
    if arguments.frames is not None and arguments.frames < 1:
        raise AxirError(f"--frames must be at least 1, not {arguments.frames}")
    for name in ("seconds", "throttle_fps"):
        value = getattr(arguments, name)
        if value is not None and not value > 0:
            raise AxirError(f"--{name.replace('_', '-')} must be more than 0, not {value}")
    wanted: int | None = arguments.frames
    if arguments.seconds is not None:
        wanted = max(1, int(arguments.seconds * device_fps))
    if arguments.inputs is None:
        return _random(wanted or 1, arguments.seed, file)
    from axir.passes.quantization.samples import load_samples

    declared = {tensor.name: (tensor.shape, tensor.dtype) for tensor in file.inputs}
    frames = [dict(sample) for sample in load_samples(arguments.inputs, declared, wanted)]
    if not frames:
        raise AxirError("there are no frames in this file", location=arguments.inputs)
    if wanted is not None and len(frames) < wanted:
        frames = [frames[index % len(frames)] for index in range(wanted)]
    return frames


def _random(count: int, seed: int, file: ModelFile) -> list[Frame]:
    import numpy as np

    generator = np.random.default_rng(seed)

    def array(shape: Sequence[int], dtype: str) -> NDArray[Any]:
        if np.dtype(dtype).kind == "f":
            return generator.standard_normal(shape).astype(dtype)
        if dtype == "int8":  # stored bytes
            return generator.integers(-128, 128, shape, np.int8)
        return generator.integers(0, 2 if dtype == "bool" else 128, shape).astype(dtype)

    return [{tensor.name: array(tensor.shape, tensor.dtype) for tensor in file.inputs} for _ in range(count)]


def _instances(arguments: argparse.Namespace, file: ModelFile, device: Device) -> int:
    """How many instances run side by side. Raises `AxirError` for cores that they cannot have."""
    if arguments.aipu_cores is None:
        return file.instances(device.cores)
    if not 1 <= arguments.aipu_cores <= device.cores:
        raise AxirError(f"--aipu-cores is {arguments.aipu_cores}; {device.name} has {device.cores} cores")
    if arguments.aipu_cores % file.cores:
        raise AxirError(
            f"--aipu-cores is {arguments.aipu_cores}; the model was compiled for {file.cores} cores a time",
            notes=(f"give a multiple of {file.cores}",),
        )
    return arguments.aipu_cores // file.cores


def _device(arguments: argparse.Namespace, context: Context) -> Device:
    """The device that was asked for. Raises `AxirError` for names that are not there."""
    there = {device.name: device for device in context.list_devices()}
    names = list(there)[:1] if arguments.devices is None else arguments.devices.split(",")
    for name in names:
        if name not in there:
            raise AxirError(f"no device '{name}'", notes=(f"there are {', '.join(there)}; axdevice lists them",))
    if len(names) > 1:
        raise AxirError("the device model runs a model on one device at a time", notes=("give one name",))
    return there[names[0]]


def _main(arguments: argparse.Namespace) -> int:
    import numpy as np

    from axir.compiler.report import device_report
    from axir.runtime import Context, InferenceStream, load_model
    from axir.tools.console import Console
    from axir.tools.summary import layer_lines, rate_lines, totals_lines, unit_lines

    model = load_model(arguments.model)
    given = {name: getattr(arguments, name) for name in HOST_OPTIONS if getattr(arguments, name) is not None}
    file = replace(model.file, runtime=replace(model.file.runtime, **given))
    target = None if file.target_file is None else model.path.parent / file.target_file
    with Context(target) as context:
        device = _device(arguments, context)
        count = _instances(arguments, file, device)
        connection = context.device_connect(device, count * file.cores)
        loaded = [connection.load_model_instance(model, f"{file.name}.{number}") for number in range(count)]
        report = device_report(loaded[0].timings(), model.images, file, model.target, count)
        frames = _frames(arguments, file, report["instances"]["device_fps"])
        console, results = Console(), list[list[Any]]()
        with console.live(), InferenceStream(loaded, frames) as stream:
            console.stage("run")
            for result in stream:
                results.append(result if arguments.save_outputs is not None else [])
                console.progress(len(results), len(frames))
    if arguments.save_outputs is not None:
        arrays = [np.concatenate(parts) for parts in zip(*results, strict=True)]
        _save(Path(arguments.save_outputs), dict(zip([t.name for t in file.outputs], arrays, strict=True)))
    plural = "s" * (count > 1)
    print(f"{file.name}: ran {len(frames)} frames on {device}, with {count} instance{plural}")
    lines = [*totals_lines(report), *rate_lines(report), *_throttled(arguments.throttle_fps, report), ""]
    lines += unit_lines(report)
    if arguments.layers:
        lines += ["", *layer_lines(report)]
    if arguments.show_bar_chart:
        lines += ["", *_bars(report)]
    if arguments.show_histogram:
        lines += ["", *_histogram(model, file, count)]
    print("\n".join(lines))
    return 0


def _throttled(limit: float | None, report: Report) -> list[str]:
    if limit is None:
        return []
    free = report["instances"]["system_fps"]
    return [f"          system {min(limit, free):,.0f} with at most {limit:,g} frames a second handed over"]


def _bars(report: Report) -> list[str]:
    from axir.tools.charts import bar_chart

    units = {unit: entry["busy_share"] for unit, entry in report["units"].items()}
    lines = bar_chart(units, "busy units of one instance")
    shares = report["instances"]["shares"]
    return [*lines, "", *bar_chart(shares, "what all instances share")] if shares else lines


def _histogram(model: Model, file: ModelFile, count: int) -> list[str]:
    """Times between the results of successive frames, all instances together, transfers included."""
    from itertools import pairwise

    from axir.backends.aipu.simulator import Instance, simulate
    from axir.tools.charts import histogram

    image = model.images[0]
    instances = [Instance(image, number * file.cores) for number in range(count)]
    timings = simulate(instances, model.target, HISTOGRAM_RUNS, link=True, double_buffer=file.runtime.double_buffer)
    ends = sorted(end for timing in timings for end in timing.ends)
    milliseconds = [(b - a) / model.target.device.frequency * 1e3 for a, b in pairwise(ends)]
    frames = "runs" if file.frames > 1 else "frames"
    return histogram(milliseconds, f"from result to result, {len(milliseconds)} {frames} (modelled, no chip)", "ms")


def _save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    import numpy as np

    from axir.ir.files import atomic_open

    savez: Any = np.savez  # its stub takes a name for the option allow_pickle
    with atomic_open(path) as file:
        savez(file, **arrays)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line tool; `argv` defaults to the process's. Returns the exit code."""
    arguments = _parser().parse_args(argv)
    return run_tool(lambda: _main(arguments))


if __name__ == "__main__":
    sys.exit(main())
