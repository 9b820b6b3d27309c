"""ONNX tensors as NumPy arrays, and ONNX element types as MLIR types."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from xdsl.dialects.builtin import TensorType, f32
from xdsl.ir import Attribute

from axir.ir.constants import element_type_of, numpy_dtype
from axir.ir.diagnostics import AxirError

Array = NDArray[Any]
Tensor = TensorType[Attribute]

READ_AS_F32 = frozenset({TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE})
"""Floating-point types that the graph holds as f32: runtime values are computed in f32, constants converted."""


def element_type(elem_type: int) -> Attribute:
    """The MLIR type of an ONNX element type; every float type of 16 to 64 bits is f32. Raises `ValueError`."""
    if elem_type == TensorProto.FLOAT or elem_type in READ_AS_F32:
        return f32
    try:
        return element_type_of(np.dtype(helper.tensor_dtype_to_np_dtype(elem_type)))
    except (AxirError, KeyError, TypeError):
        raise ValueError(f"element type {type_name(elem_type)} is not supported") from None


def onnx_type(element: Attribute) -> int:
    """The ONNX element type of an MLIR type. Raises `AxirError` where there is none."""
    return helper.np_dtype_to_tensor_dtype(numpy_dtype(element))


def type_name(elem_type: int) -> str:
    """`INT64` for 7; a number that ONNX does not know stays a number."""
    return {number: name for name, number in TensorProto.DataType.items()}.get(elem_type, str(elem_type))


def graph_array(array: Array) -> Array:
    """The array as constants of the graph hold it: floats in f32, everything else as it is. Raises `ValueError`."""
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    element_type(kind)
    if kind not in READ_AS_F32:
        return array
    with np.errstate(over="ignore"):  # a value beyond f32 becomes infinite, which the importer reports
        return array.astype(np.float32)


def tensor_array(tensor: TensorProto, folder: Path | None) -> Array:
    """The values of a tensor; external data is memory-mapped from a file below `folder`, the model's own.

    Raises `ValueError` for a tensor that contradicts itself, or whose external data is not there.
    """
    shape = tuple(tensor.dims)
    if min(shape, default=0) < 0:
        raise ValueError(f"shape {list(shape)} has a negative dimension")
    if tensor.data_type in (TensorProto.UNDEFINED, TensorProto.STRING):
        raise ValueError(f"element type {type_name(tensor.data_type)} is not supported")
    if tensor.data_location == TensorProto.EXTERNAL:
        return _external_array(tensor, shape, folder)
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise ValueError(f"its data does not fill a tensor of shape {list(shape)}") from None


def _external_array(tensor: TensorProto, shape: tuple[int, ...], folder: Path | None) -> Array:
    fields = {entry.key: entry.value for entry in tensor.external_data}
    location = fields.get("location", "")
    if folder is None:
        raise ValueError(f"its data is in the file '{location}', whose folder is unknown: import from a path")
    try:
        path = (folder / location).resolve()
        stored = path.stat().st_size if path.is_file() else None
    except OSError as error:
        raise ValueError(f"its data is in the file '{location}': {error.strerror}") from None
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"its data is in '{location}', outside of the model's folder")
    if stored is None:
        raise ValueError(f"its data is in the file '{location}', which is missing")
    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type)).newbyteorder("<")
    except (KeyError, TypeError):
        raise ValueError(f"element type {type_name(tensor.data_type)} is not supported") from None
    offset, size = int(fields.get("offset", 0)), math.prod(shape) * dtype.itemsize
    if offset < 0 or int(fields.get("length", size)) != size or offset + size > stored:
        raise ValueError(f"its {size} bytes at offset {offset} are not in '{location}'")
    if size == 0:
        return np.empty(shape, dtype)
    return cast(Array, np.memmap(path, dtype, mode="r", offset=offset, shape=shape))
