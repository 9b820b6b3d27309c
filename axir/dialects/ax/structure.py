"""Graphs, constants, and ONNX nodes that no operator describes."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    IntegerAttr,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.ir import SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import ConstantLike, HasParent, IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from axir.dialects.base import ints_of, tensor_of
from axir.dialects.graph import NamedGraphOp
from axir.ir.constants import WeightAttr


@irdl_op_definition
class GraphOp(NamedGraphOp):
    """A function over tensors: `@main` for the device, `@preamble` and `@postamble` for the host around it."""

    name = "ax.graph"


@irdl_op_definition
class ReturnOp(IRDLOperation):
    name = "ax.return"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), HasParent(GraphOp), Pure())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[list(values)])


@irdl_op_definition
class ConstantOp(IRDLOperation):
    """A constant tensor: a few elements inline, larger ones a reference into the weight store."""

    name = "ax.constant"
    value = prop_def(WeightAttr | DenseIntOrFPElementsAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure(), ConstantLike())
    assembly_format = "qualified($value) attr-dict `:` type($result)"

    def __init__(self, value: WeightAttr | DenseIntOrFPElementsAttr):
        super().__init__(properties={"value": value}, result_types=[value.type])

    def verify_(self) -> None:
        if self.result.type != self.value.type:
            raise VerifyException(f"result has type {self.result.type}, the constant {self.value.type}")


@irdl_op_definition
class OnnxOp(IRDLOperation):
    """An ONNX node as it stands: `kind` and `domain` name the operator, `node_attributes` its attributes.

    An omitted optional input is recorded in `present`, one flag an ONNX input.
    """

    name = "ax.onnx"
    kind = prop_def(StringAttr)
    domain = prop_def(StringAttr, default_value=StringAttr(""))
    opset = prop_def(IntegerAttr.constr(i64))
    node_attributes = prop_def(DictionaryAttr)
    present = prop_def(DenseArrayBase.constr(i64))
    arguments = var_operand_def()
    outputs = var_result_def()
    traits = traits_def(Pure())
    assembly_format = (
        "$kind `(` $arguments `)` (`domain` $domain^)? `opset` $opset `present` $present `with` $node_attributes "
        "attr-dict `:` functional-type($arguments, $outputs)"
    )

    def verify_(self) -> None:
        present = ints_of(self.present)
        if any(flag not in (0, 1) for flag in present):
            raise VerifyException(f"present holds flags, not {list(present)}")
        if sum(present) != len(self.arguments):
            raise VerifyException(f"{sum(present)} inputs are present, {len(self.arguments)} given")
        for value in (*self.arguments, *self.outputs):
            tensor_of(value)
