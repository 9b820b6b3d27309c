"""`schedule`: the tokens. A task waits for whatever it would otherwise race with.

Two tasks conflict when their bytes overlap and one of them writes. Program order says which comes first; where they run
on different units, the later one waits for the earlier, unless an awaited task is already known to come after it
(vector clocks over the units). Weight sets are a memory like the others.

Without hardware tokens the control core hands out tasks in program order and does the waiting. Then what one task has
waited for is complete for all tasks after it, whatever their unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.passes import ModulePass

from axir.dialects import aipu
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.passes.memory.accesses import Access, accesses
from axir.target.description import Target, load
from axir.target.isa import UNITS


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
                for core in program.cores:
                    _Scheduler(target.array.rows, self.use_hw_tokens, self.inter_operator_async).run(list(core.tasks))


def _join(a: list[int], b: list[int]) -> list[int]:
    return [max(pair) for pair in zip(a, b, strict=True)]


@dataclass(slots=True)
class _Record:
    """An access that later tasks may conflict with."""

    low: int
    high: int
    unit: int
    index: int
    write: bool


class _Scheduler:
    def __init__(self, set_rows: int, tokens: bool, overlap: bool) -> None:
        self.set_rows, self.tokens, self.overlap = set_rows, tokens, overlap
        self.memories: dict[str, list[_Record]] = {}
        self.tasks: list[list[aipu.TaskOp]] = [[] for _ in UNITS]
        self.clocks: list[list[list[int]]] = [[] for _ in UNITS]  # by unit and index: completions known before the end

    def run(self, tasks: list[aipu.TaskOp]) -> None:
        seen = [0] * len(UNITS)  # completions that the control core has waited for
        before: dict[int, int] = {}  # last task of each unit before the current layer
        for previous, task in zip([None, *tasks], tasks, strict=False):
            if previous is not None and previous.layer != task.layer:
                before = {unit: len(done) - 1 for unit, done in enumerate(self.tasks) if done}
            unit = UNITS.index(task.unit.data)
            touched = list(accesses(task, self.set_rows))
            needs = self._conflicts(touched, unit)
            if not self.overlap:
                needs |= {
                    other: index for other, index in before.items() if other != unit and index > needs.get(other, -1)
                }
            clock = _join(seen, self.clocks[unit][-1]) if self.clocks[unit] else list(seen)
            waits: list[aipu.TaskOp] = []
            for other, index in self._strongest(needs):
                if clock[other] <= index:
                    waits.append(self.tasks[other][index])
                    clock = _join(clock, self.clocks[other][index])
                    if not self.tokens:
                        seen = _join(seen, self.clocks[other][index])
            task.wait_for(waits)
            index = len(self.tasks[unit])
            clock[unit] = index + 1
            self.tasks[unit].append(task)
            self.clocks[unit].append(clock)
            for access in touched:
                self._record(access, unit, index)

    def _conflicts(self, touched: list[Access], unit: int) -> dict[int, int]:
        """For every other unit, the last of its tasks that this one must follow."""
        needs: dict[int, int] = {}
        for access in touched:
            for record in self.memories.get(access.memory, ()):
                if record.low < access.high and access.low < record.high and (record.write or access.write):
                    if record.unit != unit and record.index > needs.get(record.unit, -1):
                        needs[record.unit] = record.index
        return needs

    def _strongest(self, needs: dict[int, int]) -> Iterator[tuple[int, int]]:
        """Waits in an order in which those that imply others come first."""
        yield from sorted(needs.items(), key=lambda need: (-sum(self.clocks[need[0]][need[1]]), need[0]))

    def _record(self, access: Access, unit: int, index: int) -> None:
        """Remember the access; forget those it makes redundant: what it overwrites, and its own unit's older reads."""
        records = self.memories.setdefault(access.memory, [])
        if access.write:
            records[:] = [r for r in records if not (access.low <= r.low and r.high <= access.high)]
        else:
            records[:] = [
                r for r in records
                if not (r.unit == unit and not r.write and access.low <= r.low and r.high <= access.high)
            ]  # fmt: skip
        records.append(_Record(access.low, access.high, unit, index, access.write))
