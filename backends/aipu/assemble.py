"""From the `aipu` dialect to an image's content: absolute addresses, completion counts, constants."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import OpResult, SSAValue

from axir.backends.aipu.accesses import accesses
from axir.backends.aipu.encode import Wait
from axir.backends.aipu.notes import notes_of
from axir.backends.aipu.structure import Code, Constant, Image, Layer, Port, Queues, Task, target_digest
from axir.dialects import aipu
from axir.dialects.axq import Constant as AxqConstant
from axir.dialects.axq import QuantType
from axir.ir.constants import constant_array
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.target import isa
from axir.target.description import Target
from axir.target.isa import Address, Instruction, Memory


def program_of(module: ModuleOp | aipu.ProgramOp) -> aipu.ProgramOp:
    """The program that a module holds. Raises `AxirError` when it holds none or several."""
    if isinstance(module, aipu.ProgramOp):
        return module
    programs = programs_of(module)
    if len(programs) != 1:
        raise AxirError(
            f"expected one aipu.program, the module holds {len(programs)}", op=module, notes=("lower it to aipu first",)
        )
    return programs[0]


def programs_of(module: ModuleOp) -> list[aipu.ProgramOp]:
    """The programs that a module holds, in the order in which they run."""
    return [op for op in module.body.block.ops if isinstance(op, aipu.ProgramOp)]


def assemble(program: aipu.ProgramOp, store: WeightStore, target: Target) -> Image:
    """The image of a planned and scheduled program. Raises `AxirError` as `build_image` does."""
    if program.target.data != target.name:
        raise AxirError(
            f"the program is for target '{program.target.data}', not for '{target.name}'",
            op=program,
            notes=("give the target description that it was lowered with (--target)",),
        )
    memory: dict[Memory, int] = {}
    for buffer in program.buffers:
        memory[buffer.memory] = max(memory.get(buffer.memory, 0), _start(buffer) + buffer.bytes)
    for code in program.code:
        memory[code.memory] = max(memory.get(code.memory, 0), _start(code) + program.code_bytes(code))
    layers = [
        Layer(layer.layer.data, layer.operator.data, layer.unit.data, layer.macs.value.data) for layer in program.layers
    ]
    return Image(
        name=program.sym_name.data,
        target=target.name,
        target_digest=target_digest(target),
        layers=tuple(layers),
        inputs=tuple(_port(port, store) for port in program.inputs),
        outputs=tuple(_port(port, store) for port in program.outputs),
        memory={name: memory[name] for name in isa.MEMORIES if name in memory},
        constants=_constants(program, store),
        cores=tuple(_queues(core, target) for core in program.cores),
        dispatch=_dispatch(program),
        code=tuple(
            Code(code.core.value.data, code.unit.data, code.memory, _start(code), code.preload is not None)
            for code in program.code
        ),
        notes=notes_of(program),
        mode=program.mode,
    )


def _start(place: aipu.BufferOp | aipu.CodeOp) -> int:
    if place.address is None:
        what = f"buffer '{place.label.data}'" if isinstance(place, aipu.BufferOp) else f"the code of {place.unit.data}"
        raise AxirError(f"{what} has no address", op=place, notes=("run plan-memory before resolve-addresses",))
    return place.address


def _buffer(value: SSAValue) -> aipu.BufferOp:
    return cast(aipu.BufferOp, cast(OpResult, value).op)


def _constants(program: aipu.ProgramOp, store: WeightStore) -> tuple[Constant, ...]:
    """The data buffers, by memory and address."""
    found: list[tuple[int, int, aipu.BufferOp, NDArray[np.int8]]] = []
    for buffer in program.buffers:
        if buffer.data is not None:
            data = constant_array(buffer.data, store, buffer)
            if data.dtype != np.int8:
                raise AxirError(f"data of buffer '{buffer.label.data}' is of type {data.dtype}, not int8", op=buffer)
            found.append((isa.MEMORIES.index(buffer.memory), _start(buffer), buffer, data))
    found.sort(key=lambda entry: entry[:2])
    for (memory, start, first, _), (next_memory, next_start, second, _) in pairwise(found):
        if memory == next_memory and start + first.bytes > next_start:
            raise AxirError(f"constants '{first.label.data}' and '{second.label.data}' overlap", op=second)
    return tuple(Constant(buffer.label.data, buffer.memory, start, data) for _, start, buffer, data in found)


def _port(port: aipu.PortOp, store: WeightStore) -> Port:
    element = port.tensor.element_type
    if not isinstance(element, QuantType):
        raise AxirError(f"port '{port.label.data}' has elements of type {element}, not axq.q", op=port)
    scale: float | tuple[float, ...]
    zero_point: int | tuple[int, ...]
    if element.per_channel:
        scales, zero_points = cast(AxqConstant, element.scale), cast(AxqConstant, element.zero_point)
        scale = tuple(float(value) for value in constant_array(scales, store, port))
        zero_point = tuple(int(value) for value in constant_array(zero_points, store, port))
    else:
        scale, zero_point = element.scalar
    buffer = _buffer(port.buffer)
    n, c, h, w = port.tensor.get_shape()
    dense, layout = port.layout.dense, port.layout
    return Port(
        port.label.data,
        buffer.memory,
        _start(buffer) + port.offset.value.data,
        (n, c, h, w),
        scale,
        zero_point,
        w if dense else layout.row_pitch,
        1 if dense else layout.pitch,
        ((c, 0),) if dense else layout.runs,
        "NCHW" if dense else "NHWC",
        port.frame.value.data,
    )


def _queues(core: aipu.CoreOp, target: Target) -> Queues:
    queues: dict[str, list[Task]] = {unit: [] for unit in isa.UNITS}
    numbers: dict[aipu.TaskOp, int] = {}
    for op in core.tasks:
        unit = op.unit.data
        _check_bounds(op, target)
        numbers[op] = len(queues[unit])
        queues[unit].append(Task(_absolute(op), _waits(op, core.number.value.data, numbers), op.layer.value.data))
    return {unit: tuple(tasks) for unit, tasks in queues.items()}


def _dispatch(program: aipu.ProgramOp) -> tuple[tuple[str, ...], ...]:
    if program.control_dispatch is None:
        return ()
    return tuple(tuple(task.unit.data for task in core.tasks) for core in program.cores)


def _check_bounds(op: aipu.TaskOp, target: Target) -> None:
    """What a task touches lies in its buffers. The image cannot tell: it has no buffers any more."""
    buffers = {row.name: _buffer(value) for row, _, value in op.placed}
    for access in accesses(op.fields, target):
        buffer = buffers.get(access.role)
        end = max((region.end for region in access.regions), default=0) * isa.PWORD
        if buffer is not None and end > buffer.bytes:
            raise AxirError(
                f"{access.role} reaches {end} bytes into buffer '{buffer.label.data}', which has {buffer.bytes}", op=op
            )


def _absolute(op: aipu.TaskOp) -> Instruction:
    """The instruction with its addresses counted from the start of their memories."""
    places = {
        row.name: Address(address.memory, _start(_buffer(buffer)) + address.offset)
        for row, address, buffer in op.placed
    }
    return dataclasses.replace(op.fields, **places)


def _waits(op: aipu.TaskOp, core: int, numbers: Mapping[aipu.TaskOp, int]) -> tuple[Wait, ...]:
    """One wait for each other queue: it runs in order, so the last awaited task stands for those before it."""
    awaited = [(core, task.unit.data, numbers[task] + 1) for task in op.after if task.unit.data != op.unit.data]
    awaited += [wait.data for wait in op.remote_waits]
    completed: dict[tuple[int, int], int] = {}
    for other, unit, count in awaited:
        queue = other, isa.UNITS.index(unit)
        completed[queue] = max(completed.get(queue, 0), count)
    return tuple(Wait(other, isa.UNITS[unit], completed[other, unit]) for other, unit in sorted(completed))
