"""In which order the tasks of an image may run: the happens-before relation of queues, waits and dispatch."""

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

    Where control cores hand tasks out, each core's are in that order, and what an earlier one has waited for is
    complete for all later ones. Raises `AxirError` for a deadlock, naming each blocked task and what it waits for.
    """
    units = [(core, unit) for core in range(len(image.cores)) for unit in isa.UNITS]
    queues = [image.cores[core][unit] for core, unit in units]
    heads = [0] * len(units)
    zero = (0,) * len(units)
    clocks: list[list[Clock]] = [[] for _ in units]
    seen: list[Sequence[int]] = [zero for _ in image.cores]  # by core, what its control core has waited for
    handed_out = [0 for _ in image.cores]
    steps: list[Step] = []
    remaining = sum(map(len, queues))
    while remaining:
        best, least = -1, 1 << 16
        for number, queue in enumerate(queues):
            core, unit = units[number]
            if image.dispatch and image.dispatch[core][handed_out[core] : handed_out[core] + 1] != (unit,):
                continue
            if heads[number] < len(queue):
                task = queue[heads[number]]
                if task.layer < least and _ready(task, heads):
                    best, least = number, task.layer
        if best < 0:
            raise _deadlock(image, units, heads)
        task, index = queues[best][heads[best]], heads[best]
        core, unit = units[best]
        known = list(seen[core])
        for wait in task.waits:
            awaited = unit_number(wait.core, wait.unit)
            known = list(map(max, known, clocks[awaited][wait.completed - 1]))
            known[awaited] = max(known[awaited], wait.completed)
        if image.dispatch:
            seen[core] = known
            handed_out[core] += 1
        clock = list(map(max, known, clocks[best][-1] if index else zero))
        clock[best] = index
        clocks[best].append(tuple(clock))
        steps.append(Step(TaskId(core, unit, index), task, clocks[best][-1]))
        heads[best] += 1
        remaining -= 1
    return steps


def check_deadlock(image: Image) -> None:
    """Raise what `order` raises for a deadlock; quicker than it, as it asks for no order."""
    count = len(isa.UNITS)
    # What runs in order by itself: queues, or with control dispatch all tasks of a core.
    lines = [[number] * len(image.cores[number // count][isa.UNITS[number % count]]) for number in _numbers(image)]
    if image.dispatch:
        lines = [[unit_number(core, unit) for unit in units] for core, units in enumerate(image.dispatch)]
    heads = [0 for _ in _numbers(image)]
    places = [0 for _ in lines]
    waiting: list[list[int]] = [[] for _ in heads]  # lines, by the queue that they wait for
    going = list(range(len(lines)))
    while going:
        line = going.pop()
        while places[line] < len(lines[line]):
            number = lines[line][places[line]]
            task = image.cores[number // count][isa.UNITS[number % count]][heads[number]]
            if not _ready(task, heads):
                awaited = (unit_number(wait.core, wait.unit) for wait in task.waits)
                blocking = next(
                    number
                    for number, wait in zip(awaited, task.waits, strict=True)
                    if number >= len(heads) or heads[number] < wait.completed
                )
                if blocking < len(heads):
                    waiting[blocking].append(line)
                break
            heads[number] += 1
            places[line] += 1
            going += waiting[number]
            waiting[number].clear()
    if any(place < len(line) for place, line in zip(places, lines, strict=True)):
        order(image)  # names who waits for whom


def _numbers(image: Image) -> range:
    return range(len(image.cores) * len(isa.UNITS))


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
            if reasons:  # else it is blocked by one that is to be handed out before
                lines.append(f"{describe(image, TaskId(core, unit, head))} waits for {', '.join(reasons)}")
    return AxirError("deadlock: no queue can go on", notes=lines)
