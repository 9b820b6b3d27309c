"""Tasks: one instruction on one unit each, and what it waits for."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Any, ClassVar, cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, i64
from xdsl.ir import OpResult, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def, result_def, var_operand_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from axir.dialects.aipu.attributes import BufferType, CountAttr, InstructionAttr, TokenType
from axir.dialects.aipu.fields import parse_value, render
from axir.target import isa
from axir.target.isa import Address, Instruction, Memory


class TaskOp(IRDLOperation, ABC):
    """One instruction on one unit.

    `arguments` are the buffers of the present addresses, in table order, then the tokens waited for. Of other cores it
    waits for completion counts (`remote`): a core's tokens are its own.
    """

    INSTRUCTION: ClassVar[type[Instruction]]

    arguments = var_operand_def(BufferType | TokenType)
    instruction = prop_def(InstructionAttr)
    unit = prop_def(StringAttr)
    layer = prop_def(IntegerAttr.constr(i64))
    remote = opt_prop_def(ArrayAttr[CountAttr])
    token = result_def(TokenType)

    @classmethod
    def make(
        cls,
        instruction: Instruction,
        buffers: Sequence[SSAValue],
        unit: str,
        layer: int,
        after: Sequence[SSAValue] = (),
        remote: Sequence[CountAttr] = (),
    ) -> TaskOp:
        """`buffers`: one for each present address of the instruction, in table order."""
        return TASKS[type(instruction)].create(
            operands=[*buffers, *after],
            result_types=[TokenType()],
            properties={
                "instruction": InstructionAttr(instruction),
                "unit": StringAttr(unit),
                "layer": IntegerAttr(layer, i64),
                **({"remote": ArrayAttr(remote)} if remote else {}),
            },
        )

    @property
    def fields(self) -> Instruction:
        return self.instruction.data

    @property
    def buffers(self) -> list[SSAValue]:
        return [value for value in self.arguments if not isinstance(value.type, TokenType)]

    @property
    def after(self) -> list[TaskOp]:
        """The tasks this one waits for."""
        tokens = (value for value in self.arguments if isinstance(value.type, TokenType))
        return [cast(TaskOp, cast(OpResult, token).op) for token in tokens]

    @property
    def remote_waits(self) -> Sequence[CountAttr]:
        return () if self.remote is None else self.remote.data

    @property
    def placed(self) -> list[tuple[isa.FieldRow, Address, SSAValue]]:
        """(field, offset in the buffer, buffer) of every present address."""
        present = [
            (row, cast(Address, getattr(self.fields, row.name)))
            for row in isa.addresses_of(type(self.fields))
            if getattr(self.fields, row.name) is not None
        ]
        return [(row, address, buffer) for (row, address), buffer in zip(present, self.buffers, strict=True)]

    def wait_for(self, tasks: Sequence[TaskOp]) -> None:
        """Replace the tokens waited for."""
        self.operands = [*self.buffers, *(task.token for task in tasks)]

    def wait_for_remote(self, counts: Sequence[tuple[int, str, int]]) -> None:
        """Replace the completion counts of other cores waited for: (core, unit, completed)."""
        self.remote = ArrayAttr([CountAttr(count) for count in counts]) if counts else None

    def verify_(self) -> None:
        fields = self.fields
        if type(fields) is not self.INSTRUCTION:
            raise VerifyException(f"holds a {fields.mnemonic} instruction")
        misplaced = fields.unit_problem(self.unit.data)
        if misplaced:
            raise VerifyException(misplaced)
        addresses = [row for row in isa.addresses_of(type(fields)) if getattr(fields, row.name) is not None]
        if len(addresses) != len(self.buffers):
            raise VerifyException(f"{len(addresses)} addresses but {len(self.buffers)} buffers")
        for row, address, buffer in self.placed:
            if cast(BufferType, buffer.type).memory != address.memory:
                raise VerifyException(f"{row.name} is in {address.memory}, its buffer is {buffer.type}")
        problem = isa.check(fields)
        if problem:
            raise VerifyException(problem)
        if any(task.parent is not self.parent for task in self.after):
            raise VerifyException("waits for a task of another core")

    # `%t = aipu.mvm on array(src = l1 %x[0], out = l1 %y[64]) {rows = 4, ...} layer 3 after(%a, %b, core 1 dma1 12)`

    def print(self, printer: Printer) -> None:
        printer.print_string(f" on {self.unit.data}")
        if isa.fields_of(self.INSTRUCTION):
            self._print_fields(printer)
        printer.print_string(f" layer {self.layer.value.data}")
        tokens = [value for value in self.arguments if isinstance(value.type, TokenType)]
        if tokens or self.remote_waits:
            printer.print_string(" after")
            with printer.in_parens():
                printer.print_list(tokens, printer.print_operand)
                if tokens and self.remote_waits:
                    printer.print_string(", ")
                printer.print_string(", ".join(map(str, self.remote_waits)))
        if self.attributes:
            printer.print_op_attributes(self.attributes)

    def _print_fields(self, printer: Printer) -> None:
        printer.print_string("(")
        for index, (row, address, buffer) in enumerate(self.placed):
            printer.print_string(f"{', ' if index else ''}{row.name} = {address.memory} ")
            printer.print_operand(buffer)
            printer.print_string(f"[{address.offset}]")
        fields = [
            f"{row.name} = {render(getattr(self.fields, row.name))}"
            for row in isa.fields_of(type(self.fields))
            if row.kind != "address" and (row.required or getattr(self.fields, row.name) != row.default)
        ]
        printer.print_string(f") {{{', '.join(fields)}}}")

    @classmethod
    def parse(cls, parser: Parser) -> TaskOp:
        rows = {row.name: row for row in isa.fields_of(cls.INSTRUCTION)}
        parser.parse_keyword("on")
        unit = parser.parse_identifier(" naming a unit")
        values: dict[str, Any] = {}
        buffers: dict[str, SSAValue] = {}

        def name(kinds: str) -> isa.FieldRow:
            position = parser.pos
            text = parser.parse_identifier(" naming a field")
            row = rows.get(text)
            if row is None or (row.kind == "address") != (kinds == "address") or text in values:
                parser.raise_error(f"'{text}' is no {kinds} of {cls.INSTRUCTION.mnemonic}, or given twice", position)
            parser.parse_punctuation("=")
            return row

        def place() -> None:
            row = name("address")
            memory = cast(Memory, parser.parse_keyword_in(isa.MEMORIES, " naming a memory"))
            buffer = parser.parse_operand(BufferType.of(memory))
            with parser.in_square_brackets():
                offset = parser.parse_integer(allow_boolean=False, allow_negative=False)
            values[row.name] = Address(memory, offset)
            buffers[row.name] = buffer

        def entry() -> None:
            row = name("field")
            values[row.name] = parse_value(parser, row)

        if rows:  # a task without fields has no brackets
            parser.parse_comma_separated_list(parser.Delimiter.PAREN, place)
            parser.parse_comma_separated_list(parser.Delimiter.BRACES, entry)
        parser.parse_keyword("layer")
        layer = parser.parse_integer(allow_boolean=False, allow_negative=False)
        tokens: list[SSAValue] = []
        remote: list[CountAttr] = []

        def wait() -> None:
            if parser.parse_optional_keyword("core") is not None:
                remote.append(CountAttr(CountAttr.parse_rest(parser)))
            else:
                tokens.append(parser.parse_operand(TokenType()))

        if parser.parse_optional_keyword("after") is not None:
            parser.parse_comma_separated_list(parser.Delimiter.PAREN, wait)
        attributes = parser.parse_optional_attr_dict()
        missing = [row.name for row in rows.values() if row.required and row.name not in values]
        if missing:
            parser.raise_error(f"{cls.INSTRUCTION.mnemonic} needs {', '.join(missing)}")
        ordered = [buffers[row.name] for row in isa.addresses_of(cls.INSTRUCTION) if row.name in buffers]
        task = cls.make(cls.INSTRUCTION(**values), ordered, unit, layer, tokens, remote)
        task.attributes = dict(attributes)
        return task


@irdl_op_definition
class DmaOp(TaskOp):
    name = "aipu.dma"
    INSTRUCTION: ClassVar[type[Instruction]] = isa.Dma


@irdl_op_definition
class LoadOp(TaskOp):
    name = "aipu.load"
    INSTRUCTION: ClassVar[type[Instruction]] = isa.Load


@irdl_op_definition
class MvmOp(TaskOp):
    name = "aipu.mvm"
    INSTRUCTION: ClassVar[type[Instruction]] = isa.Mvm


@irdl_op_definition
class DepthwiseOp(TaskOp):
    name = "aipu.depthwise"
    INSTRUCTION: ClassVar[type[Instruction]] = isa.Depthwise


@irdl_op_definition
class VecOp(TaskOp):
    name = "aipu.vec"
    INSTRUCTION: ClassVar[type[Instruction]] = isa.Vec


@irdl_op_definition
class SoftmaxOp(TaskOp):
    name = "aipu.softmax"
    INSTRUCTION: ClassVar[type[Instruction]] = isa.Softmax


@irdl_op_definition
class LoadPixelsOp(TaskOp):
    name = "aipu.load_pixels"
    INSTRUCTION: ClassVar[type[Instruction]] = isa.LoadPixels


@irdl_op_definition
class NormalizeOp(TaskOp):
    name = "aipu.normalize"
    INSTRUCTION: ClassVar[type[Instruction]] = isa.Normalize


@irdl_op_definition
class SyncOp(TaskOp):
    """`aipu.sync on dma0 layer 3 after(%a, core 1 dma1 12)`: it has neither buffers nor fields."""

    name = "aipu.sync"
    INSTRUCTION: ClassVar[type[Instruction]] = isa.Sync


TASKS: dict[type[Instruction], type[TaskOp]] = {
    op.INSTRUCTION: op
    for op in (DmaOp, LoadOp, MvmOp, DepthwiseOp, VecOp, SoftmaxOp, SyncOp, LoadPixelsOp, NormalizeOp)
}
