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
from axir.passes.memory.lifetimes import Lifetimes, Part, Place
from axir.passes.memory.packing import Interval, Packing, lower_bound, pack
from axir.target.description import Target, load
from axir.target.isa import MEMORIES, PWORD, Memory

STRETCH_LAYERS = 4
STRETCH_SHARES = (1.0, 0.9, 0.75, 0.5, 0.0)
"""How far lifetimes are stretched, and shares of the memory that stretching may fill, in the order they are tried."""

PAGED: tuple[Memory, ...] = ("l2", "ddr")
"""What `page_memory` is about: the memories that programs share."""


@dataclass(frozen=True)
class MemoryPlanner(MemoryLimits):
    """Planning, with its options; to be inherited by passes that try out with it what they do to a program.

    A lifetime runs from the first to the last task, in program order, that touches the buffer (`memory/lifetimes.py`).
    Constants and the buffers of inputs and outputs live all the time: the host loads and reads them around a frame.
    What is private to one of several cores lies together: each core has a block of its own in L2 and in DDR.
    With `page_memory` what lies in L2 or DDR starts on a page and shares none with what lives at the same time; in a
    memory that whole pages overflow, bytes are packed instead. The attribute `pages` says which it was, by memory.

    With `double_buffer` there is a second set of the buffers of inputs and outputs, which the host fills and empties
    while the program works on the first. It is no part of the program's region and has no addresses in it: between
    frames the device maps one set or the other at the program's addresses (an assumption). Its bytes are kept free in
    the same memory if the program fits beside them, and else in DDR; from there they are copied between frames. Of what
    passes from one stage of a pipeline to another there always are two sets, in the same way. The attribute
    `second_set` says how many bytes are where, `staged_bytes` how many are copied.
    """

    page_memory: bool = field(default=True, metadata={"help": "give out L2 and DDR in whole pages, where they fit"})
    double_buffer: bool = field(
        default=True, metadata={"help": "keep memory free for a second set of input and output buffers"}
    )

    def plan(self, program: aipu.ProgramOp, target: Target, search: bool = True) -> None:
        """Plan one program. Raises `AxirError` where its buffers do not fit, or first fit says so (no `search`)."""
        _check_task_lists(program, self.task_list(target))
        budget = self.budget(target, program.preloading_cores).within(program)
        lifetimes = Lifetimes(program)
        for buffer in program.buffers:
            if buffer not in lifetimes.cores and buffer not in lifetimes.always:  # nothing touches it
                buffer.detach()
                buffer.erase()
        pages: dict[str, IntegerAttr] = {}
        second_set: dict[str, IntegerAttr] = {}
        staged = 0
        for memory in MEMORIES:  # DDR last: it takes what does not fit elsewhere
            parts = lifetimes.parts(memory)
            paged = self.page_memory and memory in PAGED
            granules = (target.device.page, PWORD) if paged else (PWORD,)
            second = _ports_bytes(program, memory, granules[0]) if self.double_buffer else 0
            second += staged if memory == "ddr" else 0
            stages = sum(_whole(b.bytes, granules[0]) for b in lifetimes.boundaries if b.memory == memory)
            room = budget.of(memory) - stages
            granule = None
            if second and memory != "ddr":
                granule = _place(parts, memory, room - second, granules, search=False)
                if granule is None:
                    staged, second = staged + second, 0
            if granule is None:
                granule = _place(parts, memory, room - second, granules, search)
            if granule is None and not search:
                raise AxirError(f"first fit finds no place in {memory} for all buffers", op=program)
            if granule is None:
                raise _overflow(lifetimes, memory, budget.of(memory), second + stages, parts)
            if paged and any(part.lifetimes for part in parts):
                pages[memory] = IntegerAttr(granule, i64)
            if second + stages:
                second_set[memory] = IntegerAttr(second + stages, i64)
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


def _ports_bytes(program: aipu.ProgramOp, memory: Memory, granule: int) -> int:
    """What the buffers of inputs and outputs in a memory take, in whole granules."""
    owners = dict.fromkeys(port.buffer.owner for port in (*program.inputs, *program.outputs))
    buffers = [owner for owner in owners if isinstance(owner, aipu.BufferOp) and owner.memory == memory]
    return sum(_whole(buffer.bytes, granule) for buffer in buffers)


def _place(parts: Sequence[Part], memory: Memory, capacity: int, granules: Sequence[int], search: bool) -> int | None:
    """Give all parts of a memory their addresses; returns the granule. Every core has an L1 of that capacity."""
    if memory != "l1":
        return _pack(parts, capacity, granules, search)
    found = [_pack([part], capacity, granules, search) for part in parts]
    return None if None in found else granules[-1]


def _pack(parts: Sequence[Part], capacity: int, granules: Sequence[int], search: bool = True) -> int | None:
    """Pack parts into one memory in the first of the granules that fits, with as much stretching as fits.

    The first part shares its bytes over time; the others become blocks that live all the time. Returns the granule;
    None where nothing fits, as far as first fit tells, or with `search` a search.
    """
    for granule in granules if capacity >= 0 else ():
        for share in STRETCH_SHARES:
            last = search and granule == granules[-1] and share == STRETCH_SHARES[-1]
            effort = {} if last else {"nodes": 0}  # only what must fit is searched for
            blocks = [_packed(part, (), capacity, share / len(parts), granule, effort) for part in parts[1:]]
            sizes = [packing.height for packing in blocks]
            whole = _packed(parts[0], sizes, capacity, share, granule, effort)
            if whole.height > capacity:
                continue
            bases = whole.addresses[len(parts[0].lifetimes) :]
            for part, packing, base in zip(parts, [whole, *blocks], [0, *bases], strict=True):
                for place, address in zip(part.lifetimes, packing.addresses, strict=False):
                    place.at = IntegerAttr(base + address, i64)
            return granule
    return None


def _packed(
    part: Part, blocks: Sequence[int], capacity: int, share: float, granule: int, effort: dict[str, int]
) -> Packing:
    """A part and blocks beside it, with lifetimes stretched as far as a share of the capacity allows."""
    whole = [replace(interval, size=_whole(interval.size, granule)) for interval in part.lifetimes.values()]
    end = max((interval.last for interval in whole), default=0)
    whole += [Interval(0, end, size) for size in blocks]
    return pack(stretch(whole, part.ends, int(capacity * share)), capacity, **effort)


def _whole(size: int, granule: int) -> int:
    return -(-size // granule) * granule


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


def _overflow(lifetimes: Lifetimes, memory: Memory, capacity: int, second: int, parts: Sequence[Part]) -> AxirError:
    """What does not fit: of the parts, the one that needs most."""
    needs = [_packed(part, (), max(0, capacity - second), 0.0, PWORD, {}).height for part in parts]
    number = needs.index(max(needs))
    part, needed = parts[number], second + (max(needs) if memory == "l1" else sum(needs))
    peak, position = lower_bound(list(part.lifetimes.values()))
    alive = sorted(
        ((interval.size, _label(place)) for place, interval in part.lifetimes.items()
         if interval.first <= position <= interval.last),
        key=lambda entry: -entry[0],
    )  # fmt: skip
    tasks = [task for core, task in lifetimes.order if part.core in (None, core)]
    layers = lifetimes.program.layers.data
    layer = layers[tasks[min(position, len(tasks) - 1)].layer.value.data].layer.data if tasks else None
    whose = "" if part.core is None else f" by core {part.core}"
    return AxirError(
        f"the buffers do not fit {memory}: {needed:,} bytes needed, {capacity:,} allowed "
        f"({needed - capacity:,} too many)",
        op=lifetimes.program,
        node=layer,
        notes=(
            f"alive there{whose} ({peak:,} bytes): " + ", ".join(f"{label} {size:,}" for size, label in alive[:8]),
            f"raise {memory}_constraint or resources_used",
            *([f"{second:,} bytes are for second sets of {_seconds(lifetimes)}"] if second else []),
        ),
    )


def _seconds(lifetimes: Lifetimes) -> str:
    ports = "input and output buffers (double_buffer)"
    return f"{ports} and of what passes between the stages" if lifetimes.boundaries else ports


def _label(place: Place) -> str:
    return place.label.data if isinstance(place, aipu.BufferOp) else f"code.{place.unit.data}"
