"""Graphs, constants, and ONNX nodes that no operator describes."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    IntegerAttr,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.ir import Block, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, HasParent, IsolatedFromAbove, IsTerminator, Pure, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from axir.dialects.base import Tensor, ints_of, parse_graph, print_graph, tensor_of, verify_graph
from axir.ir.constants import WeightAttr


@irdl_op_definition
class GraphOp(IRDLOperation):
    """A function over tensors: `@main` for the device, `@preamble` and `@postamble` for the host around it."""

    name = "ax.graph"
    sym_name = prop_def(StringAttr)
    inputs = prop_def(ArrayAttr[StringAttr])
    outputs = prop_def(ArrayAttr[StringAttr])
    body = region_def("single_block")
    traits = traits_def(SymbolOpInterface(), IsolatedFromAbove())

    def __init__(self, name: str, inputs: Sequence[tuple[str, Tensor]], outputs: Sequence[str]):
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "inputs": ArrayAttr(StringAttr(i) for i, _ in inputs),
                "outputs": ArrayAttr(StringAttr(o) for o in outputs),
            },
            regions=[Region(Block(arg_types=[t for _, t in inputs]))],
        )

    @property
    def terminator(self) -> ReturnOp:
        op = self.body.block.last_op
        if not isinstance(op, ReturnOp):
            raise VerifyException("a graph must end with a return")
        return op

    def verify_(self) -> None:
        verify_graph(self, self.inputs, self.outputs, self.body)

    @classmethod
    def parse(cls, parser: Parser) -> GraphOp:
        return parse_graph(cls, parser)

    def print(self, printer: Printer) -> None:
        print_graph(self, printer, self.sym_name, self.inputs, self.outputs, self.body)


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
