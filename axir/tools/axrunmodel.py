"""`axrunmodel`: runs frames of a compiled model on the device model, and says how fast a device would be."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axir import __version__
from axir.ir.diagnostics import AxirError, run_tool

# Only light modules above: `axrunmodel --help` must not wait for NumPy and ONNX Runtime.
if TYPE_CHECKING:
    from numpy.typing import NDArray

    from axir.runtime import HostedModel
    from axir.tools.console import Console

    Frame = dict[str, NDArray[Any]]


HOST_OPTIONS = {
    "double_buffer": "transfers overlap with computing",
    "input_dmabuf": "inputs go to the device without a copy on the host",
    "output_dmabuf": "outputs come from the device without a copy on the host",
}
"""Settings recorded in model.json that can be changed for a run, and what they mean."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="axrunmodel",
        description="Run a compiled model on the device model. No chip is involved: all times are modelled.",
    )
    parser.add_argument("model", metavar="MODEL", help="compiled_model/model.json, or the folder that axc wrote")
    parser.add_argument("--frames", type=int, metavar="N", help="frames to run (default: all inputs, or 1)")
    parser.add_argument(
        "--inputs", metavar="FILE.npz", help="arrays keyed by input name, frames along the first axis (default: random)"
    )
    parser.add_argument("--save-outputs", metavar="FILE.npz", help="write the outputs, frames along the first axis")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of random inputs (default 0)")
    parser.add_argument("--layers", action="store_true", help="print the time of every layer as well")
    host = parser.add_argument_group("how the host feeds the device (default: as compiled; for the printed rates)")
    for name, meaning in HOST_OPTIONS.items():
        host.add_argument(f"--{name.replace('_', '-')}", action=argparse.BooleanOptionalAction, help=meaning)
    parser.add_argument("--version", action="version", version=f"axrunmodel {__version__}")
    return parser


def _frames(arguments: argparse.Namespace, network: HostedModel) -> list[Frame]:
    """The inputs of every frame."""
    if arguments.frames is not None and arguments.frames < 1:
        raise AxirError(f"--frames must be at least 1, not {arguments.frames}")
    if arguments.inputs is None:
        return _random(arguments.frames or 1, arguments.seed, network)
    from axir.passes.quantization.samples import load_samples

    declared = {tensor.name: (tensor.shape, tensor.dtype) for tensor in network.inputs}
    frames = [dict(sample) for sample in load_samples(arguments.inputs, declared, arguments.frames)]
    if not frames:
        raise AxirError("there are no frames in this file", location=arguments.inputs)
    if arguments.frames is not None and len(frames) < arguments.frames:
        frames = [frames[index % len(frames)] for index in range(arguments.frames)]
    return frames


def _random(count: int, seed: int, network: HostedModel) -> list[Frame]:
    import numpy as np

    generator = np.random.default_rng(seed)

    def array(shape: Sequence[int], dtype: str) -> NDArray[Any]:
        if np.dtype(dtype).kind == "f":
            return generator.standard_normal(shape).astype(dtype)
        if dtype == "int8":  # stored bytes
            return generator.integers(-128, 128, shape, np.int8)
        return generator.integers(0, 2 if dtype == "bool" else 128, shape).astype(dtype)

    return [{tensor.name: array(tensor.shape, tensor.dtype) for tensor in network.inputs} for _ in range(count)]


def _run(network: HostedModel, frames: Sequence[Frame], console: Console) -> Iterator[list[NDArray[Any]]]:
    console.stage("run")
    for index, frame in enumerate(frames):
        yield network(frame)
        console.progress(index + 1, len(frames))


def _main(arguments: argparse.Namespace) -> int:
    import numpy as np

    from axir.compiler.report import device_report
    from axir.runtime import Context, load_model
    from axir.tools.console import Console
    from axir.tools.summary import layer_lines, rate_lines, totals_lines, unit_lines

    model = load_model(arguments.model)
    target = None if model.file.target_file is None else model.path.parent / model.file.target_file
    with Context(target) as context, context.device_connect(num_sub_devices=model.file.cores) as connection:
        instance = connection.load_model_instance(model)
        network = instance.hosted()
        frames = _frames(arguments, network)
        console = Console()
        with console.live():
            results = list(_run(network, frames, console))
        if arguments.save_outputs is not None:
            arrays = [np.concatenate(parts) for parts in zip(*results, strict=True)]
            names = [tensor.name for tensor in network.outputs]
            _save(Path(arguments.save_outputs), dict(zip(names, arrays, strict=True)))
        given = {name: getattr(arguments, name) for name in HOST_OPTIONS if getattr(arguments, name) is not None}
        file = replace(model.file, runtime=replace(model.file.runtime, **given))
        report = device_report(instance.timings(), model.images, file, model.target)
    print(f"{model.file.name}: ran {len(frames)} frames on {connection.device}")
    lines = [*totals_lines(report), *rate_lines(report), "", *unit_lines(report)]
    if arguments.layers:
        lines += ["", *layer_lines(report)]
    print("\n".join(lines))
    return 0


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
