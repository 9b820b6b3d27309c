"""Types of the graph's inputs: what the model declares, with the shapes that the user adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onnx import TypeProto, ValueInfoProto
from xdsl.dialects.builtin import TensorType

from axir.frontends.onnx.load import Source
from axir.frontends.onnx.tensors import Tensor, element_type
from axir.ir.diagnostics import AxirError

_GUESS = 224
"""Stands for an open dimension in the advice that an error gives."""


def input_types(source: Source, given: Mapping[str, Sequence[int]]) -> list[tuple[str, Tensor]]:
    """Names and types of the inputs that are no initializers.

    Raises `AxirError` for a dimension that neither the model nor `given` knows, or on which they disagree, for an input
    that is no tensor and for an unknown name in `given`.
    """
    constants = {tensor.name for tensor in source.graph.initializer}
    inputs = [value for value in source.graph.input if value.name not in constants]
    names = [value.name for value in inputs]
    for name in given:
        if name not in names:
            known = ", ".join(f"'{other}'" for other in names) or "none"
            raise AxirError(
                f"the model has no input '{name}'", location=source.file, notes=(f"its inputs are: {known}",)
            )
    return [(value.name, _input_type(source.file, value, given.get(value.name))) for value in inputs]


def _input_type(file: str, value: ValueInfoProto, given: Sequence[int] | None) -> Tensor:
    name = value.name
    if not value.type.HasField("tensor_type"):
        raise AxirError(f"input '{name}' is not a tensor", location=file)
    tensor = value.type.tensor_type
    try:
        element = element_type(tensor.elem_type)
    except ValueError as error:
        raise AxirError(f"input '{name}': {error}", location=file) from None
    declared = _declared(tensor)
    shape = _merged(file, name, declared, given)
    for axis, size in enumerate(shape):
        if isinstance(size, int) and size > 0:
            continue
        if size == 0:
            problem = f"dimension {axis} of input '{name}' is 0: it has no elements"
        else:
            problem = f"dimension {axis} of input '{name}' is dynamic" + (f" ('{size}')" if size else "")
        raise AxirError(problem, location=file, notes=(_advice(name, shape),))
    return TensorType(element, [size for size in shape if isinstance(size, int)])


def _declared(tensor: TypeProto.Tensor) -> list[int | str] | None:
    """Sizes, or the name (perhaps empty) of a dimension without one; None where not even the rank is known."""
    if not tensor.HasField("shape"):
        return None
    return [
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value >= 0 else dim.dim_param for dim in tensor.shape.dim
    ]


def _merged(file: str, name: str, declared: list[int | str] | None, given: Sequence[int] | None) -> Sequence[int | str]:
    if given is None:
        if declared is None:
            raise AxirError(f"input '{name}' has no shape", location=file, notes=(_advice(name, ["", "", "", ""]),))
        return declared
    text = ",".join(map(str, given))
    if declared is not None and len(declared) != len(given):
        raise AxirError(
            f"input '{name}' has {len(declared)} dimensions, --input-shape {name}={text} has {len(given)}",
            location=file,
        )
    for axis, (old, new) in enumerate(zip(declared or [], given, strict=False)):
        if isinstance(old, int) and old > 0 and old != new:
            raise AxirError(
                f"dimension {axis} of input '{name}' is {old} in the model, {new} in --input-shape {name}={text}",
                location=file,
                notes=("only dynamic dimensions can be chosen; export the model again to change another",),
            )
    return list(given)


def _advice(name: str, shape: Sequence[int | str]) -> str:
    sizes = [size if isinstance(size, int) and size else _GUESS if axis else 1 for axis, size in enumerate(shape)]
    return f"choose a shape, for example --input-shape {name}={','.join(map(str, sizes))}"
