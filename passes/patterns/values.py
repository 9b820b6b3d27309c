"""What the graph-level patterns ask of values: constants as arrays, factors per channel, producers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from xdsl.dialects.builtin import Float32Type
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter

from axir.dialects import ax, base
from axir.ir.constants import constant_array, constant_attr
from axir.ir.location import fuse
from axir.ir.store import WeightStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]
    F32 = NDArray[np.float32]

Op = TypeVar("Op", bound=Operation)


def is_constant(value: SSAValue) -> bool:
    return isinstance(value.owner, ax.ConstantOp)


def is_f32(value: SSAValue) -> bool:
    return isinstance(base.tensor_of(value).element_type, Float32Type)


def constant(value: SSAValue | None, store: WeightStore) -> Array | None:
    """The array of a constant, read-only; None for any other value."""
    if value is None or not isinstance(value.owner, ax.ConstantOp):
        return None
    return constant_array(value.owner.value, store, value.owner)


def f32_constant(value: SSAValue | None, store: WeightStore) -> F32 | None:
    """The array of a binary32 constant, read-only; None for any other value."""
    return cast("F32", constant(value, store)) if value is not None and is_f32(value) else None


def scalar(value: SSAValue, store: WeightStore) -> float | None:
    """The number that every element of a binary32 constant equals; None for any other value."""
    array = f32_constant(value, store)
    if array is None or array.size == 0 or not (array == array.flat[0]).all():
        return None
    return float(array.flat[0])


def channel_vector(value: SSAValue, shape: tuple[int, ...], store: WeightStore) -> F32 | None:
    """The numbers [C] by which a binary32 constant acts on a tensor of `shape` [N, C, ...].

    None when `value` is no constant, or one that differs between positions of a channel.
    """
    import numpy as np

    array = f32_constant(value, store)
    if array is None or array.ndim > len(shape) or len(shape) < 2:
        return None
    array = array.reshape((1,) * (len(shape) - array.ndim) + array.shape)
    if array.size != array.shape[1] or array.shape[1] not in (1, shape[1]):
        return None
    return np.broadcast_to(array.reshape(-1), (shape[1],))


def constant_op(array: Array, store: WeightStore) -> ax.ConstantOp:
    return ax.ConstantOp(constant_attr(array, store))


def f32_op(array: Array, store: WeightStore) -> ax.ConstantOp:
    """The constant of `array`, rounded once to binary32."""
    import numpy as np

    return constant_op(np.asarray(array, np.float32, order="C"), store)


def producer(value: SSAValue, kind: type[Op]) -> Op | None:
    """The operation of the given kind that computes `value`; None when another does."""
    return value.owner if isinstance(value.owner, kind) else None


def replace(rewriter: PatternRewriter, op: Operation, new: Sequence[Operation], *origins: Operation) -> None:
    """Replace `op` by the last of `new`, located where `origins` are, the first one first; where `op` is by default."""
    new[-1].location = fuse(origin.location for origin in origins or (op,))
    rewriter.replace(op, new)
