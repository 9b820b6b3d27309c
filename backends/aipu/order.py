"""In which order the tasks of an image may run: the happens-before relation of queues and waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from axir.backends.aipu.encode import Wait
from axir.backends.aipu.structure import Image, Task, TaskId, describe
from axir.ir.diagnostics import AxirError
from axir.target import isa

Clock = tuple[int, ...]
"""How many descriptors of each queue have certainly completed, by `unit_number`."""


def unit_number(core: int, unit: str) -> int:
    return core * len(isa.UNITS) + isa.UNITS.index(unit)


@dataclass(frozen=True)
class Step:
    """A task and what has certainly completed when it starts."""

    id: TaskId
    task: Task
    clock: Clock


def order(image: Image) -> list[Step]:
    """All tasks in one order that the waits allow, and the same for equal images: the task of the least layer first.

    Raises `AxirError` for a deadlock, naming each blocked task and what it waits for.
    """
    units = [(core, unit) for core in range(len(image.cores)) for unit in isa.UNITS]
    queues = [image.cores[core][unit] for core, unit in units]
    heads = [0] * len(units)
    zero = (0,) * len(units)
    clocks: list[list[Clock]] = [[] for _ in units]
    steps: list[Step] = []
    remaining = sum(map(len, queues))
    while remaining:
        best, least = -1, 1 << 16
        for number, queue in enumerate(queues):
            if heads[number] < len(queue):
                task = queue[heads[number]]
                if task.layer < least and _ready(task, heads):
                    best, least = number, task.layer
        if best < 0:
            raise _deadlock(image, units, heads)
        task, index = queues[best][heads[best]], heads[best]
        clock = list(clocks[best][-1] if index else zero)
        for wait in task.waits:
            awaited = unit_number(wait.core, wait.unit)
            clock = list(map(max, clock, clocks[awaited][wait.completed - 1]))
            clock[awaited] = max(clock[awaited], wait.completed)
        clock[best] = index
        clocks[best].append(tuple(clock))
        core, unit = units[best]
        steps.append(Step(TaskId(core, unit, index), task, clocks[best][-1]))
        heads[best] += 1
        remaining -= 1
    return steps


def _ready(task: Task, completed: Sequence[int]) -> bool:
    for wait in task.waits:
        number = unit_number(wait.core, wait.unit)
        if number >= len(completed) or completed[number] < wait.completed:
            return False
    return True


def _deadlock(image: Image, units: Sequence[tuple[int, str]], heads: Sequence[int]) -> AxirError:
    def blocked(wait: Wait) -> str | None:
        if wait.core >= len(image.cores):
            return f"{wait.completed} tasks of core {wait.core}, which the program does not use"
        queue = image.cores[wait.core][wait.unit]
        if wait.completed > len(queue):
            return f"{wait.completed} tasks of core {wait.core} {wait.unit}, which has {len(queue)}"
        if heads[unit_number(wait.core, wait.unit)] < wait.completed:
            return str(TaskId(wait.core, wait.unit, wait.completed - 1))
        return None

    lines: list[str] = []
    for (core, unit), head in zip(units, heads, strict=True):
        if head < len(image.cores[core][unit]):
            reasons = [reason for wait in image.cores[core][unit][head].waits if (reason := blocked(wait))]
            lines.append(f"{describe(image, TaskId(core, unit, head))} waits for {', '.join(reasons)}")
    return AxirError("deadlock: no queue can go on", notes=lines)
