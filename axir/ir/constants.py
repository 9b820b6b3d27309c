"""Constant tensors in the IR: small ones inline, others as a key into the weight store.

Both directions go through here, so that no pass depends on where a constant is kept.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import (
    BytesAttr,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    IntegerType,
    Signedness,
    StringAttr,
    TensorType,
    f16,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.utils.exceptions import VerifyException

from axir.ir.diagnostics import AxirError
from axir.ir.store import KEY_LENGTH, WeightStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]

INLINE_LIMIT = 64
"""Constants of at most this many elements are printed in the IR."""

ui8 = IntegerType(8, Signedness.UNSIGNED)

ElementType = Float16Type | Float32Type | Float64Type | IntegerType
_KEY = re.compile(rf"[0-9a-f]{{{KEY_LENGTH}}}")

# Integers are signless, as MLIR prefers; `ui8` alone says what it is, because ONNX distinguishes uint8 from int8.
_DTYPE_OF: dict[Attribute, str] = {
    f16: "<f2",
    f32: "<f4",
    f64: "<f8",
    i1: "|b1",
    i8: "|i1",
    i16: "<i2",
    i32: "<i4",
    i64: "<i8",
    ui8: "|u1",
}
_TYPE_OF = {code: element for element, code in _DTYPE_OF.items()}


@irdl_attr_definition
class WeightAttr(ParametrizedAttribute):
    """A constant tensor kept in the weight store: `#ax.weight<"9f2c...", tensor<64x3x3x3xf32>>`.

    `key` is the content hash of the tensor, 32 hexadecimal digits; `type` its type, with a static shape.
    """

    name = "ax.weight"
    key: StringAttr = param_def()
    type: TensorType = param_def()

    def __init__(self, key: str | StringAttr, type: TensorType):
        super().__init__(StringAttr(key) if isinstance(key, str) else key, type)

    def verify(self) -> None:
        if not _KEY.fullmatch(self.key.data):
            raise VerifyException(f"weight key must be {KEY_LENGTH} hexadecimal digits, not '{self.key.data}'")
        if min(self.type.get_shape(), default=0) < 0:
            raise VerifyException(f"weight type must have a static shape, not {self.type}")
        if self.type.element_type not in _DTYPE_OF:
            raise VerifyException(f"weights of element type {self.type.element_type} are not supported")


@cache
def numpy_dtype(element_type: Attribute) -> np.dtype[Any]:
    """The NumPy type of an MLIR element type. Raises `AxirError` where there is none."""
    import numpy as np

    if element_type not in _DTYPE_OF:
        raise AxirError(f"tensors of element type {element_type} have no NumPy representation")
    return np.dtype(_DTYPE_OF[element_type])


def element_type_of(dtype: np.dtype[Any]) -> ElementType:
    """The MLIR element type of a NumPy type. Raises `AxirError` where there is none."""
    code = dtype.newbyteorder("<").str
    if code not in _TYPE_OF:
        raise AxirError(f"arrays of type {dtype} are not supported")
    return cast(ElementType, _TYPE_OF[code])


def tensor_type(array: Array) -> TensorType[ElementType]:
    """The tensor type of an array."""
    return TensorType(element_type_of(array.dtype), array.shape)


def constant_attr(array: Array, store: WeightStore) -> DenseIntOrFPElementsAttr | WeightAttr:
    """The attribute of a constant: inline up to `INLINE_LIMIT` elements, else a key, with the values put in `store`."""
    type_ = tensor_type(array)
    if array.size > INLINE_LIMIT or not _prints_exactly(array):
        return WeightAttr(store.put(array), type_)
    return DenseIntOrFPElementsAttr(type_, BytesAttr(_dense_bytes(array)))


def constant_array(
    attribute: DenseIntOrFPElementsAttr | WeightAttr, store: WeightStore, op: Operation | None = None
) -> Array:
    """The values of a constant, as a read-only array of the attribute's shape and type.

    Raises `AxirError`, located at `op`, when the store has no such tensor or one of another type.
    """
    import numpy as np

    shape = attribute.type.get_shape()
    dtype = numpy_dtype(attribute.type.get_element_type())
    if isinstance(attribute, DenseIntOrFPElementsAttr):
        return _from_dense_bytes(attribute.data.data, dtype, shape)
    try:
        array = store.get(attribute.key.data)
    except AxirError as error:
        raise AxirError(error.message, op=op, notes=error.notes) from None
    if array.shape != shape or array.dtype != np.dtype(dtype):
        stored = tensor_type(array)
        raise AxirError(f"weight {attribute.key.data} is {stored} in the store, not {attribute.type}", op=op)
    return array


def _dense_bytes(array: Array) -> bytes:
    import numpy as np

    if array.dtype == np.bool_:
        # xDSL holds a true i1 as the byte 0xff, sign-extended.
        return (-array.astype(np.int8)).tobytes()
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _from_dense_bytes(data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    import numpy as np

    if dtype == np.bool_:
        flat = cast("Array", np.frombuffer(data, dtype=np.int8) != 0)
        flat.flags.writeable = False
    else:
        flat = np.frombuffer(data, dtype=dtype)
    # A single element stands for a whole tensor: a splat.
    return np.broadcast_to(flat.reshape(()), shape) if flat.size == 1 else flat.reshape(shape)


def _prints_exactly(array: Array) -> bool:
    """Whether xDSL 0.74 prints an inline constant so that parsing gives the same bits.

    It may change the payload of a NaN, and takes zeros of both signs for a splat.
    """
    import numpy as np

    if array.dtype.kind != "f":
        return True
    zeros_of_both_signs = array.size > 1 and not array.any() and np.unique(np.signbit(array)).size > 1
    return not np.isnan(array).any() and not zeros_of_both_signs
