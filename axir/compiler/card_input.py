"""The shape that a card gives for the input of its model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from axir.ir.diagnostics import AxirError


def card_input_shapes(model: Path, shape: Sequence[int], place: str) -> dict[str, tuple[int, ...]]:
    """`shape` by the name of the model's input; nothing where it has several inputs or is no ONNX file.

    Raises `AxirError`, located at `place` in the card, where the model declares another shape.
    """
    if not model.is_file() or model.suffix == ".mlir":
        return {}
    import onnx

    try:
        graph = onnx.load(str(model), load_external_data=False).graph
    except Exception:  # whatever protobuf raises: the import will say what is wrong with the file
        return {}
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        return {}
    (value,) = inputs
    tensor = value.type.tensor_type
    if tensor.HasField("shape"):
        declared = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
        fits = len(declared) == len(shape) and all(
            known is None or known <= 0 or known == size for known, size in zip(declared, shape, strict=True)
        )
        if not fits:
            text = ", ".join("?" if size is None else str(size) for size in declared)
            raise AxirError(
                f"input_tensor_shape is {list(shape)}, but the model's input '{value.name}' is [{text}]",
                location=place,
                notes=("correct it or leave it out: it chooses dimensions that the model leaves open",),
            )
    return {value.name: tuple(shape)}
