"""From an image back to the `aipu` dialect.

The text has one buffer for each memory that holds more than constants (`l1`, `l2`, `ddr`: from address 0 to the end of
the program's region), and one for each constant; an address inside a constant refers to that one. Tasks stand in the
order of `order`: of those that may run, the one of the least layer first.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Iterator

import numpy as np
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, SSAValue

from axir.backends.aipu.notes import attributes_from
from axir.backends.aipu.order import order
from axir.backends.aipu.structure import Image, Port, Task, TaskId
from axir.dialects import aipu
from axir.dialects.axq import QuantType
from axir.ir.constants import constant_attr
from axir.ir.location import name_loc
from axir.ir.store import WeightStore
from axir.target import isa
from axir.target.isa import Address, Memory


def disassemble(image: Image, store: WeightStore) -> ModuleOp:
    """The program of an image; its constants go to `store`. Encoding it again gives the same image.

    Raises `AxirError` for a deadlock.
    """
    return ModuleOp([program_from(image, store)])


def program_from(image: Image, store: WeightStore) -> aipu.ProgramOp:
    """As `disassemble`, without the module."""
    buffers = _Buffers(image, store)
    ports = [aipu.InputOp(*_port(port, buffers, store)) for port in image.inputs]
    results = [aipu.OutputOp(*_port(port, buffers, store)) for port in image.outputs]
    code = [aipu.CodeOp(*code) for code in image.code]
    cores = [aipu.CoreOp(number) for number in range(len(image.cores))]
    made: dict[TaskId, aipu.TaskOp] = {}
    for step in order(image):
        made[step.id] = _task(image, step.id, step.task, buffers, made)
        cores[step.id.core].body.block.add_op(made[step.id])
    layers = [aipu.LayerAttr.of(*layer) for layer in image.layers]
    ops = [*buffers.ops(), *ports, *results, *code, *cores]
    program = aipu.ProgramOp(image.name, image.target, layers, ops, bool(image.dispatch), image.mode)
    program.attributes = attributes_from(image.notes)
    return program


class _Buffers:
    """The buffer that an address belongs to."""

    def __init__(self, image: Image, store: WeightStore):
        self._image = image
        self._regions: dict[Memory, aipu.BufferOp] = {}
        self._starts: dict[Memory, list[int]] = {memory: [] for memory in isa.MEMORIES}
        self._constants: dict[Memory, list[aipu.BufferOp]] = {memory: [] for memory in isa.MEMORIES}
        for constant in sorted(image.constants, key=lambda c: (isa.MEMORIES.index(c.memory), c.address)):
            data = constant_attr(constant.data, store)
            buffer = aipu.BufferOp(constant.label, constant.memory, constant.data.size, constant.address, data)
            self._starts[constant.memory].append(constant.address)
            self._constants[constant.memory].append(buffer)

    def find(self, memory: Memory, address: int) -> tuple[aipu.BufferOp, int]:
        """The buffer at an absolute address, and the offset in it."""
        index = bisect_right(self._starts[memory], address) - 1
        if index >= 0:
            start, buffer = self._starts[memory][index], self._constants[memory][index]
            if address < start + buffer.bytes:
                return buffer, address - start
        return self._region(memory), address

    def _region(self, memory: Memory) -> aipu.BufferOp:
        if memory not in self._regions:
            buffer = aipu.BufferOp(memory, memory, self._image.memory.get(memory, 0), 0)
            buffer.result.name_hint = memory
            self._regions[memory] = buffer
        return self._regions[memory]

    def ops(self) -> Iterator[aipu.BufferOp]:
        for memory in isa.MEMORIES:
            ends = [constant.end for constant in self._image.constants if constant.memory == memory]
            ends += [self._image.code_end(code) for code in self._image.code if code.memory == memory]
            end = max(ends, default=0)
            if memory in self._regions or self._image.memory.get(memory, 0) > end:
                yield self._region(memory)
            yield from self._constants[memory]


def _port(
    port: Port, buffers: _Buffers, store: WeightStore
) -> tuple[str, SSAValue, int, aipu.LayoutAttr, TensorType[Attribute], int]:
    if isinstance(port.scale, tuple):
        scales = constant_attr(np.array(port.scale, np.float32), store)
        zero_points = constant_attr(np.array(port.zero_point, np.int32), store)
        element: Attribute = QuantType(scales, zero_points)
    else:
        assert isinstance(port.zero_point, int)
        element = QuantType.per_tensor(port.scale, port.zero_point)
    buffer, offset = buffers.find(port.memory, port.offset)
    dense = port.order == "NCHW"
    layout = aipu.LayoutAttr.nchw() if dense else aipu.LayoutAttr(port.row_pitch, port.pitch, port.runs)
    return port.label, buffer.result, offset, layout, TensorType(element, port.shape), port.frame


def _task(image: Image, where: TaskId, task: Task, buffers: _Buffers, made: dict[TaskId, aipu.TaskOp]) -> aipu.TaskOp:
    offsets: dict[str, Address] = {}
    operands: list[aipu.BufferOp] = []
    for row in isa.addresses_of(type(task.instruction)):
        address: Address | None = getattr(task.instruction, row.name)
        if address is not None:
            buffer, offset = buffers.find(address.memory, address.offset)
            offsets[row.name] = Address(address.memory, offset)
            operands.append(buffer)
    op = aipu.TaskOp.make(
        dataclasses.replace(task.instruction, **offsets),
        [buffer.result for buffer in operands],
        where.unit,
        task.layer,
        [made[TaskId(*wait[:2], wait.completed - 1)].token for wait in task.waits if wait.core == where.core],
        [aipu.CountAttr((wait.core, wait.unit, wait.completed)) for wait in task.waits if wait.core != where.core],
    )
    op.location = name_loc(image.layers[task.layer].name)
    op.token.name_hint = f"{where.unit}.{where.number}"
    return op
