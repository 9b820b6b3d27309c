"""One order for the tasks of all cores of a program: what planning and scheduling mean by "before".

The text gives each core its own order. Cores meet in buffers that one writes and another reads, in shared memory or, by
multicast, in L1. The rule that puts them in one order needs nothing but the text:

- each core's tasks stay in their order;
- a task comes after those of other cores that write bytes which it reads (such bytes are written once a frame), in an
  earlier layer; in one layer only exchanges and multicasts pass bytes from core to core;
- of the tasks that may come next, the one of the least layer does: a core counts as being in the least layer that it
  has still to do, so that copies issued early are not taken for progress. In one layer cores take turns.

Every order that obeys the first two is a correct one. The third keeps cores abreast, so that lifetimes are short.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from axir.dialects import aipu
from axir.ir.diagnostics import AxirError
from axir.passes.memory.accesses import WRITTEN, extent
from axir.target.isa import Dma

SHARED_MEMORIES = ("l2", "ddr")


class Placed(NamedTuple):
    """A task and the core that runs it."""

    core: int
    task: aipu.TaskOp


Place = tuple[aipu.BufferOp, int]
"""A buffer as cores share it: one in L1 is another in every core, those in shared memory have core -1."""


@dataclass(eq=False, slots=True)
class _Write:
    core: int
    low: int
    high: int
    layer: int  # the last that does not read it
    done: bool = False


@dataclass(eq=False, slots=True)
class _Node:
    task: aipu.TaskOp
    layer: int = 0  # the least that its core has still to do
    turn: int = 0  # among the tasks of its core in that layer
    writes: list[_Write] = field(default_factory=list[_Write])
    needs: list[_Write] = field(default_factory=list[_Write])


def program_order(program: aipu.ProgramOp) -> list[Placed]:
    """The tasks of all cores in one order. Raises `AxirError` where cores wait for each other's bytes in a circle."""
    if len(program.cores) == 1:
        return [Placed(0, task) for task in program.cores[0].tasks]
    queues = [_nodes(list(core.tasks)) for core in program.cores]
    exchanges = {n for n, layer in enumerate(program.layers.data) if layer.operator.data == aipu.EXCHANGE}
    _connect(queues, exchanges)
    heads = [0] * len(queues)
    result: list[Placed] = []
    for _ in range(sum(map(len, queues))):
        waiting = [
            (core, queue[head])
            for core, (queue, head) in enumerate(zip(queues, heads, strict=True))
            if head < len(queue)
        ]
        ready = [(core, node) for core, node in waiting if all(write.done for write in node.needs)]
        if not ready:
            raise _circle(waiting)
        core, node = min(ready, key=lambda entry: (entry[1].layer, entry[1].turn, entry[0]))
        for write in node.writes:
            write.done = True
        heads[core] += 1
        result.append(Placed(core, node.task))
    return result


def touched(task: aipu.TaskOp, core: int) -> Iterator[tuple[Place, int, int, bool]]:
    """(place, low, high, written) of every range of a buffer, in bytes of it, that a task of a core touches."""
    fields = task.fields
    for row, address, value in task.placed:
        buffer = value.owner
        assert isinstance(buffer, aipu.BufferOp)
        low, high = extent(fields, row.name)
        fed = fields.fed_cores if isinstance(fields, Dma) and row.name == "dst" else ()
        for owner in owners(buffer.memory, core, fed):
            yield (buffer, owner), address.offset + low, address.offset + high, row.name in WRITTEN


def owners(memory: str, core: int, fed: Sequence[int] = ()) -> Sequence[int]:
    """Whose memory an access of a core goes to: L2 and DDR are nobody's (-1), a multicast goes to all that it feeds."""
    return (-1,) if memory in SHARED_MEMORIES else fed or (core,)


def _nodes(tasks: list[aipu.TaskOp]) -> list[_Node]:
    nodes = [_Node(task) for task in tasks]
    least = 1 << 16
    for node in reversed(nodes):
        least = min(least, node.task.layer.value.data)
        node.layer = least
    turns: dict[int, int] = {}
    for node in nodes:
        node.turn = turns.get(node.layer, 0)
        turns[node.layer] = node.turn + 1
    return nodes


def _connect(queues: list[list[_Node]], exchanges: Container[int]) -> None:
    """Give every task the writes of other cores that it must follow; of L1, those that reach it by multicast."""
    writes: dict[Place, list[_Write]] = {}
    for core, queue in enumerate(queues):
        for node in queue:
            for place, low, high, write in touched(node.task, core):
                if write:
                    layer = node.task.layer.value.data
                    passed = layer in exchanges or place[1] >= 0
                    node.writes.append(_Write(core, low, high, layer - passed))
                    if core != place[1]:
                        writes.setdefault(place, []).append(node.writes[-1])
    for core, queue in enumerate(queues):
        for node in queue:
            for place, low, high, write in touched(node.task, core):
                for other in () if write else writes.get(place, ()):
                    later = other.core != core and other.layer < node.task.layer.value.data
                    if later and other.low < high and low < other.high:
                        node.needs.append(other)


def _circle(waiting: Sequence[tuple[int, _Node]]) -> AxirError:
    return AxirError(
        "the cores wait for each other's bytes in a circle",
        op=waiting[0][1].task,
        notes=[f"core {core} cannot go on with a task of layer {node.task.layer.value.data}" for core, node in waiting],
    )
