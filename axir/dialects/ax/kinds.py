"""What operators of one kind share: operands, result type, syntax."""

from __future__ import annotations

from abc import ABC

from xdsl.dialects.builtin import TensorType
from xdsl.irdl import AttrSizedOperandSegments, ParsePropInAttrDict, operand_def, prop_def, var_operand_def

from axir.dialects import shapes
from axir.dialects.base import Tensor, TypedOp, tensor_of, verify_epilogue
from axir.dialects.epilogue import EpilogueAttr

SEGMENTS = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())


class EpilogueOp(TypedOp, ABC):
    """An operator whose float result passes through an epilogue, see `axir.dialects.epilogue`."""

    epilogue = prop_def(EpilogueAttr, default_value=EpilogueAttr())
    extras = var_operand_def(TensorType)

    def verify_(self) -> None:
        super().verify_()
        verify_epilogue(self.epilogue, self.extras, self.result)


class UnaryOp(TypedOp, ABC):
    input = operand_def(TensorType)

    def infer(self) -> Tensor:
        return tensor_of(self.input)


UNARY = "$input attr-dict `:` type($input) `->` type($result)"


class BinaryOp(TypedOp, ABC):
    a = operand_def(TensorType)
    b = operand_def(TensorType)

    def infer(self) -> Tensor:
        a, b = tensor_of(self.a), tensor_of(self.b)
        if a.element_type != b.element_type:
            raise ValueError(f"element types {a.element_type} and {b.element_type} differ")
        return TensorType(a.element_type, shapes.broadcast(a.get_shape(), b.get_shape()))


BINARY = "$a `,` $b attr-dict `:` `(` type($a) `,` type($b) `)` `->` type($result)"
