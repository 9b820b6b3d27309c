"""What a converter of one ONNX operator sees and does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import onnx
from xdsl.dialects.builtin import f32
from xdsl.ir import Attribute, Operation, SSAValue

from axir.dialects import ax, base
from axir.frontends.onnx.structure import node_label
from axir.frontends.onnx.tensors import Array

_T = TypeVar("_T")


class Unsupported(Exception):
    """The `ax` dialect cannot say this form of the operator; the node stays as `ax.onnx`, with this reason."""


Operands = Sequence[SSAValue | Sequence[SSAValue] | None]
"""One entry an operand group of the operation."""


class Values(Protocol):
    """The values that are defined so far, and where operations go; the importer."""

    def constant(self, name: str) -> Array | None:
        """The value called `name` if it is a constant."""
        ...

    def operand(self, name: str) -> SSAValue:
        """The value called `name` as an operand, a constant becoming an operation."""
        ...

    def type_of(self, name: str) -> base.Tensor:
        """The type of `operand(name)`."""
        ...

    def emit(self, kind: type[base.TypedOp], operands: Operands, properties: dict[str, Attribute]) -> SSAValue:
        """Append an operation. Raises `ValueError` where operands and properties do not fit together."""
        ...

    def literal(self, array: Array) -> SSAValue:
        """Append a constant."""
        ...


@dataclass(frozen=True)
class Node:
    """One ONNX node, its attributes read and its inputs known."""

    index: int
    proto: onnx.NodeProto
    opset: int
    values: Values

    @cached_property
    def attributes(self) -> dict[str, Any]:
        return {a.name: onnx.helper.get_attribute_value(a) for a in self.proto.attribute}

    @property
    def label(self) -> str:
        return node_label(self.index, self.proto)

    @property
    def output_count(self) -> int:
        return len(self.proto.output)

    def has_output(self, index: int) -> bool:
        return index < len(self.proto.output) and bool(self.proto.output[index])

    # Attributes: ONNX's checker has made sure of their types.

    def integer(self, name: str, default: int) -> int:
        return int(self.attributes.get(name, default))

    def flag(self, name: str, default: bool) -> bool:
        """An attribute that is 0 or 1. Raises `ValueError` for anything else, which everyone reads in his own way."""
        value = self.integer(name, default)
        if value not in (0, 1):
            raise ValueError(f"{name} is {value}, not 0 or 1")
        return bool(value)

    def real(self, name: str, default: float) -> float:
        """A float attribute; ONNX keeps them, and their defaults, in binary32."""
        return float(np.float32(self.attributes.get(name, default)))

    def text(self, name: str, default: str) -> str:
        value = self.attributes.get(name)
        return default if value is None else cast(bytes, value).decode(errors="replace")

    def integers(self, name: str, default: _T) -> list[int] | _T:
        value = self.attributes.get(name)
        return default if value is None else [int(v) for v in cast("Sequence[int]", value)]

    # Inputs

    def has_input(self, index: int) -> bool:
        return index < len(self.proto.input) and bool(self.proto.input[index])

    def operand(self, index: int) -> SSAValue:
        return self.values.operand(self._input(index))

    def optional_operand(self, index: int) -> SSAValue | None:
        return self.operand(index) if self.has_input(index) else None

    def type_of(self, index: int) -> base.Tensor:
        return self.values.type_of(self._input(index))

    def _input(self, index: int) -> str:
        if not self.has_input(index):
            raise ValueError(f"input {index} is missing")
        return self.proto.input[index]

    def shape(self, index: int = 0) -> tuple[int, ...]:
        return self.type_of(index).get_shape()

    def constant(self, index: int) -> Array | None:
        """The value of an input, None where it is omitted. Raises `Unsupported` where only running the graph tells."""
        if not self.has_input(index):
            return None
        value = self.values.constant(self.proto.input[index])
        if value is None:
            raise Unsupported(f"input {index} of {self.proto.op_type} is not a constant")
        return value

    def constant_integers(self, index: int) -> list[int] | None:
        """A constant vector of integers. Raises `ValueError` for anything else."""
        value = self.constant(index)
        if value is None:
            return None
        if value.ndim > 1 or value.dtype.kind not in "iu":
            raise ValueError(f"input {index} must be a vector of integers")
        return [int(v) for v in value.reshape(-1)]

    def axis(self, name: str, default: int, rank: int, *, last: int = 1) -> int:
        """An axis attribute, counted from the front. Raises `ValueError` outside of [-rank, rank - last]."""
        return normal_axis(self.integer(name, default), rank, last=last)

    # Results

    def emit(self, kind: type[base.TypedOp], operands: Operands, /, **properties: Attribute) -> SSAValue:
        return self.values.emit(kind, operands, properties)

    def reshape(self, value: SSAValue, shape: Sequence[int]) -> SSAValue:
        """`value` in another shape; itself if it has that shape."""
        if base.shape_of(value) == tuple(shape):
            return value
        return self.emit(ax.ReshapeOp, [value], shape=base.ints(shape))

    def literal(self, value: float) -> SSAValue:
        """A constant of one number."""
        return self.values.literal(np.asarray(value, np.float32))


@dataclass(frozen=True)
class Converter:
    """How an ONNX operator becomes `ax` operations.

    `build` returns the value of each output the node uses, from the first on. The inputs listed in `constants` become
    properties; all others must be tensors of floats, unless `any_type`.
    """

    build: Callable[[Node], Sequence[SSAValue]]
    makes: tuple[type[Operation], ...] = ()
    """The operations it makes, for docs/operators.md."""
    constants: tuple[int, ...] = ()
    any_type: bool = False
    host: str = ""
    """The forms that stay `ax.onnx`, for docs/operators.md; beside those with inputs that are no floats."""

    def __call__(self, node: Node) -> Sequence[SSAValue]:
        """Raises `Unsupported` where `ax` has no such form, `ValueError` where the node is wrong."""
        for index in range(len(node.proto.input)):
            if not node.has_input(index):
                continue
            if index in self.constants:
                node.constant(index)
            elif not self.any_type and node.type_of(index).element_type != f32:
                raise Unsupported(f"input {index} has element type {node.type_of(index).element_type}, not a float")
        return self.build(node)


def normal_axis(axis: int, rank: int, *, last: int = 1) -> int:
    """An axis counted from the front. Raises `ValueError` outside of [-rank, rank - last]."""
    if not -rank <= axis <= rank - last:
        raise ValueError(f"axis {axis} is outside of rank {rank}")
    return axis + rank if axis < 0 else axis


def normal_axes(axes: Sequence[int], rank: int) -> list[int]:
    """Distinct axes counted from the front. Raises `ValueError`."""
    normal = [normal_axis(axis, rank) for axis in axes]
    if len(set(normal)) != len(normal):
        raise ValueError(f"axes {list(axes)} name an axis twice")
    return normal
