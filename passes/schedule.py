"""`schedule`: the tokens. A task waits for whatever it would otherwise race with.

Two tasks conflict when their bytes overlap and one of them writes. The order of all tasks (`memory/program_order.py`)
says which comes first; where they run on different queues, the later one waits for the earlier, unless an awaited task
is already known to come after it (vector clocks over the queues of all cores). Weight sets are a memory like the
others. A task that must wait for more queues than a descriptor can name gets `aipu.sync` tasks before it.

Without hardware tokens the control core of each core hands out tasks in program order and does the waiting. Then what
one task has waited for is complete for all tasks after it on that core, whatever their unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.passes import ModulePass

from axir.dialects import aipu
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.passes.memory.accesses import Access, accesses
from axir.passes.memory.program_order import owners, program_order
from axir.target.description import Target, load
from axir.target.isa import MAX_WAITS, UNITS, Sync


@dataclass(frozen=True)
class SchedulePass(ModulePass):
    """Buffers need addresses (plan-memory) before their tasks can be ordered."""

    name = "schedule"

    inter_operator_async: bool = field(
        default=True, metadata={"help": "overlap neighbouring operators; else each waits for the one before"}
    )
    use_hw_tokens: bool = field(
        default=True, metadata={"help": "units wait for tokens; else the control core waits, and dispatches in order"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        context = AxContext.of(ctx)
        target = context.target if isinstance(context.target, Target) else load(None)
        for program in op.body.block.ops:
            if isinstance(program, aipu.ProgramOp):
                for buffer in program.buffers:
                    if buffer.address is None:
                        raise AxirError(
                            f"buffer '{buffer.label.data}' has no address", op=buffer, notes=("run plan-memory first",)
                        )
                program.control_dispatch = None if self.use_hw_tokens else UnitAttr()
                _Scheduler(program, target.array.rows, self.use_hw_tokens, self.inter_operator_async).run()


def _join(a: list[int], b: list[int]) -> list[int]:
    return [max(pair) for pair in zip(a, b, strict=True)]


@dataclass(slots=True)
class _Record:
    """An access that later tasks may conflict with; queues are numbered over all cores."""

    low: int
    high: int
    queue: int
    index: int
    write: bool


class _Scheduler:
    def __init__(self, program: aipu.ProgramOp, set_rows: int, tokens: bool, overlap: bool) -> None:
        self.order = program_order(program)
        self.set_rows, self.tokens, self.overlap = set_rows, tokens, overlap
        cores = len(program.cores)
        self.memories: dict[tuple[str, int], list[_Record]] = {}
        self.tasks: list[list[aipu.TaskOp]] = [[] for _ in range(cores * len(UNITS))]
        self.clocks: list[list[list[int]]] = [[] for _ in self.tasks]  # by task: completions known before its end
        self.seen = [[0] * len(self.tasks) for _ in range(cores)]  # completions that a control core has waited for
        self.before: list[dict[int, int]] = [{} for _ in range(cores)]  # last task of each queue before the layer
        self.previous: list[aipu.TaskOp | None] = [None] * cores

    def run(self) -> None:
        for core, task in self.order:
            queue = core * len(UNITS) + UNITS.index(task.unit.data)
            touched = list(self._touched(core, task))
            needs = self._conflicts(touched, queue)
            if not self.overlap:
                for other, index in self._earlier_layers(core, task).items():
                    if other != queue and index > needs.get(other, -1):
                        needs[other] = index
            waits = self._waits(core, queue, needs)
            while len(waits) > MAX_WAITS:
                self._append(core, queue, _sync_before(task), waits[:MAX_WAITS])
                waits = waits[MAX_WAITS:]
            index = self._append(core, queue, task, waits)
            for place, access in touched:
                self._record(place, access, queue, index)

    def _touched(self, core: int, task: aipu.TaskOp) -> Iterator[tuple[tuple[str, int], Access]]:
        """The accesses of a task, each with the memory it goes to; that of a core, or -1 for what cores share."""
        for access in accesses(task, self.set_rows):
            for owner in owners(access.memory, core, access.cores):
                yield (access.memory, owner), access

    def _earlier_layers(self, core: int, task: aipu.TaskOp) -> dict[int, int]:
        """The last task of each queue of the core before the current layer."""
        previous, self.previous[core] = self.previous[core], task
        if previous is not None and previous.layer != task.layer:
            first = core * len(UNITS)
            queues = range(first, first + len(UNITS))
            self.before[core] = {queue: len(self.tasks[queue]) - 1 for queue in queues if self.tasks[queue]}
        return self.before[core]

    def _conflicts(self, touched: list[tuple[tuple[str, int], Access]], queue: int) -> dict[int, int]:
        """For every other queue, the last of its tasks that this one must follow."""
        needs: dict[int, int] = {}
        for place, access in touched:
            for record in self.memories.get(place, ()):
                if record.low < access.high and access.low < record.high and (record.write or access.write):
                    if record.queue != queue and record.index > needs.get(record.queue, -1):
                        needs[record.queue] = record.index
        return needs

    def _known(self, core: int, queue: int) -> list[int]:
        """What has certainly completed when the next task of a queue starts, whatever it waits for."""
        return _join(self.seen[core], self.clocks[queue][-1]) if self.clocks[queue] else list(self.seen[core])

    def _waits(self, core: int, queue: int, needs: dict[int, int]) -> list[tuple[int, int]]:
        """Those of the needed tasks that nothing implies, as (queue, index): first those that imply most."""
        clock = self._known(core, queue)
        waits: list[tuple[int, int]] = []
        for other, index in sorted(needs.items(), key=lambda need: (-sum(self.clocks[need[0]][need[1]]), need[0])):
            if clock[other] <= index:
                waits.append((other, index))
                clock = _join(clock, self.clocks[other][index])
        return waits

    def _append(self, core: int, queue: int, task: aipu.TaskOp, waits: Sequence[tuple[int, int]]) -> int:
        """Give a task its waits and put it at the end of its queue; returns its number there."""
        clock = self._known(core, queue)
        for other, index in waits:
            clock = _join(clock, self.clocks[other][index])
            if not self.tokens:
                self.seen[core] = _join(self.seen[core], self.clocks[other][index])
        own = range(core * len(UNITS), (core + 1) * len(UNITS))
        task.wait_for([self.tasks[other][index] for other, index in waits if other in own])
        task.wait_for_remote(
            [(other // len(UNITS), UNITS[other % len(UNITS)], index + 1) for other, index in waits if other not in own]
        )
        index = len(self.tasks[queue])
        clock[queue] = index + 1
        self.tasks[queue].append(task)
        self.clocks[queue].append(clock)
        return index

    def _record(self, place: tuple[str, int], access: Access, queue: int, index: int) -> None:
        """Remember the access; forget those it makes redundant: what it overwrites, and its own queue's older reads."""
        records = self.memories.setdefault(place, [])
        if access.write:
            records[:] = [r for r in records if not (access.low <= r.low and r.high <= access.high)]
        else:
            records[:] = [
                r for r in records
                if not (r.queue == queue and not r.write and access.low <= r.low and r.high <= access.high)
            ]  # fmt: skip
        records.append(_Record(access.low, access.high, queue, index, access.write))


def _sync_before(task: aipu.TaskOp) -> aipu.TaskOp:
    """A task on the same queue that only waits."""
    sync = aipu.TaskOp.make(Sync(), [], task.unit.data, task.layer.value.data)
    sync.location = task.location
    block = task.parent_block()
    assert block is not None
    block.insert_op_before(sync, task)
    return sync
