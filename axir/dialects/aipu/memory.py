"""What a program has in memory: buffers, the descriptors of its queues, the tensors of the host."""

from __future__ import annotations

import math
from abc import ABC
from typing import cast

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, StringAttr, TensorType, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def
from xdsl.utils.exceptions import VerifyException

from axir.dialects.aipu.attributes import BufferType, LayoutAttr
from axir.ir.constants import WeightAttr
from axir.target import isa
from axir.target.isa import Memory


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
    """Where a tensor of the host lies on the device; a batch program has the ports of `frame` 0, then 1, and so on."""

    label = prop_def(StringAttr)
    buffer = operand_def(BufferType)
    offset = prop_def(IntegerAttr.constr(i64))
    layout = prop_def(LayoutAttr)
    tensor = prop_def(TensorType)
    frame = prop_def(IntegerAttr.constr(i64), default_value=IntegerAttr(0, i64))

    def __init__(
        self,
        label: str,
        buffer: SSAValue,
        offset: int,
        layout: LayoutAttr,
        tensor: TensorType[Attribute],
        frame: int = 0,
    ):
        super().__init__(
            operands=[buffer],
            properties={
                "label": StringAttr(label),
                "offset": IntegerAttr(offset, i64),
                "layout": layout,
                "tensor": tensor,
                "frame": IntegerAttr(frame, i64),
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
        if self.frame.value.data < 0:
            raise VerifyException(f"frames count from 0, this is {self.frame.value.data}")
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


PORT = "$label $buffer `[` $offset `]` (`frame` $frame^)? `layout` $layout `tensor` $tensor attr-dict `:` type($buffer)"


@irdl_op_definition
class InputOp(PortOp):
    name = "aipu.input"
    assembly_format = PORT


@irdl_op_definition
class OutputOp(PortOp):
    name = "aipu.output"
    assembly_format = PORT
