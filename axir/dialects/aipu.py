"""`aipu`, the device: buffers in its memories, tasks for its units, and tokens that order them.

A program holds buffers and one region of tasks a core. A task is one instruction (axir/target/isa.py) whose addresses
are offsets into buffers; its result is a token that stands for its completion, its `after` operands are the tokens it
waits for. Tasks of one unit run in the order in which they stand.

Lowering writes buffers without an address; `plan-memory` gives each one (`at`), `schedule` adds the tokens. What is
then left is one to one with the image: docs/isa.md describes every field.
"""

from __future__ import annotations

import math
import struct
from abc import ABC
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    StringAttr,
    TensorType,
    UnitAttr,
    i64,
)
from xdsl.ir import (
    Attribute,
    Block,
    Data,
    Dialect,
    Operation,
    OpResult,
    ParametrizedAttribute,
    Region,
    SSAValue,
    TypeAttribute,
)
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    param_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import HasParent, IsolatedFromAbove, NoTerminator, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from axir.dialects.epilogue import float_literal
from axir.ir.constants import WeightAttr
from axir.target import isa
from axir.target.isa import Address, Instruction, Lane, Memory, Register, StepOp, VectorStep

# --- types and attributes ---


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


# --- structure ---


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """One program for `cores` cores of a target: buffers, inputs and outputs, then one `aipu.core` a core.

    With `control_dispatch` the units have no tokens to wait for: the control core of each core hands out its tasks in
    program order, and none before all that it waits for is complete.
    """

    name = "aipu.program"
    sym_name = prop_def(StringAttr)
    target = prop_def(StringAttr)
    layers = prop_def(ArrayAttr[LayerAttr])
    control_dispatch = opt_prop_def(UnitAttr)
    body = region_def("single_block")
    traits = traits_def(SymbolOpInterface(), IsolatedFromAbove(), NoTerminator())
    assembly_format = (
        "$sym_name `target` $target `layers` $layers (`control_dispatch` $control_dispatch^)? "
        "attr-dict-with-keyword $body"
    )

    def __init__(
        self,
        name: str,
        target: str,
        layers: Sequence[LayerAttr],
        ops: Sequence[Operation],
        control_dispatch: bool = False,
    ):
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "target": StringAttr(target),
                "layers": ArrayAttr(layers),
                "control_dispatch": UnitAttr() if control_dispatch else None,
            },
            regions=[Region(Block(ops))],
        )

    @property
    def cores(self) -> list[CoreOp]:
        return [op for op in self.body.block.ops if isinstance(op, CoreOp)]

    @property
    def buffers(self) -> list[BufferOp]:
        return [op for op in self.body.block.ops if isinstance(op, BufferOp)]

    @property
    def code(self) -> list[CodeOp]:
        return [op for op in self.body.block.ops if isinstance(op, CodeOp)]

    def code_bytes(self, code: CodeOp) -> int:
        """The bytes of the descriptors of one queue."""
        core = self.cores[code.core.value.data]
        return isa.DESCRIPTOR_BYTES * sum(task.unit.data == code.unit.data for task in core.tasks)

    @property
    def preloading_cores(self) -> int:
        """How many cores have descriptors that are copied to L2 before a frame."""
        return len({code.core.value.data for code in self.code if code.preload is not None})

    @property
    def inputs(self) -> list[InputOp]:
        return [op for op in self.body.block.ops if isinstance(op, InputOp)]

    @property
    def outputs(self) -> list[OutputOp]:
        return [op for op in self.body.block.ops if isinstance(op, OutputOp)]

    def verify_(self) -> None:
        for op in self.body.block.ops:
            if not isinstance(op, BufferOp | InputOp | OutputOp | CodeOp | CoreOp):
                raise VerifyException(f"a program holds buffers, inputs, outputs, code and cores, not '{op.name}'")
        numbers = [core.number.value.data for core in self.cores]
        if numbers != list(range(len(numbers))):
            raise VerifyException(f"cores must be numbered from 0, they are {numbers}")
        queues = [(code.core.value.data, code.unit.data) for code in self.code]
        for core, unit in queues:
            if core not in numbers:
                raise VerifyException(f"code of core {core}, which the program does not have")
            if queues.count((core, unit)) > 1:
                raise VerifyException(f"the code of core {core} {unit} has two places")
        for core in self.cores:
            for task in core.body.block.ops:
                if isinstance(task, TaskOp):
                    self._verify_remote(core, task.remote_waits)

    def _verify_remote(self, core: CoreOp, waits: Sequence[CountAttr]) -> None:
        for wait in waits:
            if wait.core == core.number.value.data:
                raise VerifyException(f"a task waits for '{wait}' of its own core; name the task instead")
            if wait.core >= len(self.cores):
                raise VerifyException(f"a task waits for '{wait}', a core that the program does not have")
            tasks = sum(task.unit.data == wait.unit for task in self.cores[wait.core].tasks)
            if not 1 <= wait.completed <= tasks:
                raise VerifyException(f"a task waits for '{wait}', that queue has {tasks} tasks")


@irdl_op_definition
class CoreOp(IRDLOperation):
    """The tasks of one core, in program order."""

    name = "aipu.core"
    number = prop_def(IntegerAttr.constr(i64))
    body = region_def("single_block")
    traits = traits_def(HasParent(ProgramOp), NoTerminator())
    assembly_format = "$number attr-dict-with-keyword $body"

    def __init__(self, number: int, tasks: Sequence[Operation] = ()):
        super().__init__(properties={"number": IntegerAttr(number, i64)}, regions=[Region(Block(tasks))])

    @property
    def tasks(self) -> Iterator[TaskOp]:
        return (cast(TaskOp, op) for op in self.body.block.ops)

    def verify_(self) -> None:
        for op in self.body.block.ops:
            if not isinstance(op, TaskOp):
                raise VerifyException(f"a core holds tasks, not '{op.name}'")
            if op.layer.value.data >= len(cast(ProgramOp, self.parent_op()).layers):
                raise VerifyException(f"a task names layer {op.layer.value.data}, which the program does not list")


@irdl_op_definition
class BufferOp(IRDLOperation):
    """Bytes in a memory: `bytes` long, at address `at` once planned; with `data` they are part of the image."""

    name = "aipu.buffer"
    label = prop_def(StringAttr)
    size = prop_def(IntegerAttr.constr(i64))
    at = opt_prop_def(IntegerAttr.constr(i64))
    data = opt_prop_def(WeightAttr | DenseIntOrFPElementsAttr)
    result = result_def(BufferType)
    assembly_format = "$label `bytes` $size (`at` $at^)? (`data` qualified($data)^)? attr-dict `:` type($result)"

    def __init__(
        self,
        label: str,
        memory: Memory,
        size: int,
        at: int | None = None,
        data: WeightAttr | DenseIntOrFPElementsAttr | None = None,
    ):
        super().__init__(
            properties={
                "label": StringAttr(label),
                "size": IntegerAttr(size, i64),
                "at": None if at is None else IntegerAttr(at, i64),
                "data": data,
            },
            result_types=[BufferType.of(memory)],
        )

    @property
    def memory(self) -> Memory:
        return self.result.type.memory

    @property
    def bytes(self) -> int:
        return self.size.value.data

    @property
    def address(self) -> int | None:
        return None if self.at is None else self.at.value.data

    def verify_(self) -> None:
        if self.bytes <= 0 or self.bytes % isa.PWORD:
            raise VerifyException(f"a buffer's size is a positive multiple of {isa.PWORD} bytes, not {self.bytes}")
        if self.address is not None and (self.address < 0 or self.address % isa.PWORD):
            raise VerifyException(f"a buffer's address is a multiple of {isa.PWORD}, not {self.address}")
        if self.data is not None:
            size = self.data.type.get_shape()
            if len(size) != 1 or size[0] != self.bytes:
                raise VerifyException(f"data of shape {list(size)} does not fill {self.bytes} bytes")


@irdl_op_definition
class CodeOp(IRDLOperation):
    """Where the descriptors of one queue live: a memory, once planned an address in it.

    They are as many bytes as the queue's tasks have. With `preload` they are copied to the task list that the system
    keeps in L2 before each frame; without, they are streamed from where they live while the frame runs. Descriptors of
    a queue without this operation lie outside of the program's memory.
    """

    name = "aipu.code"
    core = prop_def(IntegerAttr.constr(i64))
    unit = prop_def(StringAttr)
    memory_name = prop_def(StringAttr, prop_name="memory")
    at = opt_prop_def(IntegerAttr.constr(i64))
    preload = opt_prop_def(UnitAttr)
    assembly_format = "`core` $core `on` $unit `in` $memory (`at` $at^)? (`preload` $preload^)? attr-dict"

    def __init__(self, core: int, unit: str, memory: Memory, at: int | None = None, preload: bool = False):
        super().__init__(
            properties={
                "core": IntegerAttr(core, i64),
                "unit": StringAttr(unit),
                "memory": StringAttr(memory),
                "at": None if at is None else IntegerAttr(at, i64),
                "preload": UnitAttr() if preload else None,
            }
        )

    @property
    def memory(self) -> Memory:
        return cast(Memory, self.memory_name.data)

    @property
    def address(self) -> int | None:
        return None if self.at is None else self.at.value.data

    def verify_(self) -> None:
        if self.unit.data not in isa.UNITS:
            raise VerifyException(f"no unit '{self.unit.data}', there are {', '.join(isa.UNITS)}")
        if self.memory not in isa.CODE_MEMORIES:
            raise VerifyException(f"descriptors live in {' or '.join(isa.CODE_MEMORIES)}, not in '{self.memory}'")
        if self.address is not None and (self.address < 0 or self.address % isa.PWORD):
            raise VerifyException(f"the address of code is a multiple of {isa.PWORD}, not {self.address}")
        if self.preload is not None and self.memory == "l2":
            raise VerifyException("code that lives in l2 is not preloaded: it is there")


class PortOp(IRDLOperation, ABC):
    """Where a tensor of the host lies on the device."""

    label = prop_def(StringAttr)
    buffer = operand_def(BufferType)
    offset = prop_def(IntegerAttr.constr(i64))
    layout = prop_def(LayoutAttr)
    tensor = prop_def(TensorType)

    def __init__(self, label: str, buffer: SSAValue, offset: int, layout: LayoutAttr, tensor: TensorType[Attribute]):
        super().__init__(
            operands=[buffer],
            properties={
                "label": StringAttr(label),
                "offset": IntegerAttr(offset, i64),
                "layout": layout,
                "tensor": tensor,
            },
        )

    @property
    def bytes(self) -> int:
        """Bytes from the first to the last row, padding included."""
        shape = self.tensor.get_shape()
        return math.prod(shape) if self.layout.dense else shape[2] * self.layout.row_pitch

    def verify_(self) -> None:
        shape = self.tensor.get_shape()
        if len(shape) != 4 or shape[0] != 1:
            raise VerifyException(f"a port carries one NCHW sample, not {list(shape)}")
        if self.layout.dense:
            self._verify_place(math.prod(shape))
            return
        slots = self.layout.slots
        if min(shape) < 1 or len(slots) != shape[1]:
            raise VerifyException(f"the layout places {len(slots)} channels, the tensor has the shape {list(shape)}")
        distinct = len(dict.fromkeys(slots)) == len(slots) and max(slots) < self.layout.pitch
        if not distinct or shape[3] * self.layout.pitch > self.layout.row_pitch:
            raise VerifyException("the layout's channels or pixels overlap")
        self._verify_place((shape[2] - 1) * self.layout.row_pitch + (shape[3] - 1) * self.layout.pitch + max(slots) + 1)

    def _verify_place(self, size: int) -> None:
        start, buffer = self.offset.value.data, self.buffer.owner
        end = start + size
        if isinstance(buffer, BufferOp) and not 0 <= start < end <= buffer.bytes:
            raise VerifyException(f"bytes {start} to {end} are not in a buffer of {buffer.bytes} bytes")


PORT = "$label $buffer `[` $offset `]` `layout` $layout `tensor` $tensor attr-dict `:` type($buffer)"


@irdl_op_definition
class InputOp(PortOp):
    name = "aipu.input"
    assembly_format = PORT


@irdl_op_definition
class OutputOp(PortOp):
    name = "aipu.output"
    assembly_format = PORT


# --- tasks ---


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
        printer.print_string(f" on {self.unit.data}(")
        for index, (row, address, buffer) in enumerate(self.placed):
            printer.print_string(f"{', ' if index else ''}{row.name} = {address.memory} ")
            printer.print_operand(buffer)
            printer.print_string(f"[{address.offset}]")
        fields = [
            f"{row.name} = {_render(getattr(self.fields, row.name))}"
            for row in isa.fields_of(type(self.fields))
            if row.kind != "address" and (row.required or getattr(self.fields, row.name) != row.default)
        ]
        printer.print_string(f") {{{', '.join(fields)}}} layer {self.layer.value.data}")
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
            values[row.name] = _parse_value(parser, row)

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


def _render(value: object) -> str:
    match value:
        case Lane(index):
            return f"lane {index}"
        case Register(index):
            return f"r{index}"
        case VectorStep(op, target, source, index):
            parts = [op.name.lower(), f"r{target}"]
            if op is StepOp.LOAD:
                parts.append(str(index))
            if source is not None:
                parts.append(_render(source))
            return " ".join(parts)
        case tuple():
            return f"[{', '.join(_render(step) for step in cast(tuple[VectorStep, ...], value))}]"
        case float():
            return float_literal(value)
        case _:
            return str(value)


def _parse_value(parser: Parser, row: isa.FieldRow) -> Any:
    match row.kind:
        case "int":
            return parser.parse_integer(allow_boolean=False)
        case "float":
            return binary32(float(parser.parse_number()))
        case "enum":
            return parser.parse_identifier(f" ({' or '.join(row.names)})")
        case "steps":
            return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_step(parser)))
        case "int_const":
            return _parse_lane(parser) or parser.parse_integer(allow_boolean=False)
        case _:
            return _parse_lane(parser) or binary32(float(parser.parse_number()))


def binary32(value: float) -> float:
    """The nearest binary32 value, as a Python float."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def _parse_lane(parser: Parser) -> Lane | None:
    if parser.parse_optional_keyword("lane") is None:
        return None
    return Lane(parser.parse_integer(allow_boolean=False, allow_negative=False))


def _parse_register(parser: Parser) -> Register | None:
    text = parser.parse_optional_keyword_in([f"r{index}" for index in range(isa.REGISTERS)])
    return None if text is None else Register(int(text[1:]))


def _parse_step(parser: Parser) -> VectorStep:
    op = StepOp[parser.parse_keyword_in([op.name.lower() for op in StepOp], " naming a step").upper()]
    target = _parse_register(parser)
    if target is None:
        parser.raise_error("expected a register")
    index, source = 0, None
    if op is StepOp.LOAD:
        index = parser.parse_integer(allow_boolean=False, allow_negative=False)
    elif op in isa.STEP_SOURCES:
        source = _parse_lane(parser) or _parse_register(parser) or binary32(float(parser.parse_number()))
    return VectorStep(op, target.index, source, index)


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


TASKS: dict[type[Instruction], type[TaskOp]] = {
    op.INSTRUCTION: op for op in (DmaOp, LoadOp, MvmOp, DepthwiseOp, VecOp, SoftmaxOp)
}

Aipu = Dialect(
    "aipu",
    [ProgramOp, CoreOp, BufferOp, CodeOp, InputOp, OutputOp, *TASKS.values()],
    [BufferType, TokenType, LayerAttr, LayoutAttr, InstructionAttr, CountAttr],
)
