"""A PyTorch module as an ONNX model, by PyTorch's own exporter."""

from __future__ import annotations

import inspect
import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from axir.compiler.dataset import Transform, named_samples
from axir.ir.diagnostics import AxirError

if TYPE_CHECKING:
    from onnx import ModelProto

OUTPUT = "output"
"""What the exporter calls the first output; the module has no name for it."""


def is_torch_module(model: object) -> bool:
    """Whether `model` is a torch.nn.Module, without importing PyTorch."""
    names = [(kind.__module__.partition(".")[0], kind.__name__) for kind in type(model).__mro__]
    return ("torch", "Module") in names


def export_torch(module: Any, opset: int, inputs: Mapping[str, NDArray[Any]]) -> ModelProto:
    """The ONNX model of `module` in evaluation mode, traced with one array for each argument of its forward.

    Raises `AxirError` where PyTorch cannot export it, or only in another opset.
    """
    import onnx
    import torch  # pyright: ignore[reportMissingImports]

    runtime = cast(Any, torch)
    # The newer exporter (dynamo) gives another opset than asked for, silently, where it cannot convert, and needs a
    # further package. The one that traces honours the opset.
    choice = {"dynamo": False} if "dynamo" in inspect.signature(runtime.onnx.export).parameters else {}
    file = io.BytesIO()
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is not the newer one; constants that tracing saw
            runtime.onnx.export(
                module,
                tuple(runtime.from_numpy(array.copy()) for array in inputs.values()),
                file,
                opset_version=opset,
                input_names=list(inputs),
                output_names=[] if OUTPUT in inputs else [OUTPUT],
                **choice,
            )
    except Exception as error:  # whatever the user's module or PyTorch raises
        reason = str(error).strip().split("\n", 1)[0]
        raise AxirError(
            f"PyTorch cannot export the module {_name(module)} to ONNX opset {opset}: {type(error).__name__}: {reason}",
            notes=("export it by hand with torch.onnx.export, and compile the file",),
        ) from error
    finally:
        for part, training in modes:
            part.training = training
    model = onnx.load_from_string(file.getvalue())
    found = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if found != [opset]:
        raise AxirError(f"PyTorch exported the module {_name(module)} in opset {found}, not {opset}")
    model.graph.name = _name(module)
    return model


def example_inputs(
    module: Any, shapes: Mapping[str, Sequence[int]], sample: Mapping[str, NDArray[Any]] | None
) -> dict[str, NDArray[Any]]:
    """An array for each argument of the module's forward: of `shapes`, by name, else like `sample`.

    A sample without a batch axis of 1 gets one. Raises `AxirError` where neither tells.
    """
    names = argument_names(module)
    if shapes:
        arrays: dict[str, NDArray[Any]] = {name: np.zeros(tuple(shape), np.float32) for name, shape in shapes.items()}
    elif sample is not None:
        arrays = {name: _with_batch(array) for name, array in sample.items()}
    else:
        raise AxirError(
            f"the shapes of the inputs of the module {_name(module)} are not known",
            notes=("give input_shapes, or a calibration_dataset whose first item shows them",),
        )
    if sorted(arrays) != sorted(names):
        raise AxirError(
            f"the module {_name(module)} takes {', '.join(names)}; given are {', '.join(arrays) or 'none'}",
            notes=("inputs have the names of the arguments of its forward",),
        )
    return {name: arrays[name] for name in names}


def argument_names(module: Any) -> list[str]:
    """The arguments that the module's forward must be given. Raises `AxirError` for one with *args."""
    parameters = inspect.signature(module.forward).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        raise AxirError(
            f"the inputs of the module {_name(module)} have no names: its forward takes *args",
            notes=("wrap it in a module whose forward names its arguments",),
        )
    required = [parameter for parameter in parameters if parameter.default is inspect.Parameter.empty]
    return [parameter.name for parameter in required if parameter.kind is not inspect.Parameter.VAR_KEYWORD]


def first_sample(
    module: Any, dataset: Iterable[Any], transform: Transform | None
) -> tuple[Mapping[str, NDArray[Any]] | None, Iterable[Any]]:
    """The first item of `dataset` by argument names (None: it is empty), and the dataset with that item still in it.

    Raises `AxirError` as `named_samples` does.
    """
    items = iter(dataset)
    first = list(islice(items, 1))
    whole = chain(first, items) if items is dataset else dataset
    names = dict.fromkeys(argument_names(module), ((), ""))
    return next(iter(named_samples(first, names, transform)), None), whole


def _with_batch(array: NDArray[Any]) -> NDArray[Any]:
    array = array.astype(np.float32) if array.dtype.kind == "f" else array
    return array if array.shape[:1] == (1,) else array[None]


def _name(module: Any) -> str:
    return type(module).__name__
