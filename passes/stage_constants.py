"""`stage-constants`: the system DMA brings constants from DDR to L2 ahead of time; a core's DMA takes them from there.

A copy from DDR holds a core's DMA channel at the rate of DDR. The system DMA has that time while the core works on
earlier layers, as far as L2 has room for what it brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from axir.dialects import aipu
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.passes.memory.accesses import extent
from axir.passes.memory.lifetimes import buffer_lifetimes
from axir.passes.plan_memory import MemoryPlanner
from axir.target.cost import dma_bytes
from axir.target.description import Target, load
from axir.target.isa import COPY_UNITS, DESCRIPTOR_BYTES, SYSTEM_DMA, Address, Dma

SPARE = (0, 1, 2)
"""How many times the largest copy is left free in L2, in the order they are tried: what is staged must also pack."""

DEPTH = 8
MOST = 4
"""L2 is cleared for `DEPTH` times the largest copy, but for no more than one `MOST`-th of what the program may use.
More would hide more of DDR's latency from one program, and take more of the bandwidth that all programs share."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A task that copies a contiguous part of a constant to L1: its position, and the bytes."""

    position: int
    task: aipu.TaskOp
    size: int

    @property
    def fields(self) -> Dma:
        assert isinstance(self.task.fields, Dma)
        return self.task.fields


@dataclass(frozen=True)
class StageConstantsPass(MemoryPlanner, ModulePass):
    """Works on lowered programs of one core. It has the options of `plan-memory`, with which it tries what it does.

    A constant stays where it is if it is read by anything but contiguous copies, and a copy stays direct where L2 has
    no room for its bytes. Where constants fill L2, those used last move to DDR until some copies fit.
    """

    name = "stage-constants"

    use_sysdma: bool = field(
        default=False, metadata={"help": "bring constants from DDR to L2 ahead of time, by the system DMA"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        context = AxContext.of(ctx)
        target = context.target if isinstance(context.target, Target) else load(None)
        for program in list(op.body.block.ops):
            if self.use_sysdma and isinstance(program, aipu.ProgramOp) and len(program.cores) == 1:
                staged = self._staged(program, target)
                if staged is not None:
                    op.body.block.insert_op_before(staged, program)
                    program.detach()
                    program.erase()

    def _staged(self, program: aipu.ProgramOp, target: Target) -> aipu.ProgramOp | None:
        """The program with staging; None where there is nothing to stage, or no room for it."""
        copies = _constant_copies(list(program.cores[0].tasks))
        largest = max((copy.size for copy in copies if _source(copy).memory == "ddr"), default=0)
        capacity = self.budget(target, program.preloading_cores).within(program).l2
        for spare in SPARE if largest else ():
            trial = program.clone()
            if not _stage(trial, capacity - spare * largest, min(DEPTH * largest, capacity // MOST)):
                return None
            try:
                self.plan(trial.clone(), target, search=False)
            except AxirError:
                continue
            return trial
        return None


def _stage(program: aipu.ProgramOp, capacity: int, needed: int) -> bool:
    """Stage what fits `capacity` bytes of L2, of which `needed` are cleared of constants; whether that is anything."""
    tasks = list(program.cores[0].tasks)
    copies = _constant_copies(tasks)
    _make_room(copies, needed, int(_free(program, capacity).min()))
    copies = [copy for copy in copies if _source(copy).memory == "ddr"]
    code = next((code for code in program.code if code.unit.data in COPY_UNITS), None)
    if code is not None:
        program.body.block.insert_op_after(
            aipu.CodeOp(0, SYSTEM_DMA, code.memory, None, code.preload is not None), code
        )
        if code.memory == "l2":
            capacity -= DESCRIPTOR_BYTES * len(copies)
    starts = _starts(copies, _free(program, capacity))
    for copy, start in zip(copies, starts, strict=True):
        if start is not None:
            _insert(program, copy, tasks[start])
    return any(start is not None for start in starts)


def _source(copy: _Copy) -> aipu.BufferOp:
    buffer = copy.task.buffers[0].owner
    assert isinstance(buffer, aipu.BufferOp)
    return buffer


def _constant_copies(tasks: Sequence[aipu.TaskOp]) -> list[_Copy]:
    """The copies of constants, in order; none of a constant that is also read in another way."""
    copies: dict[aipu.BufferOp, list[_Copy]] = {}
    other: dict[aipu.BufferOp, None] = {}
    for position, task in enumerate(tasks):
        for index, value in enumerate(task.buffers):
            buffer = value.owner
            assert isinstance(buffer, aipu.BufferOp)
            fields = task.fields
            if buffer.data is None:
                continue
            if index == 0 and isinstance(fields, Dma) and fields.by_pword and fields.dst.memory == "l1":
                low, high = extent(fields, "src")
                if high - low == dma_bytes(fields):
                    copies.setdefault(buffer, []).append(_Copy(position, task, high - low))
                    continue
            other[buffer] = None
    found = [copy for buffer, made in copies.items() if buffer not in other for copy in made]
    return sorted(found, key=lambda copy: copy.position)


def _make_room(copies: Sequence[_Copy], needed: int, room: int) -> None:
    """Move constants from L2 to DDR, those used last first, until its `room` bytes become `needed`."""
    readers: dict[aipu.BufferOp, list[_Copy]] = {}
    for copy in reversed(copies):
        if _source(copy).memory == "l2":
            readers.setdefault(_source(copy), []).append(copy)
    for buffer, own in readers.items():
        if room >= needed:
            return
        room += buffer.bytes
        moved = aipu.BufferOp(buffer.label.data, "ddr", buffer.bytes, None, buffer.data)
        block = buffer.parent_block()
        assert block is not None
        block.insert_op_after(moved, buffer)
        for copy in own:
            _read(copy.task, moved, Address("ddr", copy.fields.src.offset))
        buffer.detach()
        buffer.erase()


def _free(program: aipu.ProgramOp, capacity: int) -> NDArray[np.int64]:
    """Bytes of L2 that are left at every position."""
    free = np.full(sum(1 for _ in program.cores[0].tasks) + 1, capacity, np.int64)
    for buffer, interval in buffer_lifetimes(program).items():
        if buffer.memory == "l2":
            free[interval.first : interval.last + 1] -= interval.size
    return free - sum(program.code_bytes(code) for code in program.code if code.memory == "l2")


def _starts(copies: Sequence[_Copy], free: NDArray[np.int64]) -> list[int | None]:
    """Where each copy's bytes can be brought at the earliest, in the order of the copies; None where they cannot."""
    starts: list[int | None] = []
    earliest = 0
    for copy in copies:
        full = np.flatnonzero(free[earliest : copy.position + 1] < copy.size)
        start = earliest + (int(full[-1]) + 1 if full.size else 0)
        if start > copy.position:
            starts.append(None)
            continue
        free[start : copy.position + 1] -= copy.size
        starts.append(start)
        earliest = start
    return starts


def _insert(program: aipu.ProgramOp, copy: _Copy, before: aipu.TaskOp) -> None:
    """Bring the bytes of a copy to a buffer in L2 before a task; the copy reads them there."""
    source = _source(copy)
    staging = aipu.BufferOp(f"{source.label.data}.staged", "l2", copy.size)
    program.body.block.insert_op_after(staging, source)
    dma = Dma(src=copy.fields.src, dst=Address("l2", 0), row_bytes=copy.size)
    task = aipu.TaskOp.make(dma, [source.result, staging.result], SYSTEM_DMA, copy.task.layer.value.data)
    task.location = copy.task.location
    block = before.parent_block()
    assert block is not None
    block.insert_op_before(task, before)
    _read(copy.task, staging, Address("l2", 0))


def _read(task: aipu.TaskOp, source: aipu.BufferOp, address: Address) -> None:
    """Let a copy read from another place."""
    fields = task.fields
    assert isinstance(fields, Dma)
    task.instruction = aipu.InstructionAttr(replace(fields, src=address))
    task.operands = [source.result, *task.operands[1:]]
