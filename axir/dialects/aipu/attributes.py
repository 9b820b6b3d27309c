"""The types and attributes of `aipu`: memories, tokens, layouts, what a task is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import IntegerAttr, StringAttr, i64
from xdsl.ir import Attribute, Data, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from axir.target import isa
from axir.target.isa import Instruction, Memory


@irdl_attr_definition
class BufferType(ParametrizedAttribute, TypeAttribute):
    """`!aipu.buffer<l1>`: bytes in one memory."""

    name = "aipu.buffer"
    memory_name: StringAttr = param_def()

    @staticmethod
    def of(memory: Memory) -> BufferType:
        return BufferType(StringAttr(memory))

    @property
    def memory(self) -> Memory:
        return cast(Memory, self.memory_name.data)

    def verify(self) -> None:
        if self.memory_name.data not in isa.MEMORIES:
            raise VerifyException(f"no memory '{self.memory_name.data}', there are {', '.join(isa.MEMORIES)}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return (StringAttr(parser.parse_identifier(" naming a memory")),)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.memory_name.data)


@irdl_attr_definition
class TokenType(ParametrizedAttribute, TypeAttribute):
    """The completion of a task."""

    name = "aipu.token"


EXCHANGE = "exchange"
"""The operator of a layer that passes bytes from core to core, through L2 or DDR."""


@irdl_attr_definition
class LayerAttr(ParametrizedAttribute):
    """`#aipu.layer<"Conv_12", "conv", "array", 1204224>`: what a task works for: node, operator, unit, MACs."""

    name = "aipu.layer"
    layer: StringAttr = param_def()
    operator: StringAttr = param_def()
    unit: StringAttr = param_def()
    macs: IntegerAttr = param_def()

    @staticmethod
    def of(layer: str, operator: str, unit: str, macs: int) -> LayerAttr:
        return LayerAttr(StringAttr(layer), StringAttr(operator), StringAttr(unit), IntegerAttr(macs, i64))

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            texts: list[Attribute] = []
            for _ in range(3):
                texts.append(StringAttr(parser.parse_str_literal()))
                parser.parse_punctuation(",")
            return (*texts, IntegerAttr(parser.parse_integer(allow_boolean=False), i64))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            for text in (self.layer, self.operator, self.unit):
                printer.print_string_literal(text.data)
                printer.print_string(", ")
            printer.print_string(str(self.macs.value.data))


@irdl_attr_definition
class LayoutAttr(Data[tuple[int, int, tuple[tuple[int, int], ...]]]):
    """Where an NCHW tensor's elements lie: `#aipu.layout<rows 3584, pixels 64, channels [3 at 0]>`.

    Element (h, w, c) is at h * rows + w * pixels + slot(c), in bytes. Channels come in runs `count at slot`, in order.
    `#aipu.layout<dense>` is the tensor as it stands, in order NCHW without padding.
    """

    name = "aipu.layout"

    def __init__(self, row_pitch: int, pitch: int, runs: Sequence[tuple[int, int]]):
        super().__init__((row_pitch, pitch, tuple(runs)))

    @staticmethod
    def nchw() -> LayoutAttr:
        """The dense layout; it has no numbers of its own."""
        return LayoutAttr(0, 0, ())

    @property
    def dense(self) -> bool:
        return self.pitch == 0

    @property
    def row_pitch(self) -> int:
        return self.data[0]

    @property
    def pitch(self) -> int:
        return self.data[1]

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        return self.data[2]

    @property
    def slots(self) -> list[int]:
        """The byte in a pixel of every channel, in channel order."""
        return [slot + index for count, slot in self.runs for index in range(count)]

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int, int, tuple[tuple[int, int], ...]]:
        def number() -> int:
            return parser.parse_integer(allow_boolean=False, allow_negative=False)

        def run() -> tuple[int, int]:
            count = number()
            parser.parse_keyword("at")
            return count, number()

        with parser.in_angle_brackets():
            if parser.parse_optional_keyword("dense") is not None:
                return 0, 0, ()
            parser.parse_keyword("rows")
            rows = number()
            parser.parse_punctuation(",")
            parser.parse_keyword("pixels")
            position = parser.pos
            pixels = number()
            if not pixels:
                parser.raise_error("a pixel has at least one byte", position)
            parser.parse_punctuation(",")
            parser.parse_keyword("channels")
            return rows, pixels, tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, run))

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            if self.dense:
                printer.print_string("dense")
                return
            runs = ", ".join(f"{count} at {slot}" for count, slot in self.runs)
            printer.print_string(f"rows {self.row_pitch}, pixels {self.pitch}, channels [{runs}]")


@irdl_attr_definition
class InstructionAttr(Data[Instruction]):
    """A decoded descriptor whose addresses are offsets into the buffers of the task that holds it."""

    name = "aipu.instruction"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Instruction:
        parser.raise_error("an instruction is part of a task's own syntax")

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data!r}>")


@irdl_attr_definition
class CountAttr(Data[tuple[int, str, int]]):
    """`#aipu.count<core 1 array 12>`: queue `array` of core 1 has completed its first 12 tasks."""

    name = "aipu.count"

    @property
    def core(self) -> int:
        return self.data[0]

    @property
    def unit(self) -> str:
        return self.data[1]

    @property
    def completed(self) -> int:
        return self.data[2]

    def __str__(self) -> str:
        return f"core {self.core} {self.unit} {self.completed}"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int, str, int]:
        with parser.in_angle_brackets():
            parser.parse_keyword("core")
            return cls.parse_rest(parser)

    @staticmethod
    def parse_rest(parser: AttrParser) -> tuple[int, str, int]:
        """What follows `core`."""
        core = parser.parse_integer(allow_boolean=False, allow_negative=False)
        unit = parser.parse_identifier(" naming a unit")
        return core, unit, parser.parse_integer(allow_boolean=False, allow_negative=False)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(str(self))
