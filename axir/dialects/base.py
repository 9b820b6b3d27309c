"""What the graph dialects share: tensors, typed operators, the syntax of graphs and of epilogues."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar, cast

from xdsl.dialects.builtin import (
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    TensorType,
    f64,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    result_def,
    traits_def,
)
from xdsl.rewriter import Rewriter
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from axir.dialects import shapes
from axir.dialects.epilogue import EpilogueAttr

Tensor = TensorType[Attribute]


WINDOW = DenseArrayBase.constr(i64)


F64 = FloatAttr.constr(f64)


def ints(values: Sequence[int]) -> DenseArrayBase:
    """An `array<i64: ...>` property."""
    return DenseArrayBase.from_list(i64, [int(value) for value in values])


def ints_of(attribute: DenseArrayBase) -> tuple[int, ...]:
    return cast("DenseArrayBase[IntegerType]", attribute).get_values()


def integer(value: int) -> IntegerAttr:
    return IntegerAttr(int(value), i64)


def float_(value: float) -> FloatAttr:
    return FloatAttr(float(value), f64)


def tensor_of(value: SSAValue) -> Tensor:
    """The value's tensor type; `VerifyException` when it has another type."""
    if not isinstance(value.type, TensorType):
        raise VerifyException(f"expected a tensor, got {value.type}")
    return cast(Tensor, value.type)


def shape_of(value: SSAValue) -> tuple[int, ...]:
    return tensor_of(value).get_shape()


class TypedOp(IRDLOperation, ABC):
    """An operator with one result whose type follows from operands and properties."""

    result = result_def(TensorType)
    traits = traits_def(Pure())

    @abstractmethod
    def infer(self) -> Tensor:
        """The result type. Raises `ValueError` where operands and properties do not fit together."""

    def verify_(self) -> None:
        element = tensor_of(self.result).element_type
        for value in self.operands:
            if tensor_of(value).element_type != element:
                raise VerifyException(f"operand of type {value.type} for a result of type {self.result.type}")
        self.verify_inferred()

    def verify_inferred(self) -> None:
        """The result has the type that `infer` gives."""
        try:
            expected = self.infer()
        except ValueError as error:
            raise VerifyException(str(error)) from None
        if self.result.type != expected:
            raise VerifyException(f"result has type {self.result.type}, operands give {expected}")


OpT = TypeVar("OpT", bound=TypedOp)


def build(
    kind: type[OpT],
    operands: Sequence[SSAValue | Operation | Sequence[SSAValue] | None],
    properties: dict[str, Attribute] | None = None,
) -> OpT:
    """Create an operator and let it infer its result type. Raises `ValueError` where the shapes do not fit."""
    groups = [[] if o is None else list(o) if isinstance(o, Sequence) else [SSAValue.get(o)] for o in operands]
    first = next(value for group in groups for value in group)
    op = kind.build(operands=groups, properties=properties or {}, result_types=[first.type])
    Rewriter.replace_value_with_new_type(op.result, op.infer())
    return op


def verify_epilogue(epilogue: EpilogueAttr, extras: Sequence[SSAValue], result: SSAValue) -> None:
    """As many extras as steps consume, each broadcasting to the result."""
    if len(extras) != epilogue.operand_count:
        raise VerifyException(f"the epilogue takes {epilogue.operand_count} extra operands, {len(extras)} given")
    shape = shape_of(result)
    for extra in extras:
        try:
            fits = shapes.broadcast(shape, shape_of(extra)) == shape
        except ValueError:
            fits = False
        if not fits:
            raise VerifyException(f"an epilogue operand of type {extra.type} does not broadcast to {result.type}")


EPILOGUE = "(`epilogue` $epilogue^)? (`extras` $extras^ `:` type($extras))?"
