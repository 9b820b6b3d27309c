"""`plan-memory`: give every buffer an address. Buffers whose lifetimes do not meet may share bytes.

Units run ahead of program order, and whoever takes over bytes must wait until their last reader is done. So lifetimes
are stretched over the following layers wherever memory is left, and taken as they are only where it is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.passes import ModulePass

from axir.dialects import aipu
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.passes.memory.packing import Interval, Packing, lower_bound, pack
from axir.target.description import Target, load
from axir.target.isa import MEMORIES, Memory

STRETCH_LAYERS = 4
STRETCH_SHARES = (1.0, 0.9, 0.75, 0.5, 0.0)
"""How far lifetimes are stretched, and shares of the memory that stretching may fill, in the order they are tried."""


@dataclass(frozen=True)
class PlanMemoryPass(ModulePass):
    """A lifetime runs from the first to the last task, in program order, that touches the buffer.

    Constants and the buffers of inputs and outputs live all the time: the host loads and reads them around a frame.
    """

    name = "plan-memory"

    resources_used: float = field(default=1.0, metadata={"help": "fraction of on-chip memory the program may use"})
    l1_constraint: int | None = field(default=None, metadata={"help": "most L1 to use"})
    l2_constraint: int | None = field(default=None, metadata={"help": "most L2 to use"})
    ddr_constraint: int | None = field(default=None, metadata={"help": "most DDR to use"})

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        context = AxContext.of(ctx)
        target = context.target if isinstance(context.target, Target) else load(None)
        limits: dict[Memory, tuple[int, int | None]] = {
            "l1": (target.l1.size - target.l1.reserved, self.l1_constraint),
            "l2": (int(self.resources_used * (target.l2.size - target.l2.reserved)), self.l2_constraint),
            "ddr": (int(self.resources_used * (target.ddr.size - target.ddr.reserved)), self.ddr_constraint),
        }
        for program in op.body.block.ops:
            if isinstance(program, aipu.ProgramOp):
                lifetimes = buffer_lifetimes(program)
                for buffer in program.buffers:
                    if buffer not in lifetimes:  # nothing touches it
                        buffer.detach()
                        buffer.erase()
                for memory in MEMORIES:
                    size, limit = limits[memory]
                    _plan(program, memory, size if limit is None else min(size, limit), lifetimes)


def buffer_lifetimes(program: aipu.ProgramOp) -> dict[aipu.BufferOp, Interval]:
    """Lifetimes in positions of the cores' tasks; buffers that nothing touches are left out."""
    end = max((sum(1 for _ in core.tasks) for core in program.cores), default=0)
    found: dict[aipu.BufferOp, Interval] = {}
    for core in program.cores:
        for position, task in enumerate(core.tasks):
            for value in task.buffers:
                buffer = value.owner
                assert isinstance(buffer, aipu.BufferOp)
                known = found.get(buffer)
                first = position if known is None else min(known.first, position)
                last = position if known is None else max(known.last, position)
                found[buffer] = Interval(first, last, buffer.bytes)
    always = [port.buffer.owner for port in (*program.inputs, *program.outputs)]
    always += [buffer for buffer in program.buffers if buffer.data is not None]
    for buffer in always:
        assert isinstance(buffer, aipu.BufferOp)
        found[buffer] = Interval(0, end, buffer.bytes)
    return found


def _plan(program: aipu.ProgramOp, memory: Memory, capacity: int, lifetimes: dict[aipu.BufferOp, Interval]) -> None:
    """Pack one memory, with as much stretching as fits."""
    buffers = [buffer for buffer in lifetimes if buffer.memory == memory]
    intervals = [lifetimes[buffer] for buffer in buffers]
    ends = _layer_ends(program)
    packing = Packing((), 0)
    for share in STRETCH_SHARES:
        effort = {} if share == STRETCH_SHARES[-1] else {"nodes": 0}  # only what must fit is searched for
        packing = pack(stretch(intervals, ends, int(capacity * share)), capacity, **effort)
        if packing.height <= capacity:
            break
    else:
        raise _overflow(program, memory, capacity, buffers, intervals, packing.height)
    for buffer, address in zip(buffers, packing.addresses, strict=True):
        buffer.at = IntegerAttr(address, i64)


def _layer_ends(program: aipu.ProgramOp) -> list[int]:
    """Positions at which a layer has its last task, in order."""
    last: dict[int, int] = {}
    for core in program.cores[:1]:
        for position, task in enumerate(core.tasks):
            last[task.layer.value.data] = position
    return sorted(last.values())


def stretch(intervals: Sequence[Interval], ends: Sequence[int], room: int) -> list[Interval]:
    """Let intervals live on to the end of up to `STRETCH_LAYERS` more layers, while at most `room` bytes are alive.

    Layer by layer, so that every buffer gets its first layer of slack before any gets its second.
    """
    if not ends:
        return list(intervals)
    alive = np.zeros(ends[-1] + 3, np.int64)
    for interval in intervals:
        alive[interval.first : interval.last + 1] += interval.size
    stretched = list(intervals)
    for _ in range(STRETCH_LAYERS if room else 0):
        for index, interval in enumerate(stretched):
            following = bisect_right(ends, interval.last)
            if following == len(ends):
                continue
            span = alive[interval.last + 1 : ends[following] + 1]
            if span.max(initial=0) + interval.size <= room:
                span += interval.size
                stretched[index] = Interval(interval.first, ends[following], interval.size)
    return stretched


def _overflow(
    program: aipu.ProgramOp,
    memory: Memory,
    capacity: int,
    buffers: Sequence[aipu.BufferOp],
    intervals: Sequence[Interval],
    height: int,
) -> AxirError:
    peak, position = lower_bound(intervals)
    alive = sorted(
        (buffer for buffer, i in zip(buffers, intervals, strict=True) if i.first <= position <= i.last),
        key=lambda buffer: -buffer.bytes,
    )
    tasks = list(program.cores[0].tasks) if program.cores else []
    layer = program.layers.data[tasks[min(position, len(tasks) - 1)].layer.value.data].layer.data if tasks else None
    return AxirError(
        f"the buffers do not fit {memory}: {height:,} bytes needed, {capacity:,} allowed "
        f"({height - capacity:,} too many)",
        op=program,
        node=layer,
        notes=(
            f"alive there ({peak:,} bytes): " + ", ".join(f"{b.label.data} {b.bytes:,}" for b in alive[:8]),
            f"raise {memory}_constraint or resources_used",
        ),
    )
