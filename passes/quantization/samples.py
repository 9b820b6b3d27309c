"""Calibration samples: from a file or random, checked against the model's inputs, brought to the inputs of @main."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.passes.quantization.float_graph import FloatGraph, input_shapes
from axir.passes.quantization.graph import device_parts, graph_named
from axir.passes.remove_layout_transform import nhwc_inputs, to_nhwc

Array = NDArray[Any]
Sample = Mapping[str, Array]
Inputs = dict[str, tuple[tuple[int, ...], str]]


def model_inputs(module: ModuleOp) -> Inputs:
    """Shape and type of what the user feeds to @preamble, to the device's segments and to the islands between them."""
    channels_last = nhwc_inputs(module)
    inputs: Inputs = {}
    computed: dict[str, None] = {}
    for part in [graph for graph in (graph_named(module, "preamble"),) if graph is not None] + device_parts(module):
        for name, (shape, dtype) in input_shapes(part).items():
            if name not in computed and name not in inputs:
                inputs[name] = to_nhwc(shape) if name in channels_last else shape, dtype
        computed |= dict.fromkeys(name.data for name in part.outputs)
    return inputs


def check_sample(sample: Sample, inputs: Inputs, index: int) -> None:
    """Raises `AxirError` unless `sample` has every input in the right shape and type, without NaNs or infinities."""
    for name, (shape, dtype) in inputs.items():
        if name not in sample:
            names = ", ".join(sorted(sample)) or "nothing"
            raise AxirError(
                f"calibration sample {index} has no input '{name}'",
                notes=(f"it holds {names}; samples are looked up by the name of the model's input",),
            )
        array = sample[name]
        if array.shape != shape or array.dtype != np.dtype(dtype):
            raise AxirError(
                f"calibration sample {index}: input '{name}' must be {dtype} {list(shape)}, "
                f"it is {array.dtype} {list(array.shape)}",
                notes=("samples are given as the model takes them, preprocessed and with batch size 1",),
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise AxirError(f"calibration sample {index}: input '{name}' holds a NaN or an infinity")


def main_samples(module: ModuleOp, store: WeightStore, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Samples of the model with the inputs of @main: @preamble, where there is one, computes its inputs."""
    inputs = model_inputs(module)
    channels_last = nhwc_inputs(module)
    preamble = graph_named(module, "preamble")
    runner = None if preamble is None else FloatGraph(preamble, store, list(preamble.terminator.operands))
    names = [] if preamble is None else [name.data for name in preamble.outputs]
    host_inputs = [] if preamble is None else [name.data for name in preamble.inputs]
    for index, sample in enumerate(samples):
        check_sample(sample, inputs, index)
        moved = {name: np.ascontiguousarray(np.moveaxis(sample[name], -1, 1)) for name in channels_last}
        given = {name: sample[name] for name in host_inputs}
        computed = runner.run(given) if runner is not None else []
        yield {**sample, **moved, **dict(zip(names, computed, strict=True))}


def load_samples(path: str, inputs: Inputs, limit: int | None) -> Iterator[Sample]:
    """Samples of an .npz file: one array an input, stored under its name, samples along the first axis.

    A sample's batch axis of 1 may be left out. Raises `AxirError` for a file that holds something else.
    """
    advice = ("write it with numpy.savez(FILE, input=samples)",)
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise AxirError(f"{path}: not an .npz file", notes=advice)
        with archive:
            arrays: dict[str, Array] = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = str(error).split("\n", 1)[0]
        # NumPy takes any other file for a pickle, and recommends to load that unsafely.
        detail = "" if "pickle" in reason else f": {reason}"
        raise AxirError(f"{path}: cannot be read as an .npz file{detail}", notes=advice) from error
    for name in inputs:
        if name not in arrays:
            raise AxirError(
                f"{path}: no array for the input '{name}'", notes=(f"it holds {', '.join(arrays) or 'nothing'}",)
            )
    counts = {name: len(arrays[name]) if arrays[name].ndim else 0 for name in inputs}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise AxirError(f"{path}: numbers of samples differ: {listed}")
    count = min(counts.values(), default=0)
    for index in range(count if limit is None else min(count, limit)):
        yield {name: _with_batch(arrays[name][index], shape) for name, (shape, _) in inputs.items()}


def _with_batch(array: Array, shape: tuple[int, ...]) -> Array:
    return array[None] if (1, *array.shape) == shape else array


def random_samples(inputs: Inputs, count: int, seed: int) -> Iterator[Sample]:
    """Normally distributed samples, the same for the same seed. Raises `AxirError` for inputs that are not float."""
    generator = np.random.default_rng(seed)
    for name, (_, dtype) in inputs.items():
        if np.dtype(dtype).kind != "f":
            raise AxirError(f"input '{name}' is {dtype}: random calibration samples are for float inputs only")
    for _ in range(count):
        yield {
            name: generator.standard_normal(shape, np.float32).astype(dtype) for name, (shape, dtype) in inputs.items()
        }
