"""`list-schedule`: put the tasks of a core into the order in which the modelled device would take them.

List scheduling over true dependences alone: bytes of buffers and rows of the weight sets. Nothing has an address yet,
so lifetimes can move, as far as the memories allow (`passes/memory/room.py`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.passes import ModulePass

from axir.backends.aipu.assemble import assemble
from axir.backends.aipu.simulator import Instance, simulate
from axir.dialects import aipu
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.passes.memory.accesses import buffer_accesses
from axir.passes.memory.room import Room
from axir.passes.plan_memory import MemoryPlanner
from axir.passes.schedule import SchedulePass
from axir.target.cost import cost
from axir.target.description import Target, load
from axir.target.isa import SYSTEM_DMA, UNITS, Dma

SHARES = (1.0, 0.9, 0.8, 0.7, 0.5)
"""Shares of the memories that orders may fill. A full memory is hard to pack, and makes tasks wait for bytes."""


@dataclass(frozen=True)
class ListSchedulePass(MemoryPlanner, ModulePass):
    """Works on lowered programs of one core, before their buffers have addresses.

    Several orders are tried: for each share of the memories, with copies on the channel that lowering chose, and on
    whichever is free. Each is planned, given tokens and timed by the device model; the fastest stays, and that may be
    the given one. So the pass has the options of `plan-memory` and `schedule`.
    """

    name = "list-schedule"

    use_list_scheduler: bool = field(default=False, metadata={"help": "order tasks by resource-aware list scheduling"})
    inter_operator_async: bool = field(default=True, metadata={"help": "time orders as `schedule` will overlap them"})
    use_hw_tokens: bool = field(default=True, metadata={"help": "time orders as `schedule` will synchronise them"})

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        context = AxContext.of(ctx)
        target = context.target if isinstance(context.target, Target) else load(None)
        for program in op.body.block.ops:
            if self.use_list_scheduler and isinstance(program, aipu.ProgramOp) and len(program.cores) == 1:
                _refuse_planned(program)
                self._order(program, context, target)

    def _order(self, program: aipu.ProgramOp, context: AxContext, target: Target) -> None:
        tasks = list(program.cores[0].tasks)
        best = [(task, task.unit.data) for task in tasks]
        fastest = self._cycles(program, best, context, target, search=True)
        if fastest is None:
            return  # plan-memory will say what does not fit
        graph = TaskGraph.of(tasks, target)
        budget = self.budget(target, program.preloading_cores).within(program)
        for share in SHARES:
            for any_channel in (False, True):
                order = list_order(graph, Room(program, budget, share), any_channel)
                candidate = [(tasks[index], unit) for index, unit in order]
                cycles = self._cycles(program, candidate, context, target)
                if cycles is not None and cycles < fastest:
                    best, fastest = candidate, cycles
        _reorder(program, best)

    def _cycles(
        self,
        program: aipu.ProgramOp,
        order: Sequence[tuple[aipu.TaskOp, str]],
        context: AxContext,
        target: Target,
        search: bool = False,
    ) -> int | None:
        """Modelled cycles of the program in an order, or None if its buffers then do not fit."""
        trial = program.clone()
        copies = dict(zip(program.cores[0].tasks, trial.cores[0].tasks, strict=True))
        _reorder(trial, [(copies[task], unit) for task, unit in order])
        try:
            self.plan(trial, target, search)
        except AxirError:
            return None
        tokens = SchedulePass(inter_operator_async=self.inter_operator_async, use_hw_tokens=self.use_hw_tokens)
        tokens.apply(context, ModuleOp([trial]))
        return simulate([Instance(assemble(trial, context.store, target))], target)[0].cycles


def _refuse_planned(program: aipu.ProgramOp) -> None:
    for buffer in program.buffers:
        if buffer.address is not None:
            raise AxirError(
                f"buffer '{buffer.label.data}' has an address already",
                op=buffer,
                notes=("run list-schedule before plan-memory",),
            )


def _reorder(program: aipu.ProgramOp, order: Sequence[tuple[aipu.TaskOp, str]]) -> None:
    block = program.cores[0].body.block
    for task, unit in order:
        task.detach()
        task.wait_for(())  # tokens are for the order that was
        task.unit = StringAttr(unit)
        block.add_op(task)


@dataclass(frozen=True)
class TaskGraph:
    """Tasks with what they must follow, what they take (cycles before and during the transfer of a copy; else 0 and
    all), and the cycle, counted back from the end, at which each must start so that the end is not later."""

    tasks: Sequence[aipu.TaskOp]
    followers: Sequence[Sequence[int]]
    preceding: Sequence[int]
    setup: Sequence[int]
    work: Sequence[int]
    latest: Sequence[int]

    @staticmethod
    def of(tasks: Sequence[aipu.TaskOp], target: Target) -> TaskGraph:
        before = predecessors(tasks, target.array.rows)
        followers: list[list[int]] = [[] for _ in tasks]
        for index, others in enumerate(before):
            for other in others:
                followers[other].append(index)
        setup = [target.device.dispatch + (target.dma.setup if isinstance(t.fields, Dma) else 0) for t in tasks]
        total = [target.device.dispatch + cost(t.fields, target, t.unit.data).cycles for t in tasks]
        work = [whole - first for whole, first in zip(total, setup, strict=True)]
        return TaskGraph(tasks, followers, list(map(len, before)), setup, work, _latest(tasks, followers, total))


def predecessors(tasks: Sequence[aipu.TaskOp], set_rows: int) -> list[list[int]]:
    """For every task, the earlier ones that it must follow: they touch the same bytes, and one of the two writes."""
    records: dict[aipu.BufferOp | None, list[tuple[int, int, int, bool]]] = {}
    result: list[list[int]] = []
    for index, task in enumerate(tasks):
        needs: dict[int, None] = {}
        touched = list(buffer_accesses(task, set_rows))
        for buffer, access in touched:
            for low, high, other, write in records.get(buffer, ()):
                if low < access.high and access.low < high and (write or access.write):
                    needs[other] = None
        for buffer, access in touched:
            known = records.setdefault(buffer, [])
            if access.write:  # whoever conflicts with what this covers conflicts with this
                known[:] = [record for record in known if not (access.low <= record[0] and record[1] <= access.high)]
            known.append((access.low, access.high, index, access.write))
        result.append(list(needs))
    return result


def _latest(tasks: Sequence[aipu.TaskOp], followers: Sequence[Sequence[int]], cycles: Sequence[int]) -> list[int]:
    """As late as possible: the given order run backwards, its queues being resources."""
    starts = [0] * len(tasks)
    free: dict[str, int] = dict.fromkeys(UNITS, 0)
    for index in reversed(range(len(tasks))):
        unit = tasks[index].unit.data
        end = min([free[unit], *(starts[follower] for follower in followers[index])])
        starts[index] = free[unit] = end - cycles[index]
    return starts


@dataclass
class _Clock:
    """When units, and the two directions of a core's DMA, are free again."""

    now: int = 0
    units: dict[str, int] = field(default_factory=lambda: dict.fromkeys(UNITS, 0))
    directions: dict[str, int] = field(default_factory=lambda: {"in": 0, "out": 0})

    def start(self, task: aipu.TaskOp, unit: str, setup: int, work: int) -> int:
        """Start a task now; when it ends. Copies in one direction take turns."""
        begin = self.now + setup
        if isinstance(task.fields, Dma) and unit != SYSTEM_DMA:
            sides = (("in", task.fields.src), ("out", task.fields.dst))
            used = [direction for direction, place in sides if place.memory != "l1"]
            begin = max([begin, *(self.directions[direction] for direction in used)])
            self.directions |= dict.fromkeys(used, begin + work)
        self.units[unit] = begin + work
        return begin + work


def list_order(graph: TaskGraph, room: Room, any_channel: bool) -> list[tuple[int, str]]:
    """Tasks by number with their units, in the order in which they start.

    Whenever a unit is free it takes, of the tasks that may run and fit, the one with the earliest `latest` start.
    With `any_channel` a copy takes any DMA channel of the core that the program uses.
    """
    units = list(dict.fromkeys(task.unit.data for task in graph.tasks))
    channels = [unit for unit in units if unit.startswith("dma")]
    missing = list(graph.preceding)
    ready = [index for index, count in enumerate(missing) if not count]
    clock = _Clock()
    running: list[tuple[int, int]] = []  # (end, task)
    order: list[tuple[int, str]] = []
    while ready or running:
        ready.sort(key=lambda index: (graph.latest[index], index))
        for index, unit in _startable(graph, ready, clock, channels if any_channel else [], room):
            ready.remove(index)
            end = clock.start(graph.tasks[index], unit, graph.setup[index], graph.work[index])
            heapq.heappush(running, (end, index))
            order.append((index, unit))
        clock.now, _ = running[0]
        while running and running[0][0] == clock.now:
            _, done = heapq.heappop(running)
            room.complete(done)
            for follower in graph.followers[done]:
                missing[follower] -= 1
                if not missing[follower]:
                    ready.append(follower)
    return order


def _startable(
    graph: TaskGraph, ready: Sequence[int], clock: _Clock, channels: Sequence[str], room: Room
) -> Iterator[tuple[int, str]]:
    """Tasks that start now, in order, each with a unit that is free; their memory is taken."""
    for index in list(ready):
        own = graph.tasks[index].unit.data
        candidates = [own, *(channel for channel in channels if channel != own)] if own in channels else [own]
        unit = next((unit for unit in candidates if clock.units[unit] <= clock.now), None)
        if unit is not None and room.take(index):
            yield index, unit
