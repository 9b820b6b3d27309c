"""What the graphs of the levels share: a function over tensors with named inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import ArrayAttr, StringAttr
from xdsl.ir import Block, Operation, Region
from xdsl.irdl import IRDLOperation, prop_def, region_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from axir.dialects.base import Tensor


class NamedGraphOp(IRDLOperation):
    """`@main(%x: type "name", ...) -> ("name", ...) attributes {...} { body }`, one block that ends with a return."""

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
    def terminator(self) -> Operation:
        """The return, whose operands are the outputs. Raises `VerifyException` where there is none."""
        op = self.body.block.last_op
        if op is None or not op.has_trait(IsTerminator):
            raise VerifyException("a graph must end with a return")
        return op

    def verify_(self) -> None:
        """One name an input and an output, names unique, a return that fits."""
        returned = self.terminator.operands
        if len(self.inputs) != len(self.body.block.args):
            raise VerifyException(f"{len(self.inputs)} input names for {len(self.body.block.args)} inputs")
        if len(self.outputs) != len(returned):
            raise VerifyException(f"{len(self.outputs)} output names for {len(returned)} returned values")
        for what, names in (("input", self.inputs), ("output", self.outputs)):
            if len({name.data for name in names}) != len(names):
                raise VerifyException(f"{what} names are not unique")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        symbol = parser.parse_symbol_name()
        names: list[StringAttr] = []

        def argument() -> Parser.Argument:
            value = parser.parse_argument()
            names.append(StringAttr(parser.parse_str_literal(" naming the input")))
            return value

        arguments = parser.parse_comma_separated_list(parser.Delimiter.PAREN, argument)
        parser.parse_punctuation("->")
        outputs = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: StringAttr(parser.parse_str_literal(" naming the output"))
        )
        attributes = parser.parse_optional_attr_dict_with_keyword()
        region = parser.parse_region(arguments)
        return cls.create(
            properties={"sym_name": symbol, "inputs": ArrayAttr(names), "outputs": ArrayAttr(outputs)},
            attributes=dict(attributes.data) if attributes else {},
            regions=[region],
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        with printer.in_parens():
            for index, (name, argument) in enumerate(zip(self.inputs, self.body.block.args, strict=True)):
                printer.print_string(", " if index else "")
                # Not print_block_argument: with debug information it prints a location, which the parser does not read.
                printer.print_ssa_value(argument)
                printer.print_string(": ")
                printer.print_attribute(argument.type)
                printer.print_string(" ")
                printer.print_string_literal(name.data)
        printer.print_string(" -> ")
        with printer.in_parens():
            printer.print_list(self.outputs, lambda name: printer.print_string_literal(name.data))
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)
