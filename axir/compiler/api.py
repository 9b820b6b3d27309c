"""`quantize` and `compile`: what `axc` does, for Python programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axir.compiler.config import CompilerConfig
from axir.compiler.dataset import Transform

# The rest is imported when first used: the configuration alone must not wait for ONNX and xDSL.
if TYPE_CHECKING:
    from onnx import ModelProto

    from axir.compiler.compiled_model import CompiledModel
    from axir.compiler.multicore import Goal
    from axir.compiler.quantized_model import QuantizedModel
    from axir.compiler.request import Request
    from axir.compiler.session import Listener

Shapes = Mapping[str, Sequence[int]]
TorchModule = Any
"""A torch.nn.Module; PyTorch is no dependency."""


def quantize(
    model: str | Path | ModelProto | TorchModule,
    calibration_dataset: Iterable[Any] | None = None,
    config: CompilerConfig | None = None,
    transform_fn: Transform | None = None,
    *,
    input_shapes: Shapes | None = None,
    target: str | Path | None = None,
    host_islands: bool = True,
    listener: Listener | None = None,
) -> QuantizedModel:
    """Quantize an ONNX model (a file or a ModelProto) or a PyTorch module; the result is callable on float arrays.

    A torch.nn.Module is exported with the setting onnx_opset_version first, traced with inputs of `input_shapes`
    (by the names of its forward's arguments) or like the first item of the dataset.

    `calibration_dataset` is read once, item by item; `transform_fn` turns an item into what the model takes: an array
    of its only input's shape (a batch axis of 1 may be missing) and type, a sequence of one array an input, or a
    mapping from input names. Without a dataset, random samples are used and `listener.warning` hears of it.
    `input_shapes` gives shapes, by name, to inputs whose shape the model leaves open. `target` is the file of a device
    description, which decides what is worth a device segment. Without `host_islands`, an operator that the device
    cannot run in the middle of the network is an error.

    Raises `AxirError` for a model that is damaged or not supported, and for samples that do not fit it.
    """
    from axir.compiler.driver import check_supported, quantized_model
    from axir.compiler.session import Session

    request = _request(model, config, calibration_dataset, transform_fn, input_shapes, target)
    config = check_supported(request).replace(compiler_mode="quantize_only", quantized_graph_export=True)
    session = Session(config, request.target, listener, options={"host_islands": host_islands})
    quantized, _, _ = quantized_model(request, session)
    assert quantized is not None
    return quantized


def compile(
    model: str | Path | ModelProto | TorchModule | QuantizedModel,
    config: CompilerConfig | None = None,
    output_dir: str | Path | None = None,
    *,
    calibration_dataset: Iterable[Any] | None = None,
    transform_fn: Transform | None = None,
    input_shapes: Shapes | None = None,
    target: str | Path | None = None,
    check: int = 0,
    host_islands: bool = True,
    optimize_for: Goal | None = None,
    dump_ir: str | Path | None = None,
    listener: Listener | None = None,
) -> CompiledModel:
    """Compile a quantized, an ONNX or a PyTorch model into `output_dir` (or the setting of that name), as `axc` does.

    A quantized model needs no calibration data; for others see `quantize`. `target` is the file of a device
    description, `check` a number of samples on which simulator and reference are compared, `dump_ir` a folder for the
    module after every stage. With `optimize_for` ("latency" or "throughput") the ways for cores to work are tried, and
    the best is taken in the place of the settings about cores (`axc --multicore auto`).

    Raises `AxirError`, also where simulator and reference differ, and `OSError`. The folder then holds a report and a
    log that name the stage, and no artifacts.
    """
    from dataclasses import replace

    from axir.compiler.compiled_model import CompiledModel
    from axir.compiler.driver import run
    from axir.ir.diagnostics import AxirError

    request = _request(model, config, calibration_dataset, transform_fn, input_shapes, target, check, dump_ir)
    request = replace(request, host_islands=host_islands, goal=optimize_for)
    output = output_dir or request.config.output_dir
    if output is None:
        raise AxirError("no output folder given", notes=("pass output_dir, or set it in the configuration",))
    if request.config.compiler_mode == "quantize_only":
        raise AxirError("compiler_mode is quantize_only", notes=("use axir.compiler.quantize and its export",))
    compiled = run(request, output, listener)
    assert isinstance(compiled, CompiledModel)
    return compiled


def _request(
    model: str | Path | ModelProto | TorchModule | QuantizedModel,
    config: CompilerConfig | None,
    dataset: Iterable[Any] | None,
    transform: Transform | None,
    input_shapes: Shapes | None,
    target: str | Path | None,
    check: int = 0,
    dump_ir: str | Path | None = None,
) -> Request:
    from axir.compiler.calibration import inputs_of, random_dataset
    from axir.compiler.dataset import Samples, named_samples
    from axir.compiler.request import Request
    from axir.target.description import load

    config = config or CompilerConfig()
    total = None if dataset is None else _length(dataset)
    model, dataset = _as_onnx(model, config, dataset, transform, input_shapes or {})
    return Request(
        model=model,
        config=config,
        target=load(None if target is None else str(target)),
        samples=lambda module, session: (
            random_dataset(module, session, None, 0)
            if dataset is None
            else Samples(named_samples(dataset, inputs_of(module), transform), total)
        ),
        target_file=None if target is None else Path(target),
        input_shapes=input_shapes or {},
        check=check,
        dump_ir=None if dump_ir is None else Path(dump_ir),
    )


def _as_onnx(
    model: str | Path | ModelProto | TorchModule | QuantizedModel,
    config: CompilerConfig,
    dataset: Iterable[Any] | None,
    transform: Transform | None,
    input_shapes: Shapes,
) -> tuple[str | Path | ModelProto | QuantizedModel, Iterable[Any] | None]:
    """A PyTorch module as an ONNX model, anything else as it is; the dataset, whose first item may have been used."""
    from onnx import ModelProto

    from axir.compiler.quantized_model import QuantizedModel
    from axir.compiler.torch_export import example_inputs, export_torch, first_sample, is_torch_module
    from axir.ir.diagnostics import AxirError

    if isinstance(model, str | Path | ModelProto | QuantizedModel):
        return model, dataset
    if not is_torch_module(model):
        raise AxirError(
            f"cannot compile a {type(model).__name__}",
            notes=("a model is a path, an onnx.ModelProto, a torch.nn.Module or a QuantizedModel",),
        )
    sample = None
    if dataset is not None and not input_shapes:
        sample, dataset = first_sample(model, dataset, transform)
    inputs = example_inputs(model, input_shapes, sample)
    return export_torch(model, config.onnx_opset_version, inputs), dataset


def _length(dataset: Iterable[Any]) -> int | None:
    try:
        return len(dataset)  # pyright: ignore[reportArgumentType]
    except TypeError:
        return None
