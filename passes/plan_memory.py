"""`plan-memory`: give every buffer an address. Buffers whose lifetimes do not meet may share bytes.

Units run ahead of program order, and whoever takes over bytes must wait until their last reader is done. So lifetimes
are stretched over the following layers wherever memory is left, and taken as they are only where it is not.

The program's own descriptors (`aipu.code`) get their addresses here too: they live all the time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp, i64
from xdsl.passes import ModulePass

from axir.dialects import aipu
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.passes.memory.budget import MemoryLimits
from axir.passes.memory.packing import Interval, lower_bound, pack
from axir.target.description import Target, load
from axir.target.isa import MEMORIES, PWORD, Memory

STRETCH_LAYERS = 4
STRETCH_SHARES = (1.0, 0.9, 0.75, 0.5, 0.0)
"""How far lifetimes are stretched, and shares of the memory that stretching may fill, in the order they are tried."""

PAGED: tuple[Memory, ...] = ("l2", "ddr")
"""What `page_memory` is about: the memories that programs share."""

Placed = aipu.BufferOp | aipu.CodeOp


@dataclass(frozen=True)
class MemoryPlanner(MemoryLimits):
    """Planning, with its options; to be inherited by passes that try out with it what they do to a program.

    A lifetime runs from the first to the last task, in program order, that touches the buffer. Constants and the
    buffers of inputs and outputs live all the time: the host loads and reads them around a frame.
    With `page_memory` what lies in L2 or DDR starts on a page and shares none with what lives at the same time; in a
    memory that whole pages overflow, bytes are packed instead. The attribute `pages` says which it was, by memory.

    With `double_buffer` there is a second set of the buffers of inputs and outputs, which the host fills and empties
    while the program works on the first. It is no part of the program's region and has no addresses in it: between
    frames the device maps one set or the other at the program's addresses (an assumption). Its bytes are kept free in
    the same memory if the program fits beside them, and else in DDR; from there they are copied between frames. The
    attribute `second_set` says how many bytes are where, `staged_bytes` how many are copied.
    """

    page_memory: bool = field(default=True, metadata={"help": "give out L2 and DDR in whole pages, where they fit"})
    double_buffer: bool = field(
        default=True, metadata={"help": "keep memory free for a second set of input and output buffers"}
    )

    def plan(self, program: aipu.ProgramOp, target: Target, search: bool = True) -> None:
        """Plan one program. Raises `AxirError` where its buffers do not fit, or first fit says so (no `search`)."""
        _check_task_lists(program, self.task_list(target))
        budget = self.budget(target, program.preloading_cores)
        lifetimes = _lifetimes(program)
        for buffer in program.buffers:
            if buffer not in lifetimes:  # nothing touches it
                buffer.detach()
                buffer.erase()
        pages: dict[str, IntegerAttr] = {}
        second_set: dict[str, IntegerAttr] = {}
        staged, ends = 0, _layer_ends(program)
        for memory in MEMORIES:  # DDR last: it takes what does not fit elsewhere
            placed = {place: lifetime for place, lifetime in lifetimes.items() if place.memory == memory}
            paged = self.page_memory and memory in PAGED
            granules = (target.device.page, PWORD) if paged else (PWORD,)
            second = _ports_bytes(program, memory, granules[0]) if self.double_buffer else 0
            second += staged if memory == "ddr" else 0
            granule = None
            if second and memory != "ddr":
                granule = _pack(placed, ends, budget.of(memory) - second, granules, search=False)
                if granule is None:
                    staged, second = staged + second, 0
            if granule is None:
                granule = _pack(placed, ends, budget.of(memory) - second, granules, search)
            if granule is None and not search:
                raise AxirError(f"first fit finds no place in {memory} for all buffers", op=program)
            if granule is None:
                raise _overflow(program, memory, budget.of(memory), second, placed)
            if paged and placed:
                pages[memory] = IntegerAttr(granule, i64)
            if second:
                second_set[memory] = IntegerAttr(second, i64)
        for name, values in (("pages", pages), ("second_set", second_set)):
            if values:
                program.attributes[name] = DictionaryAttr(values)
        if staged:
            program.attributes["staged_bytes"] = IntegerAttr(staged, i64)


@dataclass(frozen=True)
class PlanMemoryPass(MemoryPlanner, ModulePass):
    """Plans every program (see `MemoryPlanner`), and tells its image where L1 is."""

    name = "plan-memory"

    l1_virtual_address: int | None = field(
        default=None, metadata={"help": "address of L1 as a core sees it, for the image's program header"}
    )
    l1_core0_physical_address: int | None = field(
        default=None, metadata={"help": "address of core 0's L1 as the system sees it, for the same"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        context = AxContext.of(ctx)
        target = context.target if isinstance(context.target, Target) else load(None)
        for program in op.body.block.ops:
            if isinstance(program, aipu.ProgramOp):
                self.plan(program, target)
                for name in ("l1_virtual_address", "l1_core0_physical_address"):
                    address: int | None = getattr(self, name)
                    if address is not None:
                        program.attributes[name] = IntegerAttr(address, i64)


def _check_task_lists(program: aipu.ProgramOp, limit: int) -> None:
    """Raises `AxirError` for a task list that is copied to L2 and longer than `limit` bytes."""
    lists: Counter[int] = Counter()
    for code in program.code:
        if code.preload is not None:
            lists[code.core.value.data] += program.code_bytes(code)
    for core, size in lists.items():
        if size > limit:
            raise AxirError(
                f"the task list of core {core} does not fit l2_size_reserved_tasklist: {size:,} bytes needed, "
                f"{limit:,} allowed ({size - limit:,} too many)",
                op=program,
                notes=("raise l2_size_reserved_tasklist, or let stream_tasklist be true",),
            )


def _lifetimes(program: aipu.ProgramOp) -> dict[Placed, Interval]:
    """What is to be placed: buffers, then the descriptors, which live all the time."""
    end = _end(program)
    code = {code: Interval(0, end, program.code_bytes(code)) for code in program.code}
    return {**buffer_lifetimes(program), **code}


def _end(program: aipu.ProgramOp) -> int:
    """The position after the last task."""
    return max((sum(1 for _ in core.tasks) for core in program.cores), default=0)


def buffer_lifetimes(program: aipu.ProgramOp) -> dict[aipu.BufferOp, Interval]:
    """Lifetimes in positions of the cores' tasks; buffers that nothing touches are left out."""
    end = _end(program)
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


def _ports_bytes(program: aipu.ProgramOp, memory: Memory, granule: int) -> int:
    """What the buffers of inputs and outputs in a memory take, in whole granules."""
    owners = dict.fromkeys(port.buffer.owner for port in (*program.inputs, *program.outputs))
    buffers = [owner for owner in owners if isinstance(owner, aipu.BufferOp) and owner.memory == memory]
    return sum(_whole(buffer.bytes, granule) for buffer in buffers)


def _pack(
    lifetimes: dict[Placed, Interval], ends: Sequence[int], capacity: int, granules: Sequence[int], search: bool = True
) -> int | None:
    """Pack one memory in the first of the granules that fits, with as much stretching as fits; returns the granule.

    None where nothing fits, as far as first fit tells, or with `search` a search.
    """
    intervals = list(lifetimes.values())
    for granule in granules if capacity >= 0 else ():
        whole = [replace(interval, size=_whole(interval.size, granule)) for interval in intervals]
        for share in STRETCH_SHARES:
            last = search and granule == granules[-1] and share == STRETCH_SHARES[-1]
            effort = {} if last else {"nodes": 0}  # only what must fit is searched for
            packing = pack(stretch(whole, ends, int(capacity * share)), capacity, **effort)
            if packing.height <= capacity:
                for place, address in zip(lifetimes, packing.addresses, strict=True):
                    place.at = IntegerAttr(address, i64)
                return granule
    return None


def _whole(size: int, granule: int) -> int:
    return -(-size // granule) * granule


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
    program: aipu.ProgramOp, memory: Memory, capacity: int, second: int, lifetimes: dict[Placed, Interval]
) -> AxirError:
    whole = [replace(interval, size=_whole(interval.size, PWORD)) for interval in lifetimes.values()]
    needed = pack(whole, max(0, capacity - second)).height + second
    peak, position = lower_bound(list(lifetimes.values()))
    alive = sorted(
        ((interval.size, _label(place)) for place, interval in lifetimes.items()
         if interval.first <= position <= interval.last),
        key=lambda entry: -entry[0],
    )  # fmt: skip
    tasks = list(program.cores[0].tasks) if program.cores else []
    layer = program.layers.data[tasks[min(position, len(tasks) - 1)].layer.value.data].layer.data if tasks else None
    return AxirError(
        f"the buffers do not fit {memory}: {needed:,} bytes needed, {capacity:,} allowed "
        f"({needed - capacity:,} too many)",
        op=program,
        node=layer,
        notes=(
            f"alive there ({peak:,} bytes): " + ", ".join(f"{label} {size:,}" for size, label in alive[:8]),
            f"raise {memory}_constraint or resources_used",
            *([f"{second:,} bytes are for second sets of input and output buffers (double_buffer)"] if second else []),
        ),
    )


def _label(place: Placed) -> str:
    return place.label.data if isinstance(place, aipu.BufferOp) else f"code.{place.unit.data}"
